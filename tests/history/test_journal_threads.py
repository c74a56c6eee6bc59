"""Runs over many accounts: threads that write to one journal at a time."""

from __future__ import annotations

import os
import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import pytest
from history.test_journal import DONE, RUN, STOP
from msgspec.structs import replace
from virtual import VirtualClock

from reconciler.history import journal
from reconciler.report.report import ChangeResult, ReportedChange, ResultStatus

TIMEOUT = 60  # seconds until a test that hangs fails


def write(folder, number: int) -> None:
    """One run with a request."""
    run = replace(RUN, plan_id=f"plan-{number}")
    with journal.open_journal(folder, run, VirtualClock()) as book:
        book.before_request(STOP, f"key-{number}")
        book.after_response(STOP, f"key-{number}", DONE)
        book.end(0)
        assert book.report_losses() == ()


def test_threads_write_one_journal_without_waiting_for_its_lock(tmp_path):
    """Every entry is whole, and its run has all four."""
    with ThreadPoolExecutor(16) as pool:
        list(pool.map(lambda number: write(tmp_path, number), range(64)))
    entries, diagnostics = journal.read(tmp_path)
    assert diagnostics == ()
    assert set(Counter(entry["plan_id"] for entry in entries).values()) == {4}
    assert len({entry["run"] for entry in entries}) == 64


class Disk:
    """Flushes one file at a time; the first flush waits until it is released."""

    def __init__(self) -> None:
        self.flushes = 0
        self.begun, self.released = threading.Event(), threading.Event()
        self.fails = False

    def fsync(self, _: int) -> None:
        """Flush, or fail the first time."""
        self.flushes += 1
        if self.flushes == 1:
            self.begun.set()
            self.released.wait(TIMEOUT)
            if self.fails:
                raise OSError("the disk is broken")


@pytest.mark.parametrize("fails", [False, True])
def test_what_waits_for_the_disk_is_flushed_together(fails, tmp_path, monkeypatch):
    """One flush is under way and five entries wait: they are written and flushed as one.

    A flush that fails is an error of the entries that it was for, and says nothing of others.
    """
    books = []
    for _ in range(6):
        opened = journal.open_journal(tmp_path, RUN, VirtualClock())
        books.append((opened, opened.__enter__()))
    disk = Disk()
    disk.fails = fails
    monkeypatch.setattr(os, "fsync", disk.fsync)
    with ThreadPoolExecutor(6) as pool:
        first = pool.submit(books[0][1].before_request, STOP, "key-0")
        assert disk.begun.wait(TIMEOUT)
        writer = books[0][1]._writer
        others = [pool.submit(book.before_request, STOP, "key") for _, book in books[1:]]
        while len(writer._open.lines) < 5:
            pass
        disk.released.set()
        for each in others:
            each.result(TIMEOUT)
        if fails:
            with pytest.raises(journal.JournalError, match="the disk is broken"):
                first.result(TIMEOUT)
        else:
            first.result(TIMEOUT)
    assert disk.flushes == 2
    keys = Counter(entry.get("key") for entry in journal.read(tmp_path)[0])
    assert (keys["key-0"], keys["key"]) == (1, 5)
    for opened, _ in books:
        opened.__exit__(None, None, None)


def test_an_error_of_the_disk_is_that_of_every_entry_written_with_it(tmp_path, monkeypatch):
    """None of their requests may be sent."""
    with (
        journal.open_journal(tmp_path, RUN, VirtualClock()) as first,
        journal.open_journal(tmp_path, RUN, VirtualClock()) as second,
        ThreadPoolExecutor(3) as pool,
    ):
        disk = Disk()

        def fsync(descriptor: int) -> None:
            disk.fsync(descriptor)
            if disk.flushes == 2:
                raise OSError("the disk is full")

        monkeypatch.setattr(os, "fsync", fsync)
        begun = pool.submit(first.before_request, STOP, "key-0")
        assert disk.begun.wait(TIMEOUT)
        others = [pool.submit(each.before_request, STOP, "key") for each in (first, second)]
        while len(first._writer._open.lines) < 2:
            pass
        disk.released.set()
        begun.result(TIMEOUT)
        for each in others:
            with pytest.raises(journal.JournalError, match="the disk is full"):
                each.result(TIMEOUT)


