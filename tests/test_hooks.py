"""The hook for pre-commit: which files start it, and what its entry says of them."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml
from cli.conftest import world  # noqa: F401 - a fixture
from cli.world import SEATS

ROOT = Path(__file__).parents[1]
(HOOK,) = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text("utf-8"))
INVALID = "version: 1\nmeters:\n  - {event_name: a}\n"


@pytest.mark.parametrize(
    ("file", "starts"),
    [
        ("reconciler.yaml", True),
        ("billing/reconciler.yml", True),
        ("billing/meters/ai/calls.yaml", True),
        ("meters.yaml", True),
        ("billing/sandbox-meters.yml", True),
        ("meters/README.md", False),
        ("my-reconciler.yaml", False),
        ("src/parameters/app.yaml", False),
        ("deploy/values.yaml", False),
        ("perimeter.yaml", False),
    ],
)
def test_only_meter_files_and_project_files_start_it(file, starts):
    assert bool(re.search(HOOK["files"], file)) is starts


def test_the_entry_checks_the_files_that_are_passed(world, run, monkeypatch):  # noqa: F811
    """Without a key; an error is one of the changed file."""
    made = world(SEATS)
    monkeypatch.delenv("SANDBOX_KEY")
    monkeypatch.chdir(made.folder)
    words = [*shlex.split(HOOK["entry"])[1:], "reconciler.yaml", "meters.yaml"]
    assert run(*words).code == 0
    made.file("meters.yaml", INVALID)
    ran = run(*words)
    assert (ran.code, "meters.yaml:3:5" in ran.out) == (1, True)


@pytest.mark.full
@pytest.mark.long
def test_pre_commit_installs_and_runs_it(world, tmp_path, monkeypatch):  # noqa: F811
    """The hook of the last commit, installed once as for a user of it."""
    made = world(SEATS)
    if not shutil.which("pre-commit"):
        pytest.skip("pre-commit is not installed")
    environ = {**os.environ, "PRE_COMMIT_HOME": str(tmp_path / "home"), "NO_COLOR": "1"}
    del environ["PYTHONPATH"]  # pip installs the hook from the package index
    monkeypatch.chdir(made.folder)
    commit = _git("rev-parse", "HEAD", cwd=ROOT).strip()
    repo = {"repo": str(ROOT), "rev": commit, "hooks": [{"id": HOOK["id"]}]}
    made.file(".pre-commit-config.yaml", yaml.safe_dump({"repos": [repo]}))
    _git("init", "-q")
    _git("add", ".pre-commit-config.yaml", "meters.yaml", "reconciler.yaml")
    words = ["pre-commit", "run", "--all-files", "--verbose"]
    for text, code in ((None, 0), (INVALID, 1)):
        if text:
            made.file("meters.yaml", text)
        ran = subprocess.run(words, env=environ, capture_output=True, text=True, timeout=300)
        assert ran.returncode == code, ran.stdout + ran.stderr
    assert "meters.yaml:3:5" in ran.stdout


def _git(*words: str, cwd: Path | None = None) -> str:
    command = ["git", *words]
    return subprocess.run(
        command, cwd=cwd, check=True, timeout=30, capture_output=True, text=True
    ).stdout
