"""An account that is emulated in a file: what happens to that file, and to those around it."""

from __future__ import annotations

import json
import os
import sqlite3
from pathlib import Path

import pytest
from cli.world import CALLS, SEATS
from published import held

from reconciler.emulator.storage import state_file

PRECIOUS = "precious"


@pytest.fixture
def project(tmp_path):
    """`project(**account)`: a folder whose one account is emulated, and a neighbour of it."""
    (tmp_path / "neighbour").write_text(PRECIOUS)
    folder = tmp_path / "project"
    folder.mkdir()
    (folder / "meters.yaml").write_text(f"version: 1\nmeters:\n  - {SEATS}\n  - {CALLS}\n")

    def write(**account: str) -> Path:
        text = f"version: 1\nmeters: [meters.yaml]\naccounts:\n  local: {json.dumps(account)}\n"
        (folder / "reconciler.yaml").write_text(text)
        return folder

    return write


def reported(ran) -> list[str]:
    document = held(ran.out)
    return [
        one["code"] for part in (document, *document["accounts"]) for one in part["diagnostics"]
    ]


PLANTED = {
    "a link to a file": lambda path: path.symlink_to("../neighbour"),
    "a link to a file that does not exist": lambda path: path.symlink_to("../nowhere"),
    "a pipe": os.mkfifo,
    "a folder": Path.mkdir,
}


@pytest.mark.parametrize("kind", PLANTED)
@pytest.mark.parametrize("suffix", ["-wal", "-shm", "-journal"])
@pytest.mark.parametrize("exists", [False, True], ids=["new", "existing"])
def test_nothing_is_done_to_files_with_names_that_sqlite_derives(
    project, run, tmp_path, kind, suffix, exists
):
    """They are refused without waiting for a pipe; nothing is followed, emptied or created."""
    folder = project(emulator="state.db")
    if exists:
        assert run("apply", folder, "--yes", "--no-journal").code == 0
    PLANTED[kind](folder / f"state.db{suffix}")
    before = sorted(os.listdir(folder))
    ran = run("apply", folder, "--yes", "--no-journal", "--format", "json")
    assert (ran.code, reported(ran)) == (1, ["E001"])
    assert sorted(os.listdir(folder)) == before
    assert sorted(os.listdir(tmp_path)) == ["neighbour", "project"]
    assert (tmp_path / "neighbour").read_text() == PRECIOUS


@pytest.mark.parametrize("name", ["app.log", "app-wal", "app.json.log", "app.new", ".app.tmp"])
def test_files_with_similar_names_are_not_the_state(project, run, name):
    """They are neither emptied nor removed, whatever the state is called."""
    for state in ("app", "app.json"):
        folder = project(emulator=state)
        (folder / name).write_text(PRECIOUS)
        ran = run("apply", folder, "--yes", "--no-journal", "--format", "json")
        assert ran.code == (1 if name == f"{state}-wal" else 0)
        assert (folder / name).read_text() == PRECIOUS
        (folder / name).unlink()


def test_a_file_of_another_program_is_not_changed(project, run):
    folder = project(emulator="app.log")
    (folder / "app.log").write_text(PRECIOUS)
    ran = run("apply", folder, "--yes", "--no-journal", "--format", "json")
    assert (ran.code, reported(ran)) == (1, ["E001"])
    assert (folder / "app.log").read_text() == PRECIOUS


@pytest.mark.parametrize(
    "name",
    ["meters.yaml", "new.YML", ".reconciler/journal.jsonl", ".gitignore", "a/.gitattributes"],
)
def test_a_name_that_means_another_file_is_refused(project, run, name):
    """The state would be read as a meter file, written to as the journal, or used by git."""
    folder = project(emulator=name)
    before = (folder / "meters.yaml").read_bytes()
    ran = run("apply", folder, "--yes", "--format", "json")
    assert (ran.code, reported(ran)) == (1, ["C014"])
    assert (folder / "meters.yaml").read_bytes() == before
    assert sorted(os.listdir(folder)) == ["meters.yaml", "reconciler.yaml"]


@pytest.mark.parametrize("key", ["emulator", "seed"])
@pytest.mark.parametrize("kind", PLANTED)
def test_only_regular_files_are_opened(project, run, tmp_path, key, kind):
    """State and seed alike: an error of the project file, before anything is opened."""
    folder = project(**{"emulator": "state.db", key: "file"})
    PLANTED[kind](folder / "file")
    for command in (["validate"], ["apply", "--yes", "--no-journal"]):
        ran = run(*command, folder, "--format", "json")
        assert ran.code == 1
        assert set(reported(ran)) <= {"C003", "C004"}
    assert sorted(os.listdir(folder)) == ["file", "meters.yaml", "reconciler.yaml"]
    assert sorted(os.listdir(tmp_path)) == ["neighbour", "project"]


@pytest.mark.parametrize("key", ["emulator", "seed"])
@pytest.mark.parametrize("name", [".git/config", ".GIT/hooks/pre-commit", "sub/.git/x"])
def test_the_folder_of_git_is_not_for_state(project, run, key, name):
    folder = project(**{"emulator": "state.db", key: name})
    ran = run("apply", folder, "--yes", "--no-journal", "--format", "json")
    assert (ran.code, reported(ran)) == (1, ["C005"])
    assert sorted(os.listdir(folder)) == ["meters.yaml", "reconciler.yaml"]


def test_no_draft_is_left(project, run):
    """Neither of a new state nor of one that cannot be created."""
    folder = project(emulator="state/local.db", seed="seed.json")
    (folder / "seed.json").write_text("{")
    assert run("apply", folder, "--yes", "--no-journal").code == 1
    assert os.listdir(folder / "state") == []
    (folder / "seed.json").write_text("{}")
    assert run("apply", folder, "--yes", "--no-journal").code == 0
    assert os.listdir(folder / "state") == ["local.db"]


@pytest.fixture
def room(monkeypatch):
    """`room(n)`: the disk of the state has room for n changes of the account."""
    insert = state_file._insert

    def leave(count: int) -> None:
        left = [count]

        def insert_if_room(*given: object) -> None:
            left[0] -= 1
            if left[0] < 0:
                raise sqlite3.OperationalError("database or disk is full")
            insert(*given)

        monkeypatch.setattr(state_file, "_insert", insert_if_room)

    return leave


def test_a_disk_that_fills_up_during_an_apply(project, run, room):
    """What was written is reported, and the next run does the rest."""
    folder = project(emulator="state.db")
    assert run("plan", folder).code == 0
    room(1)
    ran = run("apply", folder, "--yes", "--no-journal", "--format", "json")
    document = held(ran.out)
    assert (ran.code, document["exit_code"]) == (5, 5)
    (account,) = document["accounts"]
    results = [change["result"]["status"] for change in account["changes"]]
    assert sorted(results) == ["done", "failed"]
    room(99)
    again = held(run("apply", folder, "--yes", "--no-journal", "--format", "json").out)
    assert again["exit_code"] == 0
    assert again["summary"]["create"] == again["summary"]["unchanged"] == 1


def test_a_disk_that_is_full_from_the_start(project, run, room):
    """The report says why nothing could be stored; the state is as it was."""
    folder = project(emulator="state.db")
    assert run("plan", folder).code == 0
    room(0)
    ran = run("apply", folder, "--yes", "--no-journal", "--format", "json")
    (account,) = held(ran.out)["accounts"]
    assert [change["result"]["status"] for change in account["changes"]] == ["failed"] * 2
    assert "database or disk is full" in ran.out
    room(99)
    assert held(run("plan", folder, "--format", "json").out)["summary"]["create"] == 2
