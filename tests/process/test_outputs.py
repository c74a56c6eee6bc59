"""Outputs of a real process in a real shell: pipes that are read, slowly, or not at all."""

from __future__ import annotations

import json
import os
import shlex
import shutil
import signal
import stat
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import pytest
from process.children import TIMEOUT, Child
from published import held

BASH = shutil.which("bash") or ""
needs_bash = pytest.mark.skipif(not BASH, reason="needs bash")
METERS = 150  # a document of more bytes than a pipe holds


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project with an emulated account."""
    folder = tmp_path / "project"
    folder.mkdir()
    (folder / "reconciler.yaml").write_text(
        'version: 1\nmeters: ["meters.yaml"]\naccounts: {local: {emulator: state.json}}\n'
    )
    meter = "  - {{event_name: m{0}, display_name: M, default_aggregation: {{formula: sum}}}}\n"
    meters = "".join(meter.format(number) for number in range(METERS))
    (folder / "meters.yaml").write_text(f"version: 1\nmeters:\n{meters}")
    return folder


def shell(folder: Path, line: str) -> subprocess.CompletedProcess[str]:
    """Run a line of bash in which `reconciler` is the command."""
    command = shlex.join([sys.executable, "-m", "reconciler"])
    return subprocess.run(
        [BASH, "-c", f'reconciler() {{ {command} "$@"; }}\n{line}'],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=TIMEOUT,
        check=False,
    )


@needs_bash
@pytest.mark.parametrize(
    "line",
    [
        "reconciler plan --out json=>(cat > out) > /dev/null; wait $!",
        "reconciler plan --format json > out",
        "reconciler plan --out json=/dev/stdout > out",
        "reconciler plan --out json=/proc/self/fd/1 | cat > out",
        "reconciler plan --out json=/dev/stdout | cat > out",
        "reconciler plan --out json=/dev/stderr 2> out > /dev/null",
        "reconciler plan --out json=/dev/fd/3 3> out > /dev/null",
        "mkfifo pipe; cat pipe > out & reconciler plan --out json=pipe > /dev/null; wait $!",
        "exec 3> >(cat > out); reconciler plan --out json=/dev/fd/3 > x; exec 3>&-; wait $!",
    ],
)
def test_whatever_a_shell_opens_gets_the_whole_document(line, project):
    """Nothing is lost and nothing is added."""
    ran = shell(project, line)
    assert ran.returncode == 0, ran.stderr
    assert len(held((project / "out").read_text())["accounts"][0]["changes"]) == METERS


@needs_bash
def test_a_saved_plan_goes_through_a_pipe(project):
    """As for encrypting it on its way."""
    ran = shell(project, "reconciler plan --save >(cat > out) > /dev/null; wait $!")
    assert ran.returncode == 0, ran.stderr
    assert len(json.loads((project / "out").read_text())["changes"]) == METERS


@needs_bash
def test_the_summary_of_a_step_keeps_what_is_there(project, monkeypatch):
    """As README has it."""
    summary = project / "summary.md"
    summary.write_text("# Before\n")
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(summary))
    line = 'reconciler plan --out markdown="$GITHUB_STEP_SUMMARY" > /dev/null'
    assert shell(project, f"{line}; {line}").returncode == 0
    assert summary.read_text().startswith("# Before\n")
    assert summary.read_text().count("## Plan for") == 2


@needs_bash
def test_a_reader_that_leaves_costs_nothing_but_its_copy(project):
    """Standard output has the whole document, and standard error and the exit code the loss."""
    ran = shell(project, "reconciler plan --format json --out json=>(head -c 1 > /dev/null)")
    assert ran.returncode == 1
    assert len(held(ran.stdout)["accounts"][0]["changes"]) == METERS
    assert "E002" in ran.stderr
    assert "Traceback" not in ran.stderr


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_pipe_that_is_read_no_further_does_not_hold_the_process(number, project, tmp_path):
    """It was opened by a reader; standard output is whole, and the second signal ends it."""
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    reader = os.open(fifo, os.O_RDONLY | os.O_NONBLOCK)
    child = Child("plan", project, "--format", "json", "--out", f"json={fifo}")
    assert child.process.stdout
    out = child.process.stdout.read(1) + _read_document(child)
    while child.process.poll() is None:  # two that follow each other closely can arrive as one
        child.process.send_signal(number)
        with suppress(subprocess.TimeoutExpired):
            child.process.wait(0.1)
    ended = child.end()
    os.close(reader)
    assert ended.code == 130
    assert held(out)["summary"]["create"] == METERS
    assert "Traceback" not in ended.err


def _read_document(child: Child) -> str:
    """Read standard output up to the end of its document; the process goes on."""
    assert child.process.stdout
    lines = []
    for line in child.process.stdout:
        lines.append(line)
        if line == "}\n":
            break
    return "".join(lines)


@pytest.mark.parametrize("command", [["plan"], ["apply", "--yes"]])
def test_a_signal_ends_the_wait_for_a_reader(command, project, tmp_path):
    """At once, with the document, and nothing was asked of the account."""
    os.mkfifo(tmp_path / "fifo")
    child = Child(*command, project, "--format", "json", "--out", f"json={tmp_path / 'fifo'}", "-v")
    child.process.send_signal(signal.SIGTERM)
    ended = child.end()
    assert ended.code in (130, -signal.SIGTERM)  # before or after it listens to signals
    assert not (project / "state.json").exists()
    assert stat.S_ISFIFO((tmp_path / "fifo").stat().st_mode)
