"""Append lines to a file that other threads and processes append to, and flush it to disk."""

from __future__ import annotations

import errno
import fcntl
import os
from threading import Lock

from msgspec import Struct, field

from ..clock import Clock

_PATIENCE = 56  # tries, the last fifty a tenth of a second apart


class Batch(Struct, eq=False):
    """Lines that are written together, and what became of them; `writing` is held until then.

    `has_writer` is whether a thread is sure to write them, `flushed` whether it flushes the file.
    """

    lines: list[bytes] = []
    writing: Lock = field(default_factory=Lock)
    has_writer: bool = False
    flushed: bool = False
    failure: str | None = "the write was interrupted"

    def wait(self) -> None:
        """Return when the lines are written, and on disk if `flushed`; raise OSError if not."""
        with self.writing:
            pass
        if self.failure is not None:
            raise OSError(self.failure)


class Writer:
    """Writes to a file: one append, and at most one flush, for the lines that wait then.

    A line that is to be flushed is written by its thread, with the others of its batch, once the
    batch before is written. The thread of any other line does not wait: where another thread is
    writing, that one writes the line as well.
    """

    def __init__(self) -> None:
        self._lock = Lock()
        self._disk = Lock()
        self._open = Batch()
        self._writers = 0
        self._size = 0  # of the file, when this process wrote to it last

    def add(self, descriptor: int, line: bytes, clock: Clock, *, flushed: bool) -> Batch:
        """Append a line; return the batch that it is in, which another thread may write."""
        with self._lock:
            batch = self._open
            if not batch.lines:
                batch.writing.acquire()
            batch.lines.append(line)
            batch.flushed = batch.flushed or flushed
            mine = self._take(batch) if flushed or not self._writers else None
        error: BaseException | None = None
        while mine:
            try:
                self._write(descriptor, mine, clock)
            except BaseException as raised:  # what was left to this thread is still to be written
                error = raised
            with self._lock:
                self._writers -= 1
                mine = None if self._writers else self._take(self._open)
        if error:
            raise error
        return batch

    def _take(self, batch: Batch) -> Batch | None:
        """Return the batch if this thread is to write it."""
        if batch.has_writer or not batch.lines:
            return None
        batch.has_writer = True
        self._writers += 1
        return batch

    def _write(self, descriptor: int, batch: Batch, clock: Clock) -> None:
        try:
            with self._disk:
                self._close(batch)
                self._append(descriptor, b"".join(batch.lines), clock)
                if batch.flushed:
                    os.fsync(descriptor)
                batch.failure = None
        except OSError as error:
            batch.failure = explain(error)
        finally:
            self._close(batch)  # also after an interrupt: others must not wait for it
            batch.writing.release()

    def _close(self, batch: Batch) -> None:
        """Add no more lines to a batch."""
        with self._lock:
            if self._open is batch:
                self._open = Batch()

    def _append(self, descriptor: int, data: bytes, clock: Clock) -> None:
        """Append whole lines; raise OSError.

        They begin on a line of their own even where another process, which may have run out of
        disk, wrote only a part of its last one.
        """
        take_lock(descriptor, fcntl.LOCK_EX, clock)
        try:
            size = os.fstat(descriptor).st_size
            known = size in (0, self._size)
            is_complete = known or os.pread(descriptor, 1, size - 1) == b"\n"
            whole = data if is_complete else b"\n" + data
            written = os.write(descriptor, whole)
        finally:
            fcntl.flock(descriptor, fcntl.LOCK_UN)
        if written != len(whole):
            raise OSError("the disk is full")
        self._size = size + written


_REGISTRY = Lock()
_WRITERS: dict[tuple[int, int], Writer] = {}  # by device and inode; few in a process


def find_writer(descriptor: int) -> Writer:
    """Return the writer that all who write to a file share."""
    file = os.fstat(descriptor)
    with _REGISTRY:
        return _WRITERS.setdefault((file.st_dev, file.st_ino), Writer())


def take_lock(lock: int, kind: int, clock: Clock) -> None:
    """Lock a file that others lock for moments only; raise OSError after five seconds."""
    for n in range(_PATIENCE):
        try:
            return fcntl.flock(lock, kind | fcntl.LOCK_NB)
        except BlockingIOError:
            clock.sleep(min(0.1, 0.001 * 2**n))
    raise OSError("another process holds journal.lock")


def explain(error: OSError) -> str:
    """Return the reason of an error; the system's own for a link is misleading."""
    return "it is a symbolic link" if error.errno == errno.ELOOP else error.strerror or str(error)
