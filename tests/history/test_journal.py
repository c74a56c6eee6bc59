"""The journal: what is on disk when, and how a damaged one is read."""

import errno
import fcntl
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from msgspec.structs import replace
from virtual import VirtualClock

from reconciler.diagnostics.diagnostic import Diagnostic, Level
from reconciler.execution.protocol import Answer
from reconciler.execution.steps import Operation, Step
from reconciler.history import journal
from reconciler.model.change import Action, Change
from reconciler.model.meter import DefaultAggregation, ExistingMeter
from reconciler.model.project import AccountRef
from reconciler.model.request import Outcome, RequestRecord
from reconciler.report.history import PastRun
from reconciler.report.report import ChangeResult, ReportedChange, ResultStatus

RUN = PastRun(
    account=AccountRef("sandbox", "acct_1", livemode=False),
    plan_id="p" * 32,
    plan_hash="h" * 64,
    user="ada",
    tool_version="0",
)
LIVE = ExistingMeter(
    id="mtr_1",
    event_name="api_calls",
    display_name="API calls",
    default_aggregation=DefaultAggregation("sum"),
    status="active",
    created=1,
    updated=1,
    livemode=False,
)
STOP = Step(
    1,
    Operation.DEACTIVATE,
    Change(action=Action.DEACTIVATE, event_name="api_calls", reason="owned"),
    "mtr_1",
)

DONE = Answer(RequestRecord("POST", "req_1"), LIVE)


def kinds(folder: Path) -> list[str]:
    return [entry["kind"] for entry in journal.read(folder)[0]]


def test_a_request_is_on_disk_before_it_is_sent(tmp_path):
    with journal.open_journal(tmp_path, RUN, VirtualClock()) as book:
        book.before_request(STOP, "key-1")
        assert kinds(tmp_path) == ["run", "request"]
        book.after_response(STOP, "key-1", DONE)
        book.record_result(ReportedChange(STOP.change, ChangeResult(ResultStatus.DONE)))
    entries, diagnostics = journal.read(tmp_path)
    assert [entry["kind"] for entry in entries] == ["run", "request", "response", "result"]
    assert entries[0]["user"] == "ada"
    assert entries[2]["request_id"] == "req_1"
    assert entries[2]["meter"]["id"] == "mtr_1"
    assert {entry["plan_id"] for entry in entries} == {RUN.plan_id}
    assert diagnostics == ()


def test_an_indeterminate_answer_is_recorded(tmp_path):
    record = RequestRecord("POST", "req_2", 3, Outcome.INDETERMINATE, 500)
    diagnostic = Diagnostic("S001", Level.ERROR, "timed out")
    with journal.open_journal(tmp_path, RUN, VirtualClock()) as book:
        book.after_response(STOP, "key-1", Answer(record, error=diagnostic))
    entry = journal.read(tmp_path)[0][-1]
    assert (entry["result"], entry["status"], entry["attempts"]) == ("indeterminate", 500, 3)
    assert entry["error"] == "timed out"


def test_an_incomplete_entry_is_reported_and_ends_before_the_next(tmp_path):
    with journal.open_journal(tmp_path, RUN, VirtualClock()):
        pass
    with (tmp_path / journal.NAME).open("ab") as file:
        file.write(b'{"at": 1, "kind": "int')
    with journal.open_journal(tmp_path, RUN, VirtualClock()):
        pass
    entries, diagnostics = journal.read(tmp_path)
    assert [entry["kind"] for entry in entries] == ["run", "run"]
    (diagnostic,) = diagnostics
    assert diagnostic.code == "J002"
    assert diagnostic.location is not None
    assert diagnostic.location.line == 2


def test_a_line_that_is_being_written_is_waited_for(tmp_path):
    """The reader neither takes it for a damaged one nor leaves it out."""
    with journal.open_journal(tmp_path, RUN, VirtualClock()):
        pass
    path = tmp_path / journal.NAME
    line = path.read_bytes()
    with path.open("ab") as other:
        fcntl.flock(other, fcntl.LOCK_EX)
        os.write(other.fileno(), line[:9])

        class Waiting(VirtualClock):
            def sleep(self, seconds):
                super().sleep(seconds)
                os.write(other.fileno(), line[9:])
                fcntl.flock(other, fcntl.LOCK_UN)

        entries, diagnostics = journal.read(tmp_path, Waiting())
    assert ([entry["kind"] for entry in entries], diagnostics) == (["run", "run"], ())


