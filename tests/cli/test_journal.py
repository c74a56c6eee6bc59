"""The journal of an apply: on disk before a request, private, and not where a link leads to."""

from __future__ import annotations

import fcntl
import json
import os
import signal
import stat

import pytest
from cli.world import CALLS, SEATS, existing
from published import held

from reconciler.emulator import Phase
from reconciler.history import journal

CHAIRS = {"meters": [existing("seats", "Chairs", id="mtr_s")]}


@pytest.fixture
def made(world):
    return world(f"{SEATS}\n{CALLS}", CHAIRS)


def test_a_request_is_on_disk_before_it_arrives(made, run, monkeypatch):
    """Not only in the memory of the system, which a machine that loses power forgets."""
    real, kept, missing = os.fsync, {}, []

    def fsync(descriptor):
        real(descriptor)
        kept[os.fstat(descriptor).st_ino] = os.fstat(descriptor).st_size

    def reached(moment):
        if moment.request.method == "POST" and moment.phase is Phase.BEFORE:
            path = made.folder / ".reconciler" / "journal.jsonl"
            safe = path.read_bytes()[: kept.get(path.stat().st_ino, 0)]
            key = moment.request.headers["idempotency-key"]
            if key.encode() not in safe:
                missing.append(key)

    monkeypatch.setattr(os, "fsync", fsync)
    made.server.reached = reached
    assert run("apply", made.folder, "--yes").code == 0
    assert len(made.posts()) == 2
    assert missing == []


def test_only_its_owner_can_read_it(made, run):
    """Whatever the umask: names of meters, of people and of jobs are in it."""
    before = os.umask(0)
    try:
        assert run("apply", made.folder, "--yes").code == 0
    finally:
        os.umask(before)
    folder = made.folder / ".reconciler"
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    for name in (journal.NAME, journal.LOCK):
        assert stat.S_IMODE((folder / name).stat().st_mode) == 0o600


def test_a_linked_folder_is_refused_before_anything_is_sent(made, run, tmp_path_factory):
    """A checkout can hold such a link, to wherever it likes."""
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    (made.folder / ".reconciler").symlink_to(elsewhere)
    ran = run("apply", made.folder, "--yes", "--format", "json")
    (account,) = held(ran.out)["accounts"]
    assert (ran.code, [each["code"] for each in account["diagnostics"]]) == (1, ["J001"])
    assert "symbolic link" in account["diagnostics"][0]["message"]
    assert (made.posts(), list(elsewhere.iterdir())) == ([], [])


@pytest.mark.parametrize("kind", [fcntl.LOCK_SH, fcntl.LOCK_EX], ids=["a reader", "a writer"])
def test_it_is_not_renamed_while_another_process_holds_it(kind, made, run, monkeypatch):
    """Only a journal that has become large is: another one is written to meanwhile."""
    assert run("apply", made.folder, "--yes").code == 0
    made.write(SEATS.replace("Seats", "Stools"))
    with open(made.folder / ".reconciler" / journal.LOCK) as lock:
        fcntl.flock(lock, kind)
        with monkeypatch.context() as patch:
            patch.setattr(journal, "TURN_OVER_AT", 10)
            ran = run("apply", made.folder, "--yes")
        assert (ran.code, "J001" in ran.out, len(made.posts())) == (1, True, 2)
        assert run("history", made.folder).code == 0
        assert run("apply", made.folder, "--yes").code == 0


def test_a_request_without_an_answer_keeps_its_meter(made, run):
    """The run was killed: what it was about to do is all that is known."""
    assert run("apply", made.folder, "--yes", "--only", "seats").code == 0
    path = made.folder / ".reconciler" / journal.NAME
    entries = [json.loads(line) for line in path.read_text("utf-8").splitlines()]
    left = [each for each in entries if each["kind"] in ("run", "request")]
    path.write_text("".join(f"{json.dumps(each)}\n" for each in left), "utf-8")
    document = held(run("history", made.folder, "--format", "json").out)
    (past,) = document["runs"]
    (change,) = past["changes"]
    (request,) = change["requests"]
    assert (request["meter_id"], request["operation"], request["result"]) == (
        "mtr_s",
        "update",
        None,
    )


def test_a_signal_after_the_last_request_does_not_announce_more(made, run, monkeypatch):
    """Nothing is in progress any more that would have to be finished."""
    end = journal.FileJournal.end

    def ended(self, exit_code):
        end(self, exit_code)
        made.interrupt(signal.SIGTERM)

    monkeypatch.setattr(journal.FileJournal, "end", ended)
    ran = run("apply", made.folder, "--yes")
    assert "Stopping" not in ran.err
    assert len(made.posts()) == 2
