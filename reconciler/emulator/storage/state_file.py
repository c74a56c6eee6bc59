"""The account in an SQLite database, one transaction for each request that has an effect.

A transaction is in the write-ahead log before its request is answered: killing the process
loses nothing that a client has seen. Only regular files are opened, and nothing is written
before the application id of the file shows that an emulator made it.
"""

from __future__ import annotations

import contextlib
import json
import os
import sqlite3
import stat
import struct
import tempfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from functools import partial
from pathlib import Path

from msgspec import to_builtins

from ..errors import StateError
from ..messages import Json
from .database import OBJECTS, Account, Ledger, Store
from .seed import Seed, load_seed

VERSION = 3

_APPLICATION_ID = 0x4D745265
_HEADER = struct.Struct(">60xI4xI")  # of a database: the version, the application id
_WAL_MAGIC = b"\x37\x7f\x06"
_WAL_MODE = b"\2\2"  # at offset 18 of a database: its journal is a write-ahead log
_START_AFRESH = "delete the file to start with a new account, or choose another file"
_TABLES = f"""
PRAGMA application_id = {_APPLICATION_ID};
PRAGMA user_version = {VERSION};
CREATE TABLE accounts (id TEXT PRIMARY KEY, body TEXT, opened INTEGER);
CREATE TABLE made (account TEXT, kind TEXT, count INTEGER, PRIMARY KEY (account, kind));
CREATE TABLE objects (
    account TEXT, kind TEXT, id TEXT, body TEXT, PRIMARY KEY (account, kind, id)
);
CREATE TABLE replies (
    account TEXT, key TEXT, path TEXT, meaning TEXT, request_id TEXT, status INTEGER, body TEXT,
    at REAL, expires REAL, PRIMARY KEY (account, key)
);
CREATE INDEX replies_by_age ON replies (account, expires);
"""
_DELETIONS = (
    "DELETE FROM accounts",
    "DELETE FROM made",
    "DELETE FROM objects",
    "DELETE FROM replies",
)


