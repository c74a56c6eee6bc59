"""Append lines to a file that other threads and processes append to, and flush it to disk."""

from __future__ import annotations

import errno
import fcntl
import os
from threading import Lock

from msgspec import Struct, field

from ..clock import Clock

TURN = Lock()
"""Threads of this process take turns before they ask for the lock of a file: it has no queue."""

_PATIENCE = 56  # tries, the last fifty a tenth of a second apart


class Batch(Struct, eq=False):
    """Lines that are written together, and what became of them; `writing` is held until then."""

    lines: list[bytes] = []
    writing: Lock = field(default_factory=Lock)
    failure: str | None = "the write was interrupted"

    def wait(self) -> None:
        """Return when the lines are on disk, or raise OSError."""
        with self.writing:
            pass
        if self.failure is not None:
            raise OSError(self.failure)


class Writer:
    """Writes to a file: one append and one flush for the lines of all threads that wait then.

    The thread of the first line writes the batch, as soon as the one before is on disk.
    """

    def __init__(self) -> None:
        self._lock = Lock()
        self._disk = Lock()
        self._open = Batch()

    def flush(self, descriptor: int, line: bytes, clock: Clock) -> None:
        """Append a line, and return when it is on disk with all before it; raise OSError."""
        with self._lock:
            batch = self._open
            is_first = not batch.lines
            batch.lines.append(line)
            if is_first:
                batch.writing.acquire()
        if is_first:
            self._write(descriptor, batch, clock)
        batch.wait()

    def _write(self, descriptor: int, batch: Batch, clock: Clock) -> None:
        try:
            with self._disk:
                self._close(batch)
                append(descriptor, b"".join(batch.lines), clock)
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


_WRITERS: dict[tuple[int, int], Writer] = {}  # by device and inode; few in a process


def find_writer(descriptor: int) -> Writer:
    """Return the writer that all who write to a file share."""
    file = os.fstat(descriptor)
    with TURN:
        return _WRITERS.setdefault((file.st_dev, file.st_ino), Writer())


def append(descriptor: int, data: bytes, clock: Clock) -> None:
    """Append whole lines, which are on disk once the file is flushed; raise OSError.

    They begin on a line of their own even where another process, which may have run out of disk,
    wrote only a part of its last one.
    """
    with TURN:
        take_lock(descriptor, fcntl.LOCK_EX, clock)
        try:
            whole = data if _is_line_complete(descriptor) else b"\n" + data
            written = os.write(descriptor, whole)
        finally:
            fcntl.flock(descriptor, fcntl.LOCK_UN)
    if written != len(whole):
        raise OSError("the disk is full")


def _is_line_complete(descriptor: int) -> bool:
    size = os.fstat(descriptor).st_size
    return not size or os.pread(descriptor, 1, size - 1) == b"\n"


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
