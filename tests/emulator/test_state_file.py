"""The state file: what is kept, one process at a time, and which files are never changed."""

import hashlib
import os
import signal
import socket
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest
from emulator.client import METERS, Account, Connection, meter

from reconciler.emulator import Server, Settings, StateError, open_state
from reconciler.emulator.state import State
from reconciler.emulator.storage.state_file import VERSION

ROOT = Path(__file__).parents[2]
COMPANIONS = ("-wal", "-shm", "-journal")


def open_account(store):
    return Account(State(store.ledger, Settings()))


def names(store):
    return [each["event_name"] for each in store.ledger.meters.values()]


def beside(path, suffix):
    return path.with_name(path.name + suffix)


def run_child(code, *words):
    """Run Python code in a process of its own."""
    command = [sys.executable, "-c", code, *map(str, words)]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "state" / "local.json"


def test_the_seed_is_loaded_once_and_again_on_a_reset(path):
    """A file that exists keeps its own data until then."""
    seed = {"meters": [meter("seeded")]}
    with open_state(path, seed) as store:
        assert store.is_new
        open_account(store).post(**meter("later"))
    with open_state(path, seed) as store:
        assert (store.is_new, names(store)) == (False, ["seeded", "later"])
        store.replace(*store.reload())
        assert names(store) == ["seeded"]


def test_everything_is_kept(path):
    """Objects in their order, events, stored replies and the counts of ids."""
    with open_state(path) as store:
        before = open_account(store)
        for n in range(5):
            before.post(key=f"k{n}", **meter(f"m{n}"))
        before.post(f"{METERS}/{before.meters[2]['id']}/deactivate")
    assert os.listdir(path.parent) == [path.name]
    with open_state(path) as reopened:
        after = open_account(reopened)
        assert after.meters == before.meters
        assert after.events == before.events
        assert after.post(key="k0", **meter("m0")).replayed
        new = after.post(**meter("m5"))
        assert new.json["id"] not in {each["id"] for each in before.meters}
        ids = {event["request"]["id"] for event in before.events}
        assert new.headers["Request-Id"] not in ids
        assert after.get().ids[1:] == [each["id"] for each in reversed(before.meters)]


def test_expired_replies_are_dropped(path):
    with open_state(path) as store:
        emulated = open_account(store)
        emulated.post(key="old", **meter("a"))
        emulated.now += 24 * 3600
        emulated.post(key="new", **meter("b"))
    with open_state(path) as store:
        assert list(store.ledger.replies) == ["new"]


def test_the_seed_is_read_only_for_a_new_account(path):
    with open_state(path, {"meters": [meter("a")]}) as store:
        open_account(store).post(**meter("b"))
    with open_state(path, "no such file") as store:
        assert names(store) == ["a", "b"]
    path.unlink()
    with open_state(path, {"account": {"livemode": True}, "meters": [meter("c")]}):
        pass
    with open_state(path) as store:
        assert names(store) == ["c"]
        assert store.ledger.account.livemode is True


_OPENS = """
import sys
from reconciler.emulator import StateError, open_state
try:
    open_state(sys.argv[1])
except StateError as error:
    print(error)
"""


def test_one_process_at_a_time(path):
    """A second store in the same process is refused as well."""
    with open_state(path) as store:
        with pytest.raises(StateError, match=r"local\.json: another process is using"):
            open_state(path)
        assert "local.json: another process is using" in run_child(_OPENS, path).stdout
        open_account(store).post(**meter("a"))
    assert run_child(_OPENS, path).stdout == ""
    with open_state(path) as store:
        assert names(store) == ["a"]


_IMPORTS = """
import os, resource, signal, sys
sys.path.insert(0, "tests")
from emulator.client import Connection, meter
from reconciler.emulator import Server, open_state
"""
_CREATES = f"""{_IMPORTS}
with Server(open_state(sys.argv[1])) as server:
    for n in range(40):
        assert Connection(server).post(**meter(f"m{{n}}")).status == 200
    os.kill(os.getpid(), signal.SIGKILL)
"""


def test_a_killed_process_loses_nothing_that_it_answered(path):
    """And its lock is released."""
    assert run_child(_CREATES, path).returncode == -signal.SIGKILL
    assert beside(path, "-wal").stat().st_size
    with open_state(path) as store:
        assert names(store) == [f"m{n}" for n in range(40)]
        assert len(store.ledger.events) == 40


