"""The state on disk: what survives, who may open it, and what a damaged file is told."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from emulator.asking import METERS, Account, meter

from reconciler.emulator import Settings, StateError, open_state
from reconciler.emulator import storage as disk_module
from reconciler.emulator.state import State

ROOT = Path(__file__).parents[2]


def using(store):
    """The account of a store."""
    return Account(State(store.ledger, Settings()))


def crash(store):
    """Let go of a store as a killed process does: what was saved is saved, nothing is folded."""
    store.save()
    store._log.close()
    store._log = None


@pytest.fixture
def path(tmp_path):
    return tmp_path / "state" / "local.json"


@pytest.mark.parametrize("ending", [lambda store: store.close(), crash], ids=["closed", "crashed"])
def test_everything_survives(path, ending):
    """Objects in their order, events, stored replies and the counts of ids."""
    store = open_state(path)
    before = using(store)
    for n in range(5):
        before.post(key=f"k{n}", **meter(f"m{n}"))
    before.post(f"{METERS}/{before.meters[2]['id']}/deactivate")
    ending(store)
    with open_state(path) as reopened:
        after = using(reopened)
        assert after.meters == before.meters
        assert after.events == before.events
        assert "idempotent-replayed" in after.post(key="k0", **meter("m0")).headers
        new = after.post(**meter("m5"))
        assert new.json["id"] not in {each["id"] for each in before.meters}
        ids = {event["request"]["id"] for event in before.events}
        assert new.headers["Request-Id"] not in ids
        assert after.get().ids[1:] == [each["id"] for each in reversed(before.meters)]


def test_an_existing_state_does_not_look_at_the_seed(path):
    """A seed is what a new account starts from."""
    with open_state(path, {"meters": [meter("a")]}) as store:
        using(store).post(**meter("b"))
    with open_state(path, "no such file") as store:
        assert len(store.ledger.meters) == 2


def test_deleting_the_snapshot_starts_afresh(path):
    """A log that was left behind is not taken in."""
    store = open_state(path)
    using(store).post(**meter("a"))
    crash(store)
    path.unlink()
    with open_state(path, {"meters": [meter("b")]}) as again:
        assert [each["event_name"] for each in again.ledger.meters.values()] == ["b"]


@pytest.mark.parametrize("cut", [1, 20, 300])
def test_a_cut_off_last_line_is_left(path, cut):
    """It was never answered; what stands before it counts."""
    store = open_state(path)
    emulated = using(store)
    emulated.post(**meter("a"))
    emulated.post(**meter("b"))
    crash(store)
    log = path.with_name("local.json.log")
    log.write_bytes(log.read_bytes()[:-cut])
    with open_state(path) as again:
        assert [each["event_name"] for each in again.ledger.meters.values()] == ["a"]
        using(again).post(**meter("c"))
    with open_state(path) as again:
        assert len(again.ledger.meters) == 2


def test_a_crash_between_the_two_files_does_no_harm(path):
    """The log is taken in again over a snapshot that already holds it."""
    store = open_state(path)
    emulated = using(store)
    emulated.post(key="k", **meter("a"))
    emulated.post(f"{METERS}/{emulated.meters[0]['id']}/deactivate")
    store.save()
    log = path.with_name("local.json.log")
    lines = log.read_bytes()
    store.close()
    log.write_bytes(lines)
    with open_state(path) as again:
        assert list(again.ledger.meters.values()) == emulated.meters
        assert list(again.ledger.events.values()) == emulated.events


def test_a_long_log_is_folded_in_between(path, monkeypatch):
    """So that it does not grow for ever."""
    monkeypatch.setattr(disk_module, "LONGEST_LOG", 3)
    log = path.with_name("local.json.log")
    with open_state(path) as store:
        emulated = using(store)
        sizes = []
        for n in range(5):
            emulated.post(**meter(f"m{n}"))
            store.save()
            sizes.append(log.stat().st_size)
        assert sizes[2] > 0 == sizes[3] < sizes[4]
    with open_state(path) as store:
        assert len(store.ledger.meters) == 5


def test_one_process_at_a_time(path):
    """Another one is refused with the file's name, until the first has ended."""
    with open_state(path):
        with pytest.raises(StateError, match=r"local\.json: another process is using"):
            open_state(path)
        child = subprocess.run(
            [sys.executable, "-c", _OPENS, str(path)], cwd=ROOT, capture_output=True, text=True
        )
        assert child.stdout == "StateError\n"
    open_state(path).close()


