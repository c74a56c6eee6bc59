"""The account's memory in two files: a snapshot at the path, and beside it a log of changes.

A change is one line of the log, whole or not at all, and is handed to the operating system
before its request is answered: killing the process loses nothing that a client saw. The
log is folded into the snapshot when the store is opened and closed.
"""

from __future__ import annotations

import errno
import fcntl
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import IO, Any, Self

from .database import Account, Ledger
from .errors import StateError
from .seed import Seed, sow

VERSION = 1
LONGEST_LOG = 10_000
"""Changes after which the log is folded into the snapshot."""


def open_state(path: str | Path | None = None, seed: Seed = None) -> Store:
    """The account kept at `path`; with None, one that lives in memory only.

    `seed` (a mapping, or the path of a JSON file) is what the account starts from where the
    file does not exist yet. Raises StateError for files that cannot be used, among them
    those that another process holds, and SeedError for a seed that describes no account.
    """
    if path is None:
        return Store(sow(seed))
    try:
        return _open(Path(path), seed)
    except OSError as error:
        raise StateError(f"{path}: cannot keep the emulator's state here: {error}") from None


class Store:
    """A ledger and where it is kept. `save` after every change; `close`, or use it in a `with`."""

    def __init__(
        self, ledger: Ledger, path: Path | None = None, log: IO[bytes] | None = None
    ) -> None:
        self.ledger = ledger
        self._path = path
        self._log = log
        self._lines = 0

    def save(self) -> None:
        """Write what has changed since the last time; raises StateError when that fails.

        What could not be written is tried again the next time.
        """
        records = self.ledger.unsaved
        if self._log is not None and records:
            lines = "".join(json.dumps(record, separators=(",", ":")) + "\n" for record in records)
            self._append(self._log, lines.encode())
            self._lines += len(records)
        records.clear()
        if self._lines > LONGEST_LOG:
            self.fold()

    def fold(self) -> None:
        """Write everything into the snapshot and empty the log; raises StateError."""
        if self._path is None or self._log is None:
            return
        draft = self._path.with_name(self._path.name + ".new")
        try:
            draft.write_text(json.dumps({"version": VERSION} | self.ledger.snapshot()), "utf-8")
            draft.replace(self._path)
            self._log.truncate(0)
        except OSError as error:
            raise self._unwritten(error) from None
        self.ledger.unsaved.clear()
        self._lines = 0

    def close(self) -> None:
        """Fold the log and let other processes have the files; twice is the same as once."""
        if self._log is not None:
            try:
                self.fold()
            finally:
                self._log.close()
                self._log = None

    def _append(self, log: IO[bytes], lines: bytes) -> None:
        """Add lines to the log, all of them or none."""
        try:
            size = log.seek(0, os.SEEK_END)
            if log.write(lines) < len(lines):
                log.truncate(size)
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        except OSError as error:
            raise self._unwritten(error) from None

    def _unwritten(self, error: OSError) -> StateError:
        return StateError(f"{self._path}: cannot be written: {error}")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _open(path: Path, seed: Seed) -> Store:
    """Lock the files, read them, and start a new life of the account."""
    path.parent.mkdir(parents=True, exist_ok=True)
    log_path = path.with_name(path.name + ".log")
    log = log_path.open("ab", buffering=0)
    try:
        _lock(log, path)
        if path.exists():
            ledger = _restored(path)
            _replay(ledger, log_path)
        else:
            ledger = sow(seed)  # a log without its snapshot tells of an account that was deleted
        ledger.opened += 1
        store = Store(ledger, path, log)
        store.fold()
    except BaseException:
        log.close()
        raise
    return store


def _lock(log: IO[bytes], path: Path) -> None:
    """One process at a time; the system lets go of the lock when the process ends."""
    try:
        fcntl.flock(log, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise StateError(
            f"{path}: another process is using this emulator state; end it, or use another file"
        ) from None


def _restored(path: Path) -> Ledger:
    """The ledger of a snapshot."""
    try:
        kept = json.loads(path.read_bytes())
        if kept["version"] != VERSION:
            raise StateError(
                f"{path}: has state version {kept['version']!r}, this program reads {VERSION}; "
                "delete the file to start afresh"
            )
        ledger = Ledger(Account(**kept["account"]))
        ledger.opened = kept["opened"]
        ledger.absorb(kept)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise _unreadable(path, error) from None
    return ledger


def _replay(ledger: Ledger, path: Path) -> None:
    """Take in the log; a last line that was cut off by a crash was never answered, and is left."""
    *lines, _cut_off = path.read_bytes().split(b"\n")
    for number, line in enumerate(lines, 1):
        try:
            record: Mapping[str, Any] = json.loads(line)
            ledger.absorb(record)
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise _unreadable(f"{path}:{number}", error) from None


def _unreadable(where: object, error: Exception) -> StateError:
    return StateError(
        f"{where}: is not the state of an emulator ({error!r}); delete the file to start afresh"
    )
