"""The journal: an append-only record of each run, on disk before each request.

Other entries are written without a flush, after one that is in progress: the end of the process
does not lose them after that, only a loss of power may.

It is for people only: no run decides anything by it. `.reconciler/journal.jsonl` in the project
has one JSON object a line, and is renamed to `journal.jsonl.1` (up to `.5`) beyond 8 MB.

Kinds of entries: `run` (who, which plan), `request` and then `response` or `not_sent` for each
request, `result` for each change of the plan, `end`. All entries of one run have its `run` id.
"""

from __future__ import annotations

import fcntl
import json
import os
import secrets
import stat
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from threading import Lock
from typing import Any

from msgspec import to_builtins
from msgspec.structs import replace

from ..clock import Clock, SystemClock
from ..diagnostics.codes import journal as rules
from ..diagnostics.diagnostic import Diagnostic, Location
from ..diagnostics.errors import ReconcilerError
from ..execution.protocol import Answer
from ..execution.steps import Step
from ..model.meter import unpack
from ..report.history import PastChange, PastRequest, PastRun
from ..report.report import ReportedChange
from .append import Batch, explain, find_writer, take_lock

NAME = "journal.jsonl"
LOCK = "journal.lock"
TURN_OVER_AT = 8_000_000  # bytes
KEEP = 5  # old files

_TURN = Lock()  # of threads, before they ask for the lock of a file: it has no queue


class JournalError(ReconcilerError):
    """The journal cannot be written, and nothing may be sent without it."""


class FileJournal:
    """An open journal: the `Journal` of `execution.protocol`, in a file. Threads may share it."""

    def __init__(self, descriptor: int, path: Path, run: PastRun, clock: Clock) -> None:
        self._descriptor = descriptor
        self._writer = find_writer(descriptor)
        self._closed = False
        self._writes = 0
        self._path = path
        self._names = {"run": run.run, "plan_id": run.plan_id}
        self._clock = clock
        self._lock = Lock()
        self._lost: OSError | None = None
        self._unfinished: list[Batch] = []
        self._first: Batch | None = None

    def begin(self, run: PastRun) -> None:
        """Write the first entry; raise OSError, or JournalError with the first request."""
        self._first = self._add("run", _drop_empty(to_builtins(run)), flushed=False)
        if not self._first.writing.locked():
            self._first.wait()

    def before_request(self, step: Step, key: str, *, begun: bool = False) -> None:
        """Write what is about to be sent, and return when it is on disk. Raises JournalError.

        A change that has `begun` must be finished: for it, `report_losses` reports what is missing.
        """
        entry = _encode_request(step, key)
        if begun:
            self._should("request", entry, flushed=True)
            return
        try:
            self._write("request", entry, flushed=True)
            if self._first:  # written by now
                self._first.wait()
        except OSError as error:
            raise JournalError(_describe_unwritable(self._path, error)) from None

    def after_response(self, step: Step, key: str, answer: Answer) -> None:
        """Write what became of a request; a failure is reported by `report_losses`."""
        record, meter = answer.record, answer.existing
        entry = _encode_request(
            step,
            key,
            meter_id=meter.id if meter else step.meter_id,
            result=str(record.result),
            status=record.status,
            request_id=record.request_id,
            attempts=record.attempts,
            replayed=record.replayed,
            error=answer.error.message if answer.error else None,
        )
        self._should("response", entry | ({"meter": meter.as_api()} if meter else {}))

    def not_sent(self, step: Step, key: str) -> None:
        """Write that a request was not sent, because the run is stopping."""
        self._should("not_sent", _encode_request(step, key, result="not_sent"))

    def record_result(self, reported: ReportedChange) -> None:
        """Write the result of a change; a failure is reported by `report_losses`."""
        change, result = reported.change, reported.result
        if result is None:
            return
        past = PastChange(
            event_name=change.event_name,
            action=str(change.action),
            status=str(result.status),
            meter_id=result.meter_id,
            code=result.error.code if result.error else None,
            message=result.error.message if result.error else None,
        )
        self._should("result", _drop_empty(unpack(past)))

    def end(self, exit_code: int) -> None:
        """Write the end of the run; one that was killed has no such entry."""
        self._should("end", {"exit_code": exit_code})

    def close(self) -> None:
        """Close the file; a request that ends later, after a stop, is no longer recorded."""
        with self._lock:
            is_last, self._closed = not (self._writes or self._closed), True
        if is_last:
            self._close_file()

    def _close_file(self) -> None:
        with suppress(OSError):
            os.close(self._descriptor)

    def report_losses(self) -> tuple[Diagnostic, ...]:
        """Report what could not be written."""
        self._check(self._take_unfinished(lambda _: True))
        if self._lost is None:
            return ()
        message = f"the journal is incomplete: {explain(self._lost)}"
        return (rules.INCOMPLETE(message, Location(str(self._path))),)

    def _take_unfinished(self, is_wanted: Callable[[Batch], bool]) -> list[Batch]:
        """Return batches that nothing has waited for yet, and forget them."""
        with self._lock:
            taken = [batch for batch in self._unfinished if is_wanted(batch)]
            self._unfinished = [batch for batch in self._unfinished if batch not in taken]
        return taken

    def _check(self, batches: Iterable[Batch]) -> None:
        """Wait for batches, and keep the reason why one could not be written."""
        for batch in batches:
            try:
                batch.wait()
            except OSError as error:
                self._lost = error

    def _should(self, kind: str, entry: Mapping[str, Any], *, flushed: bool = False) -> None:
        try:
            self._write(kind, entry, flushed=flushed)
        except OSError as error:
            self._lost = error

    def _write(self, kind: str, entry: Mapping[str, Any], *, flushed: bool) -> None:
        """Append one entry; raise OSError.

        One that is `flushed` is on disk then, with all before it. Another may still have to be
        written: what becomes of it is known later.
        """
        batch = self._add(kind, entry, flushed=flushed)
        if flushed or not batch.writing.locked():
            batch.wait()
            return
        self._check(self._take_unfinished(lambda each: not each.writing.locked()))
        with self._lock:
            self._unfinished.append(batch)

    def _add(self, kind: str, entry: Mapping[str, Any], *, flushed: bool) -> Batch:
        """Append one entry; return the batch that it is in. Raises OSError after the end."""
        head = {"at": round(self._clock.now(), 3), "kind": kind, **self._names}
        data = json.dumps(head | dict(entry) | head).encode() + b"\n"
        with self._lock:
            if self._closed:
                raise OSError("the run is over")
            self._writes += 1  # the file stays open until they have ended
        try:
            return self._writer.add(self._descriptor, data, self._clock, flushed=flushed)
        finally:
            with self._lock:
                self._writes -= 1
                is_last = self._closed and not self._writes
            if is_last:
                self._close_file()