def test_a_log_without_its_database_is_refused(path):
    """SQLite would apply it to the new account."""
    run_child(_CREATES, path)
    path.unlink()
    log = beside(path, "-wal")
    kept = log.read_bytes()
    with pytest.raises(StateError, match=r"local\.json-wal: was not created by"):
        open_state(path)
    assert (path.exists(), log.read_bytes()) == (False, kept)


_FILLS = f"""{_IMPORTS}
with open_state(sys.argv[1]) as store, Server(store) as server:
    resource.setrlimit(resource.RLIMIT_FSIZE, (150_000, resource.RLIM_INFINITY))
    connection = Connection(server)
    for n in range(100):
        response = connection.post(**meter(f"m{{n}}"))
        print(response.status, n, response.json.get("error", {{}}).get("message", ""), sep="|")
    listed = connection.get(limit=100).ids
    connection.close()
    print("listed", len(listed), "", sep="|")
"""


def test_requests_are_refused_when_the_disk_is_full(path):
    """A 500 has no effect, and each 200 is in the file."""
    child = run_child(_FILLS, path)
    *answers, (_, listed, _) = [line.split("|") for line in child.stdout.splitlines()]
    assert {status for status, _, _ in answers} == {"200", "500"}
    messages = {message for _, _, message in answers if message}
    assert all(each.startswith(f"Nothing was changed: {path}: cannot be") for each in messages)
    created = [f"m{n}" for status, n, _ in answers if status == "200"]
    assert int(listed) == len(created)
    with open_state(path) as store:
        assert names(store) == created


_RECOVERS = f"""{_IMPORTS}
with open_state(sys.argv[1]) as store, Server(store) as server:
    connection = Connection(server)
    resource.setrlimit(resource.RLIMIT_FSIZE, (60_000, resource.RLIM_INFINITY))
    print([connection.post(**meter(f"m{{n}}")).status for n in range(8)])
    connection.close()
"""


def test_the_log_gives_way_where_there_is_no_room_for_it(path):
    """It holds the pages of every change; a few changes fit into a small database."""
    assert run_child(_RECOVERS, path).stdout == f"{[200] * 8}\n"
    with open_state(path) as store:
        assert names(store) == [f"m{n}" for n in range(8)]


_STAYS_FULL = f"""{_IMPORTS}
with open_state(sys.argv[1]) as store, Server(store) as server:
    connection = Connection(server)
    resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, 50_000))
    print(sum(connection.post(**meter(f"m{{n}}")).status == 200 for n in range(20)))
    connection.close()
"""


def test_a_state_that_is_only_complete_with_its_log_is_read(path):
    """What a full disk left behind is neither lost nor taken for another program's file."""
    stored = int(run_child(_STAYS_FULL, path).stdout)
    assert 0 < stored < 20
    assert beside(path, "-wal").exists()
    with open_state(path) as store:
        assert names(store) == [f"m{n}" for n in range(stored)]
    assert os.listdir(path.parent) == [path.name]


def test_no_file_is_left_where_there_is_no_room_for_it(path):
    code = "import resource, sys\nresource.setrlimit(resource.RLIMIT_FSIZE, (9, 9))\n" + _OPENS
    assert "local.json: cannot keep the emulator's state here" in run_child(code, path).stdout
    assert os.listdir(path.parent) == []


def test_a_state_that_cannot_be_stored_is_a_500(path, capfd):
    """Also in the log of requests, and without a traceback."""
    with open_state(path) as store, Server(store) as server:
        store.close()
        connection = Connection(server)
        response = connection.post(**meter())
        connection.close()
        assert (response.status, response.error["type"]) == (500, "api_error")
        assert "cannot be read or written" in response.error["message"]
        assert server.log.posts[0].status == 500
        with pytest.raises(StateError):
            server.edit(METERS, meter())
        assert not store.ledger.meters
    assert capfd.readouterr().err == ""


def database(path, application_id=0, version=VERSION):
    """Create an SQLite database as another program does."""
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(
            f"PRAGMA application_id = {application_id}; PRAGMA user_version = {version}; "
            "CREATE TABLE theirs (a)"
        )