def refused(folder):
    """The message if the journal of this folder cannot be written; nothing has begun."""
    with (
        pytest.raises(journal.JournalError) as caught,
        journal.open_journal(folder, RUN, VirtualClock()),
    ):
        raise AssertionError("the run must not begin")
    (diagnostic,) = caught.value.diagnostics
    assert diagnostic.code == "J001"
    return diagnostic.message


def test_a_full_disk_is_an_error_before_the_first_request(tmp_path, monkeypatch):

    def full(*_):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "write", full)
    assert "No space left" in refused(tmp_path)


@pytest.mark.parametrize("name", [journal.NAME, journal.LOCK])
def test_links_are_not_followed(tmp_path, name):
    """A checkout may contain one."""
    (tmp_path / "victim").write_text("precious")
    (tmp_path / "state").mkdir()
    (tmp_path / "state" / name).symlink_to(tmp_path / "victim")
    assert "it is a symbolic link" in refused(tmp_path / "state")
    (tmp_path / "linked").symlink_to(tmp_path / "state")
    assert "symbolic link" in refused(tmp_path / "linked")
    assert (tmp_path / "victim").read_text() == "precious"
    _, diagnostics = journal.read(tmp_path / "state")
    assert [diagnostic.code for diagnostic in diagnostics] == ["J004"] * (name == journal.NAME)


def test_a_pipe_is_neither_written_nor_waited_for(tmp_path):
    os.mkfifo(tmp_path / journal.NAME)
    assert "not a regular file" in refused(tmp_path)
    _, diagnostics = journal.read(tmp_path, VirtualClock())
    assert [diagnostic.code for diagnostic in diagnostics] == ["J004"]


def test_a_lock_that_is_never_released_is_an_error_after_some_seconds(tmp_path, monkeypatch):
    """Of a file that is to be renamed; reading does without."""
    with journal.open_journal(tmp_path, RUN, VirtualClock()):
        pass
    with open(tmp_path / journal.LOCK) as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        with monkeypatch.context() as patch:
            patch.setattr(journal, "TURN_OVER_AT", 10)
            assert "another process holds journal.lock" in refused(tmp_path)
        entries, diagnostics = journal.read(tmp_path, VirtualClock())
    assert (len(entries), diagnostics) == (1, ())


def test_a_folder_that_cannot_be_made_is_an_error(tmp_path):
    (tmp_path / "state").write_text("")
    assert "Not a directory" in refused(tmp_path / "state")


def test_a_disk_that_fills_up_later_prevents_new_requests(tmp_path, monkeypatch):
    """A change that has begun is finished."""
    with journal.open_journal(tmp_path, RUN, VirtualClock()) as book:
        monkeypatch.setattr(os, "write", lambda *_: 0)
        book.after_response(STOP, "key-1", DONE)
        with pytest.raises(journal.JournalError):
            book.before_request(STOP, "key-2")
        book.before_request(STOP, "key-3", begun=True)  # a line must not be left half-way for it
        assert [diagnostic.code for diagnostic in book.report_losses()] == ["J003"]
        monkeypatch.undo()


def test_an_entry_written_in_part_is_reported_and_ends_before_the_next(tmp_path, monkeypatch):
    """The disk was full for a moment."""
    write = os.write
    with journal.open_journal(tmp_path, RUN, VirtualClock()) as book:
        monkeypatch.setattr(os, "write", lambda file, data: write(file, data[:9]))
        book.after_response(STOP, "key-1", DONE)
        monkeypatch.undo()
        book.end(0)
        assert [diagnostic.code for diagnostic in book.report_losses()] == ["J003"]
    entries, diagnostics = journal.read(tmp_path)
    assert [entry["kind"] for entry in entries] == ["run", "end"]
    assert [diagnostic.code for diagnostic in diagnostics] == ["J002"]


def test_an_answer_after_the_end_of_the_run_is_not_written(tmp_path):
    """The descriptor of the closed file may belong to another one."""
    with journal.open_journal(tmp_path, RUN, VirtualClock()) as book:
        pass
    with (tmp_path / "other").open("w"):
        book.after_response(STOP, "key-1", DONE)
    assert (tmp_path / "other").read_text() == ""
    assert kinds(tmp_path) == ["run"]