_OPENS = """
import sys
from reconciler.emulator import StateError, open_state
try:
    open_state(sys.argv[1])
except StateError as error:
    print(type(error).__name__)
"""

_WRITES = """
import os, signal, sys
from reconciler.emulator import open_state
store = open_state(sys.argv[1])
store.ledger.commit({"meters": [{"id": "mtr_1"}]})
store.save()
os.kill(os.getpid(), signal.SIGKILL)
"""


def test_a_killed_process_loses_nothing_that_it_saved(path):
    """And its lock ends with it."""
    child = subprocess.run([sys.executable, "-c", _WRITES, str(path)], cwd=ROOT)
    assert child.returncode == -signal.SIGKILL
    with open_state(path) as store:
        assert list(store.ledger.meters) == ["mtr_1"]


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("", "is not the state of an emulator"),
        ("[]", "is not the state of an emulator"),
        ('{"version": 2}', "has state version 2, this program reads 1"),
        ('{"version": 1, "account": {}}', "is not the state of an emulator"),
    ],
)
def test_a_damaged_snapshot_is_an_error_and_stays(path, text, complaint):
    """It is not overwritten, and says what to do; its lock is let go."""
    path.parent.mkdir()
    path.write_text(text)
    for _ in range(2):
        with pytest.raises(StateError) as caught:
            open_state(path)
        assert f"local.json: {complaint}" in str(caught.value)
        assert "delete the file to start afresh" in str(caught.value)
    assert path.read_text() == text


def test_a_damaged_line_in_the_log_is_named(path):
    """By file and line."""
    open_state(path).close()
    log = path.with_name("local.json.log")
    log.write_text('{"meters": []}\nnonsense\n{"meters": []}\n')
    with pytest.raises(StateError, match=r"local\.json\.log:2: is not the state"):
        open_state(path)


def test_a_place_that_cannot_be_written_is_an_error(tmp_path):
    """A folder in its place, for one."""
    with pytest.raises(StateError, match="cannot keep the emulator's state here"):
        open_state(tmp_path)


def test_a_full_disk_is_an_error(path):
    """Rather than a success that is lost."""
    store = open_state(path)
    using(store).post(**meter())
    unwritable = os.open(path, os.O_RDONLY)
    os.dup2(unwritable, store._log.fileno())
    os.close(unwritable)
    for _ in range(2):
        with pytest.raises(StateError, match=r"local\.json: cannot be written"):
            store.save()
    with pytest.raises(StateError, match=r"local\.json: cannot be written"):
        store.close()
    with open_state(path) as again:
        assert len(again.ledger.meters) == 1


class Brim:
    """A log on a disk that takes only half of what it is given, once."""

    def __init__(self, log):
        self.log = log
        self.full = True

    def write(self, data):
        size = len(data) // 2 if self.full else len(data)
        self.full = False
        return self.log.write(data[:size])

    def __getattr__(self, name):
        return getattr(self.log, name)


def test_half_a_line_is_taken_back(path):
    """And the whole line is written as soon as there is room again."""
    store = open_state(path)
    store._log = Brim(store._log)
    emulated = using(store)
    emulated.post(**meter("a"))
    with pytest.raises(StateError, match="No space left"):
        store.save()
    emulated.post(**meter("b"))
    crash(store)
    with open_state(path) as again:
        assert [each["event_name"] for each in again.ledger.meters.values()] == ["a", "b"]


def test_the_snapshot_is_plain_json(path):
    """People may read it, and delete it."""
    with open_state(path, {"meters": [meter("a")]}):
        pass
    kept = json.loads(path.read_text())
    assert kept["version"] == 1
    assert kept["meters"][0]["event_name"] == "a"
    assert path.with_name("local.json.log").read_bytes() == b""
