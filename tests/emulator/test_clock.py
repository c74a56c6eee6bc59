"""The clock of an account can be moved forward: what takes time happens as if it had passed."""

from email.utils import parsedate_to_datetime

import pytest
from emulator.client import DAY, METERS, meter

from reconciler.emulator import Server, SettingError, open_state


@pytest.fixture
def server(clock):
    with open_state() as store, Server(store, clock=clock) as running:
        yield running


def test_objects_are_created_at_the_time_of_the_account(server, connection, clock):
    before = connection.post(**meter()).json["created"]
    assert server.advance(35 * DAY) == clock.now() + 35 * DAY
    assert connection.post(**meter("b")).json["created"] == before + 35 * DAY
    assert server.edit(METERS, meter("c"))["created"] == before + 35 * DAY


def test_answers_are_dated_by_the_account(server, connection):
    """As what they create: a client that compares both finds no difference."""
    server.advance(35 * DAY)
    made = connection.post(**meter())
    assert parsedate_to_datetime(made.headers["date"]).timestamp() == made.json["created"]


def test_replies_expire_after_a_day(server, connection):
    path = connection.create()
    assert connection.post(f"{path}/deactivate", "k").status == 200
    assert connection.post(f"{path}/deactivate", "k").replayed
    server.advance(DAY)
    assert not connection.post(f"{path}/deactivate", "k").replayed


def test_events_expire_after_thirty_days(server, connection):
    connection.create()
    server.advance(30 * DAY)
    assert len(connection.get("/v1/events").json["data"]) == 1
    server.advance(1)
    assert connection.get("/v1/events").json["data"] == []


def test_a_restart_keeps_the_time(tmp_path, clock):
    for moved in (1, 2):
        with open_state(tmp_path / "state") as store, Server(store, clock=clock) as server:
            assert server.advance(DAY) == clock.now() + moved * DAY


@pytest.mark.parametrize("seconds", [-1, float("nan"), float("inf")])
def test_it_is_moved_forward_only(server, seconds):
    with pytest.raises(SettingError, match="only forward"):
        server.advance(seconds)
    assert server.now() == server.clock.now()