def test_runs_of_one_plan_have_different_ids(tmp_path):
    with (
        journal.open_journal(tmp_path, RUN, VirtualClock()) as one,
        journal.open_journal(tmp_path, RUN, VirtualClock()) as other,
    ):
        one.before_request(STOP, "key-1")
        other.not_sent(STOP, "key-1")
        other.end(130)
        one.end(0)
    runs = [entry["run"] for entry in journal.read(tmp_path)[0]]
    assert kinds(tmp_path) == ["run", "run", "request", "not_sent", "end", "end"]
    assert len(set(runs)) == 2
    assert runs == [runs[0], runs[1], runs[0], runs[1], runs[1], runs[0]]


def test_a_large_journal_is_turned_over_and_still_read(tmp_path, monkeypatch):
    """Up to five old files are kept."""
    monkeypatch.setattr(journal, "TURN_OVER_AT", 10)
    for n in range(8):
        with journal.open_journal(tmp_path, replace(RUN, plan_id=str(n)), VirtualClock()):
            pass
    assert [entry["plan_id"] for entry in journal.read(tmp_path)[0]] == list("234567")


def test_two_processes_do_not_mix_entries(tmp_path):
    script = (
        "import sys; from pathlib import Path; from history.test_journal import *\n"
        "from reconciler.clock import SystemClock\n"
        "with journal.open_journal(Path(sys.argv[1]), RUN, SystemClock()) as book:\n"
        "    for n in range(200): book.before_request(STOP, 'k' * 500 + str(n))\n"
    )
    both = [
        subprocess.Popen(
            [sys.executable, "-c", script, str(tmp_path)], cwd=Path(__file__).parents[1]
        )
        for _ in range(2)
    ]
    assert [process.wait() for process in both] == [0, 0]
    entries, diagnostics = journal.read(tmp_path)
    assert diagnostics == ()
    assert kinds(tmp_path).count("request") == 400
    assert all(json.dumps(entry) for entry in entries)


def test_files_are_not_renamed_while_they_are_read(tmp_path, monkeypatch):
    for _ in range(3):
        monkeypatch.setattr(journal, "TURN_OVER_AT", 10)
        with journal.open_journal(tmp_path, RUN, VirtualClock()):
            pass
    waited, regular = [], journal._open_regular
    script = (
        "import fcntl, sys; file = open(sys.argv[1])\n"
        "fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)\n"
    )

    def reading(path, flags):
        if path.name == journal.LOCK:
            return regular(path, flags)
        words = [sys.executable, "-c", script, str(tmp_path / journal.LOCK)]
        waited.append("BlockingIOError" in subprocess.run(words, **ERR, check=False).stderr)
        return regular(path, flags)

    monkeypatch.setattr(journal, "_open_regular", reading)
    assert kinds(tmp_path) == ["run"] * 3
    assert waited == [True] * (journal.KEEP + 1)
    monkeypatch.undo()
    (tmp_path / journal.LOCK).unlink()
    assert kinds(tmp_path) == ["run"] * 3


ERR = {"stderr": subprocess.PIPE, "text": True}


def test_the_journal_is_readable_by_its_owner_only(tmp_path):
    with journal.open_journal(tmp_path / "state", RUN, VirtualClock()):
        pass
    for name, mode in (("", 0o700), (journal.NAME, 0o600), (journal.LOCK, 0o600)):
        assert (tmp_path / "state" / name).stat().st_mode & 0o777 == mode


def test_a_request_is_flushed_with_all_that_was_written_before_it(tmp_path, monkeypatch):
    """Other entries are written without a flush: they outlast the process, not a loss of power."""
    result = ReportedChange(STOP.change, ChangeResult(ResultStatus.DONE))
    done = []
    write, fsync = os.write, os.fsync
    monkeypatch.setattr(os, "write", lambda *a: done.append("write") or write(*a))
    monkeypatch.setattr(os, "fsync", lambda *a: done.append("fsync") or fsync(*a))
    with journal.open_journal(tmp_path, RUN, VirtualClock()) as book:
        book.before_request(STOP, "key-1")
        assert done == ["write", "write", "fsync"]
        book.after_response(STOP, "key-1", DONE)
        book.record_result(result)
        book.before_request(STOP, "key-2")
        assert done[3:] == ["write", "write", "write", "fsync"]
        book.end(0)
    assert done[7:] == ["write"]


def test_the_folder_is_kept_out_of_commits(tmp_path):
    """By a `.gitignore`, which may be edited."""
    ignore = tmp_path / ".gitignore"
    for content in ("*\n", "mine\n"):
        with journal.open_journal(tmp_path, RUN, VirtualClock()):
            assert ignore.read_text() == content
        ignore.write_text("mine\n")