OURS = 0x4D745265
FOREIGN = {
    "empty": (lambda path: path.write_bytes(b""), "is not an emulator state file"),
    "text": (lambda path: path.write_text('{"version": 1}'), "is not an emulator state file"),
    "database": (database, "is not an emulator state file"),
    "version": (lambda path: database(path, OURS, 1), "has state version 1, this program reads 3"),
    "tables": (lambda path: database(path, OURS), "is not an emulator state file"),
}


def test_other_tables_are_another_version(path):
    """So that a file with former tables is refused by its version."""
    with (
        open_state(path),
        closing(sqlite3.connect(f"file:{path}?mode=ro&immutable=1", uri=True)) as made,
    ):
        tables = "\n".join(sql for (sql,) in made.execute("SELECT sql FROM sqlite_schema") if sql)
    assert (VERSION, hashlib.sha256(tables.encode()).hexdigest()[:8]) == (3, "65df1838")


@pytest.mark.parametrize("kind", FOREIGN)
def test_a_file_of_another_program_is_not_changed(path, kind):
    """However often it is tried; the error says what to do."""
    make, complaint = FOREIGN[kind]
    path.parent.mkdir()
    make(path)
    before = path.read_bytes()
    for _ in range(2):
        with pytest.raises(StateError) as caught:
            open_state(path)
        assert f"local.json: {complaint}" in str(caught.value)
        assert "delete the file to start with a new account" in str(caught.value)
    assert path.read_bytes() == before
    assert os.listdir(path.parent) == [path.name]


def test_a_damaged_state_is_an_error(path):
    """Not an incomplete account."""
    with open_state(path, {"meters": [meter(f"m{n}") for n in range(99)]}):
        pass
    path.write_bytes(path.read_bytes()[:9000])
    with pytest.raises(StateError, match=r"local\.json: is not an emulator state file"):
        open_state(path)


@pytest.mark.parametrize("suffix", COMPANIONS)
@pytest.mark.parametrize("exists", [False, True], ids=["new", "existing"])
def test_companions_of_another_program_are_refused(path, suffix, exists):
    """Links, their targets and files that an emulator did not create are not changed."""
    if exists:
        open_state(path).close()
    path.parent.mkdir(exist_ok=True)
    target = path.parent / "app.log"
    target.write_text("precious")
    companion = beside(path, suffix)
    companion.symlink_to(target)
    with pytest.raises(StateError, match=rf"local\.json{suffix}: .*not a regular file"):
        open_state(path)
    companion.unlink()
    companion.write_text("precious")
    if exists and suffix == "-shm":  # a regular one is neither read nor written
        open_state(path).close()
    else:
        with pytest.raises(StateError, match=rf"local\.json{suffix}: was not created by"):
            open_state(path)
    assert (target.read_text(), companion.read_text()) == ("precious", "precious")
    assert path.exists() == exists


def bind(path):
    with socket.socket(socket.AF_UNIX) as server:
        os.chdir(path.parent)
        server.bind(path.name)


@pytest.mark.parametrize(
    "make",
    [
        Path.mkdir,
        os.mkfifo,
        bind,
        lambda path: path.symlink_to("target"),
        lambda path: path.symlink_to("nowhere"),
    ],
    ids=["folder", "pipe", "socket", "link", "dangling link"],
)
def test_only_a_regular_file_is_opened(path, make, monkeypatch):
    """Without waiting for the other end of a pipe, and without following a link."""
    path.parent.mkdir()
    monkeypatch.chdir(path.parent)
    open_state(path.parent / "target").close()
    make(path)
    with pytest.raises(StateError, match=r"local\.json: .*not a regular file"):
        open_state(path)
    assert sorted(os.listdir(path.parent)) == ["local.json", "target"]


def test_files_with_similar_names_are_not_changed(path):
    """`app` beside `app.log`, and characters with a meaning in a URI."""
    path.parent.mkdir()
    neighbour = path.parent / "app.log"
    neighbour.write_text("precious")
    for name in ("app", "a?mode=ro#x%20"):
        with open_state(path.parent / name) as store:
            open_account(store).post(**meter("a"))
        with open_state(path.parent / name) as store:
            assert names(store) == ["a"]
    assert neighbour.read_text() == "precious"
    assert sorted(os.listdir(path.parent)) == ["a?mode=ro#x%20", "app", "app.log"]


def test_sqlite_is_imported_only_for_a_state_file():
    code = (
        "import sys; from reconciler.emulator import open_state; open_state(); "
        "print('sqlite3' in sys.modules)"
    )
    assert run_child(code).stdout == "False\n"
