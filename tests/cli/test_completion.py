"""`completion`: the scripts in real shells, and what completes where."""

from __future__ import annotations

import io
import os
import shutil
import subprocess
import sys
from pathlib import Path

import argcomplete
import pytest
from argcomplete import io as argcomplete_io
from cli.world import CALLS, SEATS

from reconciler.cli.commands import COMMANDS
from reconciler.cli.completion import build_parser
from reconciler.render import FORMATS

RETIRED = "{event_name: 'old: one', display_name: Old, default_aggregation: {formula: sum}}"


class Finder(argcomplete.CompletionFinder):
    """argcomplete, without the file descriptor 9, which belongs to pytest here."""

    def _init_debug_stream(self) -> None:
        argcomplete_io.debug_stream = sys.stderr


@pytest.fixture
def completed(monkeypatch):
    """The words that complete a line, as fish shows them."""

    def _complete(line: str) -> list[str]:
        settings = {"COMP_LINE": line, "COMP_POINT": str(len(line)), "_ARGCOMPLETE_SHELL": "fish"}
        for name, value in ({"_ARGCOMPLETE": "1"} | settings).items():
            monkeypatch.setenv(name, value)
        found = io.StringIO()
        finder, left = Finder(), {"exit_method": lambda _: None, "output_stream": found}
        finder(build_parser(line), always_complete_options="long", **left)
        return [word.rstrip() for word in found.getvalue().split("\013") if word]

    return _complete


@pytest.fixture
def project(world, monkeypatch):
    """A project with two accounts, as the current folder."""
    made = world(f"{SEATS}\n{CALLS}\n{RETIRED}")
    made.add_account("production")
    monkeypatch.chdir(made.folder)
    return made


def test_commands_options_and_values(completed, project):
    assert set(COMMANDS) <= set(completed("reconciler "))
    assert completed("reconciler val") == ["validate"]
    assert completed("reconciler plan --det") == ["--detailed-exitcode"]
    assert completed("reconciler plan --format ") == list(FORMATS)
    assert completed("reconciler list --format ") == ["text", "json"]
    assert completed("reconciler plan --out j") == ["json=", "junit="]
    assert completed("reconciler list --status ") == ["active", "inactive"]
    assert completed("reconciler explain G00")[:2] == ["G001", "G002"]
    assert completed("reconciler schema me") == ["meters"]
    assert completed("reconciler completion z") == ["zsh"]
    assert completed("reconciler emulate --latency ") == []
    assert completed("reconciler --v") == ["--version"]
    assert completed("reconciler plan 'unfinished --f") == []


def test_names_of_the_project(completed, project):
    """Of the accounts, and of what they declare."""
    assert completed("reconciler plan --account ") == ["sandbox", "production"]
    assert completed("reconciler plan --account=p") == ["--account=production"]
    assert completed("reconciler compare sandbox p") == ["production"]
    assert completed("reconciler plan --only s") == ["seats"]
    assert completed("reconciler history --meter c") == ["calls"]
    assert completed("reconciler ready s") == ["seats"]
    assert completed("reconciler plan --only o") == ["old: one"]
    assert completed("reconciler plan --account production --only s") == ["seats"]


@pytest.mark.parametrize(
    "line", ["plan {} --account ", "plan -C {} --account ", "-C {} plan --account "]
)
def test_names_of_another_project(line, completed, project, monkeypatch, tmp_path_factory):
    monkeypatch.chdir(tmp_path_factory.mktemp("elsewhere"))
    found = completed("reconciler " + line.format(project.folder))
    assert found == ["sandbox", "production"]
    assert completed("reconciler plan --account ") == []


def test_invalid_files_complete_nothing(completed, project):
    project.file("meters.yaml", "version: [\n")
    assert completed("reconciler plan --account ") == []
    assert completed("reconciler plan --det") == ["--detailed-exitcode"]


def test_meter_files_alone_are_not_searched_for(completed, tmp_path, monkeypatch):
    """Without a project file that could be every file of a home folder."""
    (tmp_path / "meters.yaml").write_text(f"version: 1\nmeters: [{SEATS}]\n")
    monkeypatch.chdir(tmp_path)
    assert completed("reconciler plan --only ") == []


BASH = """
eval "$(reconciler completion bash)"
press() {
  COMP_LINE=$1 COMP_POINT=${#1} COMP_TYPE=9 COMPREPLY=()
  _python_argcomplete reconciler
  (IFS='|'; echo "${COMPREPLY[*]}")
}
"""
ZSH = """
autoload -Uz is-at-least
compdef() { : }
eval "$(reconciler completion zsh)"
_describe() { print -r -- ${(j:|:)${(P)2}%%:*} }
press() { BUFFER=$1 CURSOR=$#1 words=(${(z)1}); _python_argcomplete }
"""
FISH = """
reconciler completion fish | source
function press; complete -C $argv[1] | string replace -r '\\t.*' '' | string join '|'; end
"""
SCRIPTS = {"bash": BASH, "zsh": ZSH, "fish": FISH}


@pytest.mark.parametrize(
    "shell", ["bash", *(pytest.param(name, marks=pytest.mark.full) for name in ("zsh", "fish"))]
)
def test_a_real_shell_completes(shell, project, tmp_path_factory):
    """With the printed script, and the tool as it is installed."""
    program = shutil.which(shell)
    if not program:
        pytest.skip(f"{shell} is not installed")
    home = tmp_path_factory.mktemp("home")
    tool = home / "bin" / "reconciler"
    tool.parent.mkdir()
    tool.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m reconciler "$@"\n')
    tool.chmod(0o755)
    root = Path(__file__).parents[2]
    path = os.pathsep.join([str(tool.parent), os.environ["PATH"]])
    python = os.pathsep.join([str(root), os.environ["PYTHONPATH"]])
    environ = {**os.environ, "HOME": str(home), "PATH": path, "PYTHONPATH": python}
    environ.pop("_ARGCOMPLETE", None)
    lines = ["reconciler pl", "reconciler plan --account "]
    script = SCRIPTS[shell] + "".join(f"press '{line}'\n" for line in lines)
    plain = {"bash": ["--norc"], "zsh": ["-f"], "fish": ["--no-config"]}[shell]
    ran = subprocess.run(
        [program, *plain, "-c", script],
        env=environ,
        cwd=project.folder,
        capture_output=True,
        text=True,
        timeout=60,
    )
    found = [sorted(line.replace(" ", "").split("|")) for line in ran.stdout.splitlines()]
    assert found == [["plan"], ["production", "sandbox"]], ran.stderr


@pytest.mark.parametrize(
    ("words", "message", "hint"),
    [
        ([], "the name of the shell is missing", "use bash, zsh or fish"),
        (["bsah"], "there is no completion for 'bsah'", "did you mean bash?"),
        (["cmd"], "there is no completion for 'cmd'", "use bash, zsh or fish"),
    ],
)
def test_another_shell_is_an_error(words, message, hint, run):
    ran = run("completion", *words)
    assert ran.code == 64
    assert f"error U011: {message}\n    hint: {hint}\n" in ran.out