@pytest.mark.parametrize("fails", [False, True])
def test_what_follows_a_request_does_not_wait_for_the_disk(fails, tmp_path, monkeypatch):
    """The thread that is writing then writes it as well; that it could not is reported."""
    result = ReportedChange(STOP.change, ChangeResult(ResultStatus.DONE))
    disk = Disk()
    with (
        journal.open_journal(tmp_path, RUN, VirtualClock()) as book,
        ThreadPoolExecutor(1) as pool,
    ):
        book.before_request(STOP, "key-0")
        monkeypatch.setattr(os, "fsync", disk.fsync)
        other = pool.submit(book.before_request, STOP, "key-1")
        assert disk.begun.wait(TIMEOUT)
        book.after_response(STOP, "key-0", DONE)
        book.record_result(result)
        assert not other.done()
        if fails:
            monkeypatch.setattr(os, "write", lambda *_: 0)
        disk.released.set()
        other.result(TIMEOUT)
        assert [each.code for each in book.report_losses()] == ["J003"] * fails
    entries = [entry["kind"] for entry in journal.read(tmp_path)[0]]
    assert entries == ["run", "request", "request", *([] if fails else ["response", "result"])]


def test_a_journal_that_is_closed_during_a_write_keeps_its_entry(tmp_path, monkeypatch):
    """The descriptor, which may soon be that of another file, is closed after it."""
    disk = Disk()
    with ThreadPoolExecutor(1) as pool:
        with journal.open_journal(tmp_path, RUN, VirtualClock()) as book:
            monkeypatch.setattr(os, "fsync", disk.fsync)
            written = pool.submit(book.before_request, STOP, "key-0")
            assert disk.begun.wait(TIMEOUT)
        os.fstat(book._descriptor)
        disk.released.set()
        written.result(TIMEOUT)
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.fstat(book._descriptor)
    with pytest.raises(journal.JournalError, match="the run is over"):
        book.before_request(STOP, "key-1")
    assert [entry.get("key") for entry in journal.read(tmp_path)[0]] == [None, "key-0"]


def test_a_request_is_not_sent_for_a_run_that_is_not_in_the_journal(tmp_path, monkeypatch):
    """Its first entry was left to a thread that was writing, and could not be written."""
    disk = Disk()
    with (
        journal.open_journal(tmp_path, RUN, VirtualClock()) as first,
        ThreadPoolExecutor(1) as pool,
    ):
        monkeypatch.setattr(os, "fsync", disk.fsync)
        other = pool.submit(first.before_request, STOP, "key-0")
        assert disk.begun.wait(TIMEOUT)
        with journal.open_journal(tmp_path, RUN, VirtualClock()) as second:
            with monkeypatch.context() as patch:
                patch.setattr(os, "write", lambda *_: 0)
                disk.released.set()
                other.result(TIMEOUT)
            with pytest.raises(journal.JournalError, match="the disk is full"):
                second.before_request(STOP, "key-1")


def test_an_unexpected_error_leaves_no_line_unwritten(tmp_path, monkeypatch):
    """Not those that other threads have left to the thread that it occurs in."""
    disk = Disk()
    with (
        journal.open_journal(tmp_path, RUN, VirtualClock()) as book,
        ThreadPoolExecutor(1) as pool,
    ):

        def fsync(descriptor: int) -> None:
            disk.fsync(descriptor)
            raise MemoryError

        monkeypatch.setattr(os, "fsync", fsync)
        other = pool.submit(book.before_request, STOP, "key-0")
        assert disk.begun.wait(TIMEOUT)
        book.after_response(STOP, "key-0", DONE)
        disk.released.set()
        with pytest.raises(MemoryError):
            other.result(TIMEOUT)
        assert book.report_losses() == ()
    assert "response" in [entry["kind"] for entry in journal.read(tmp_path)[0]]