@contextmanager
def open_journal(folder: Path, run: PastRun, clock: Clock) -> Iterator[FileJournal]:
    """Open the journal in `folder` and write the first entry of this run. Raises JournalError."""
    path = folder / NAME
    run = replace(run, run=secrets.token_hex(4), began=round(clock.now(), 3))
    with ExitStack() as stack:
        try:
            journal = FileJournal(_open(folder, path, clock), path, run, clock)
            stack.callback(journal.close)
            journal.begin(run)
        except OSError as error:
            raise JournalError(_describe_unwritable(path, error)) from None
        yield journal


def append_entries(folder: Path, entries: bytes, clock: Clock) -> tuple[Diagnostic, ...]:
    """Add whole lines of the journal of another machine; report what could not be written."""
    path = folder / NAME
    try:
        descriptor = _open(folder, path, clock)
        try:
            find_writer(descriptor).add(descriptor, entries, clock, flushed=True).wait()
        finally:
            os.close(descriptor)
    except OSError as error:
        message = f"the journal is incomplete: {explain(error)}"
        return (rules.INCOMPLETE(message, Location(str(path))),)
    return ()


def _open(folder: Path, path: Path, clock: Clock) -> int:
    """Open the journal to append to it; make it, or begin a new one, under the lock of readers."""
    if folder.is_symlink():
        raise OSError("its folder is a symbolic link")
    with suppress(FileNotFoundError):
        descriptor = _open_regular(path, os.O_RDWR | os.O_APPEND)
        if os.fstat(descriptor).st_size <= TURN_OVER_AT:
            _ignore(folder)
            return descriptor
        os.close(descriptor)
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    _ignore(folder)
    with _TURN:
        lock = _open_regular(folder / LOCK, os.O_CREAT | os.O_RDWR)
        try:
            take_lock(lock, fcntl.LOCK_EX, clock)
            if path.exists() and path.stat().st_size > TURN_OVER_AT:
                _turn_over(path)
            return _open_regular(path, os.O_CREAT | os.O_RDWR | os.O_APPEND)
        finally:
            os.close(lock)