class StateFile(Store):
    """An open state file: the `ledger` read from it, and the connection that keeps it current."""

    def __init__(self, path: Path, reload: Callable[[], list[Ledger]], *, is_new: bool) -> None:
        self._path = path
        with self._explaining_errors():
            self._connection = _connect(path, "rw")
            try:
                self._connection.execute("PRAGMA locking_mode = EXCLUSIVE")
                self._connection.execute("PRAGMA synchronous = NORMAL")
                with self._connection:
                    self._connection.execute("UPDATE accounts SET opened = opened + 1")
                super().__init__(*_read(self._connection), reload=reload, is_new=is_new)
            except BaseException:
                self._connection.close()
                raise
        self._attach(self.ledger, *self.connected.values())

    def write(self, account: str, record: Json) -> None:
        """Store what a request changed in an account, all or nothing; raises StateError.

        If there is no room, the write-ahead log is written back first, and the change is tried
        again.
        """
        with self._explaining_errors():
            try:
                self._insert(account, record)
            except sqlite3.OperationalError:
                self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
                self._insert(account, record)

    def replace(self, ledger: Ledger, *connected: Ledger) -> None:
        """Replace all data, on disk too; raises StateError and changes nothing on failure."""
        super().replace(ledger, *connected)
        self._attach(ledger, *connected)

    def _attach(self, *ledgers: Ledger) -> None:
        for ledger in ledgers:
            ledger.write = partial(self.write, ledger.account.id)

    def _write_all(self, *ledgers: Ledger) -> None:
        with self._explaining_errors(), self._connection:
            for deletion in _DELETIONS:
                self._connection.execute(deletion)
            _insert_accounts(self._connection, ledgers)

    def close(self) -> None:
        """Fold the write-ahead log into the database, and unlock it.

        Where there is no room for that, the log stays, and the next process reads both.
        """
        self._connection.close()

    def _insert(self, account: str, record: Json) -> None:
        with self._connection:
            _insert(self._connection, account, record)

    @contextlib.contextmanager
    def _explaining_errors(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as error:
            raise _describe_error(self._path, error) from None


def open_file(path: Path, seed: Seed) -> StateFile:
    """Open the state at a path, or create it from a seed; raises StateError and SeedError."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        _ignore(path.parent)
        is_new = not _check_files(path)
        if is_new:
            _create(path, *load_seed(seed))
        _check_owner(path)
        return StateFile(path, partial(load_seed, seed), is_new=is_new)
    except OSError as error:
        raise StateError(f"{path}: cannot keep the emulator's state here: {error}") from None


def _ignore(folder: Path) -> None:
    """Keep the folder of a project's own state out of commits, unless it has a `.gitignore`."""
    if folder.name == ".reconciler":
        with contextlib.suppress(FileExistsError), open(folder / ".gitignore", "x") as file:
            file.write("*\n")


def _check_files(path: Path) -> bool:
    """Return whether the database exists; refuse what SQLite must not open, write or delete."""
    exists = _is_present(path)
    for suffix in ("-wal", "-shm", "-journal"):
        companion = path.with_name(path.name + suffix)
        if not _is_present(companion):
            continue
        ours = exists and suffix != "-journal"
        if ours and suffix == "-wal":
            with companion.open("rb") as file:
                head = file.read(len(_WAL_MAGIC))
            ours = head in (b"", _WAL_MAGIC)
        if not ours:
            raise StateError(f"{companion}: was not created by an emulator; move it away")
    return exists


def _is_present(path: Path) -> bool:
    """Return whether a regular file is there; raises StateError for links, pipes and devices."""
    try:
        mode = path.lstat().st_mode
    except FileNotFoundError:
        return False
    if not stat.S_ISREG(mode):
        raise StateError(f"{path}: cannot keep the emulator's state here: not a regular file")
    return True


def _check_owner(path: Path) -> None:
    """Check that an emulator made the database, without locking it or reading its log."""
    try:
        version, owner = _read_marks(path)
    except sqlite3.Error as error:
        raise _describe_error(path, error) from None
    if owner != _APPLICATION_ID:
        raise StateError(f"{path}: is not an emulator state file; {_START_AFRESH}")
    if version != VERSION:
        raise StateError(
            f"{path}: has state version {version}, this program reads {VERSION}; {_START_AFRESH}"
        )


def _read_marks(path: Path) -> tuple[int, int]:
    """Return the version and the application id of a database.

    SQLite rejects a database that is only complete with its log, as after a full disk. It reads
    the file first all the same: closing a file ends the locks that this process has on it.
    """
    try:
        with closing(_connect(path, "ro&immutable=1")) as connection:
            (owner,) = connection.execute("PRAGMA application_id").fetchone()
            (version,) = connection.execute("PRAGMA user_version").fetchone()
            return version, owner
    except sqlite3.DatabaseError as error:
        header = path.read_bytes()[: _HEADER.size] if _is_incomplete(path, error) else b""
        if len(header) < _HEADER.size:
            raise
        return _HEADER.unpack(header)


def _is_incomplete(path: Path, error: sqlite3.Error) -> bool:
    name = getattr(error, "sqlite_errorname", "")
    return name.startswith("SQLITE_CORRUPT") and path.with_name(f"{path.name}-wal").exists()


def _create(path: Path, *ledgers: Ledger) -> None:
    """Create a complete database at the path, unless another process has done so."""
    with closing(sqlite3.connect(":memory:")) as memory:
        memory.executescript(_TABLES)
        with memory:
            _insert_accounts(memory, ledgers)
        image = bytearray(memory.serialize())
    image[18:20] = _WAL_MODE
    with tempfile.NamedTemporaryFile(dir=path.parent, prefix=f".{path.name}.") as draft:
        draft.write(image)
        draft.flush()
        os.fsync(draft.fileno())
        with contextlib.suppress(FileExistsError):
            os.link(draft.name, path)


def _connect(path: Path, mode: str) -> sqlite3.Connection:
    """Open an existing database; a lock that another process holds is not waited for."""
    uri = f"{path.absolute().as_uri()}?mode={mode}"
    return sqlite3.connect(uri, uri=True, timeout=0, check_same_thread=False)


def _insert_accounts(connection: sqlite3.Connection, ledgers: Iterable[Ledger]) -> None:
    """Add accounts with all that is in them."""
    for ledger in ledgers:
        row = (ledger.account.id, json.dumps(to_builtins(ledger.account)), ledger.opened)
        connection.execute("INSERT INTO accounts VALUES (?, ?, ?)", row)
        _insert(connection, ledger.account.id, ledger.export())


def _insert(connection: sqlite3.Connection, account: str, record: Json) -> None:
    """Add objects and replies, replace objects in their place, drop replies past their time."""
    connection.executemany(
        "INSERT INTO objects VALUES (?, ?, ?, ?) "
        "ON CONFLICT (account, kind, id) DO UPDATE SET body = excluded.body",
        (
            (account, kind, thing["id"], json.dumps(thing))
            for kind in OBJECTS
            for thing in record.get(kind, ())
        ),
    )
    for reply in record.get("replies", ()):
        connection.execute(
            "DELETE FROM replies WHERE account = ? AND expires <= ?", (account, reply["at"])
        )
        connection.execute(
            "INSERT OR REPLACE INTO replies VALUES "
            "(:account, :key, :path, :meaning, :request_id, :status, :body, :at, :expires)",
            {**reply, "account": account},
        )
    connection.executemany(
        "INSERT OR REPLACE INTO made VALUES (?, ?, ?)",
        ((account, kind, count) for kind, count in record["made"].items()),
    )


def _read(connection: sqlite3.Connection) -> list[Ledger]:
    """Read every account, and what is in it, in the order in which it was added."""
    rows = connection.execute("SELECT body, opened FROM accounts ORDER BY rowid").fetchall()
    ledgers = [Ledger(Account(**json.loads(body))) for body, _ in rows]
    for ledger, (_, opened) in zip(ledgers, rows, strict=True):
        ledger.opened = opened
        ledger.load(_read_record(connection, ledger.account.id))
    return ledgers


def _read_record(connection: sqlite3.Connection, account: str) -> Json:
    """Read one account as the change that adds all of it."""
    record: Json = {kind: [] for kind in OBJECTS}
    objects = "SELECT kind, body FROM objects WHERE account = ? ORDER BY rowid"
    for kind, body in connection.execute(objects, (account,)):
        record[kind].append(json.loads(body))
    replies = connection.execute(
        "SELECT key, path, meaning, request_id, status, body, at, expires FROM replies "
        "WHERE account = ? ORDER BY rowid",
        (account,),
    )
    names = [column[0] for column in replies.description]
    record["replies"] = [dict(zip(names, row, strict=True)) for row in replies]
    made = connection.execute("SELECT kind, count FROM made WHERE account = ?", (account,))
    record["made"] = dict(made)
    return record


def _describe_error(path: Path, error: sqlite3.Error) -> StateError:
    name = getattr(error, "sqlite_errorname", "")
    if name.startswith("SQLITE_BUSY"):
        return StateError(
            f"{path}: another process is using this emulator state; stop it, or use another file"
        )
    if name.startswith(("SQLITE_NOTADB", "SQLITE_CORRUPT")) or name == "SQLITE_ERROR":
        return StateError(f"{path}: is not an emulator state file ({error}); {_START_AFRESH}")
    return StateError(f"{path}: cannot be read or written: {error}")