def _ignore(folder: Path) -> None:
    """Keep the folder out of commits, unless it has a `.gitignore`, of whatever kind."""
    with suppress(FileExistsError), open(folder / ".gitignore", "x", encoding="utf-8") as file:
        file.write("*\n")


def _open_regular(path: Path, flags: int) -> int:
    """Open a regular file; raise OSError for a link, a pipe or a device."""
    descriptor = os.open(path, flags | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, 0o600)
    if stat.S_ISREG(os.fstat(descriptor).st_mode):
        return descriptor
    os.close(descriptor)
    raise OSError("it is not a regular file")


def _turn_over(path: Path) -> None:
    for n in range(KEEP, 0, -1):
        newer = path if n == 1 else path.with_name(f"{path.name}.{n - 1}")
        if newer.exists():
            newer.replace(path.with_name(f"{path.name}.{n}"))


def read(
    folder: Path, clock: Clock | None = None
) -> tuple[tuple[dict[str, Any], ...], tuple[Diagnostic, ...]]:
    """Return every entry of the journal, oldest first, and what could not be read."""
    entries: list[dict[str, Any]] = []
    diagnostics: list[Diagnostic] = []
    for path, data in _read_files(folder, clock or SystemClock(), diagnostics):
        damaged: list[int] = []
        for number, line in enumerate(data.split(b"\n"), 1):
            try:
                entry = json.loads(line) if line.strip() else None
            except (ValueError, RecursionError):
                damaged.append(number)
                continue
            if isinstance(entry, dict):
                entries.append(entry)
        if damaged:
            diagnostics.append(_describe_damage(path, damaged))
    return tuple(entries), tuple(diagnostics)


def _describe_damage(path: Path, lines: list[int]) -> Diagnostic:
    """Return one diagnostic for all unreadable entries of a file, at the first of them."""
    message = "an entry of the journal is unreadable; a crash may have cut it off"
    if len(lines) > 1:
        message = f"{len(lines):,} entries of the journal are unreadable, from line {lines[0]:,} "
        message += f"to line {lines[-1]:,}"
    return rules.DAMAGED(message, Location(str(path), lines[0]))


def _read_files(
    folder: Path, clock: Clock, diagnostics: list[Diagnostic]
) -> list[tuple[Path, bytes]]:
    """Read the files, oldest first, under the lock that a run takes to rename them."""
    names = [f"{NAME}.{n}" for n in range(KEEP, 0, -1)] + [NAME]
    files: list[tuple[Path, bytes]] = []
    unread: dict[str, list[Path]] = {}
    with ExitStack() as stack:
        with suppress(OSError):  # no run was here yet, or the disk has no locks
            lock = _open_regular(folder / LOCK, os.O_RDONLY)
            stack.callback(os.close, lock)
            take_lock(lock, fcntl.LOCK_SH, clock)
        for path in (folder / name for name in names):
            try:
                with open(_open_regular(path, os.O_RDONLY), "rb") as file:
                    with suppress(OSError):  # a run may be in the middle of a line
                        take_lock(file.fileno(), fcntl.LOCK_SH, clock)
                    files.append((path, file.read()))
            except FileNotFoundError:
                continue
            except OSError as error:
                unread.setdefault(explain(error), []).append(path)
    diagnostics.extend(_describe_unreadable(why, paths) for why, paths in unread.items())
    return files


def _describe_unreadable(why: str, paths: list[Path]) -> Diagnostic:
    """Return one diagnostic for all files that one reason holds for; their folder may be it."""
    first, *others = paths
    location = Location(str(first.parent if others else first))
    return rules.UNREADABLE(f"the journal cannot be read: {why}", location)


def _encode_request(step: Step, key: str, **more: Any) -> dict[str, Any]:
    facts = {"meter_id": step.meter_id, "n": step.n, "undoes": step.undoes} | more
    request = PastRequest(key=key, operation=str(step.operation), **facts)
    return {"event_name": step.change.event_name, **_drop_empty(unpack(request))}


def _drop_empty(entry: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in entry.items() if value not in (None, ())}


def _describe_unwritable(path: Path, error: OSError) -> Diagnostic:
    message = f"the journal cannot be written: {explain(error)}"
    return rules.UNWRITABLE(message, Location(str(path)))
