"""The running emulator: faults, time, hooks, edits in the dashboard, and the log of requests."""

import io
import threading

import pytest
from emulator.client import METERS, PRICES, Connection, head, meter, raw

from reconciler.emulator import (
    Announcer,
    Phase,
    RequestError,
    Server,
    SettingError,
    Settings,
    open_state,
    parse_moment,
)
from reconciler.emulator.messages import Request


@pytest.mark.parametrize("spec", ["reset", "reset:after", "timeout=0s", "timeout=0s:after"])
def test_a_dropped_connection_is_reset(server, connection, spec):
    server.arm(spec + ":times=1")
    with pytest.raises(ConnectionResetError) as caught:
        connection.post(**meter())
    assert caught.type is ConnectionResetError  # not RemoteDisconnected, an orderly end
    assert len(server.store.ledger.meters) == ("after" in spec)
    assert server.log.posts[0].status is None


def test_faults_apply_over_http_until_they_are_disarmed(server, connection):
    server.arm("429:reason=global-rate:should_retry=true")
    response = connection.get()
    assert (response.status, response.headers["Stripe-Should-Retry"]) == (429, "true")
    assert response.headers["Stripe-Rate-Limited-Reason"] == "global-rate"
    server.disarm()
    assert connection.get().status == 200
    with pytest.raises(SettingError):
        server.arm("nonsense")


def test_every_delay_uses_the_clock(clock):
    """Latency before and after the effect, and silence before a reset."""
    settings = Settings(latency=3.0)
    with open_state() as store, Server(store, settings, clock=clock) as server:
        server.arm("latency=2s:after", "timeout=50s:after:n=2")
        connection = Connection(server)
        assert connection.post(**meter()).json["created"] == clock.now() - 2
        assert clock.slept == [3.0, 2.0]
        with pytest.raises(ConnectionResetError):
            connection.get()
        assert clock.slept[2:] == [3.0, 52.0]


def test_closing_ends_delayed_requests():
    with open_state() as store, Server(store) as server:
        server.arm("timeout=60s")
        reached = threading.Event()
        server.reached = lambda moment: reached.set()
        errors = []

        def ask():
            try:
                raw(server, head("GET"), shut=False)
            except OSError as error:
                errors.append(type(error))

        client = threading.Thread(target=ask)
        client.start()
        reached.wait(5)
        server.close()
        client.join(5)
        assert errors == [ConnectionResetError]


def test_a_hook_is_called_before_and_after_the_effect(server, connection):
    """It may edit the account at that moment."""
    moments = []

    def reached(moment):
        moments.append((moment.number, moment.phase, len(server.store.ledger.meters)))
        if moment.number == 2 and moment.phase is Phase.BEFORE:
            server.edit(METERS, meter("by_hand"))

    server.reached = reached
    connection.get()
    assert connection.post(**meter("by_hand")).status == 400
    assert moments == [(1, "before", 0), (1, "after", 0), (2, "before", 0), (2, "after", 1)]


def test_the_events_of_an_edit_name_no_request(server, connection):
    """Neither a request id nor a key; it is not in the log."""
    path = f"{METERS}/{server.edit(METERS, meter('by_hand'))['id']}"
    server.edit(f"{path}/deactivate")
    asked = {"currency": "usd", "product_data": {"name": "Calls"}, "unit_amount": 5}
    server.edit(PRICES, asked)
    assert connection.get(path).json["status"] == "inactive"
    events = connection.get("/v1/events", type="billing.meter.*").json["data"]
    assert [event["request"] for event in events] == [{"id": None, "idempotency_key": None}] * 2
    assert [entry.path for entry in server.log] == [path, "/v1/events"]
    with pytest.raises(RequestError, match="No such billing meter"):
        server.edit(f"{METERS}/mtr_nope/deactivate")


def test_the_log_has_every_request(server, connection):
    for _ in range(2):
        connection.post(key="k", **meter("a"))
    connection.get(limit=3)
    connection.send("GET", f"{METERS}?limit=%ff")
    assert [(e.number, e.method, e.key, e.status, e.replayed) for e in server.log] == [
        (1, "POST", "k", 200, False),
        (2, "POST", "k", 200, True),
        (3, "GET", None, 200, False),
        (4, "GET", None, 400, False),
    ]
    assert server.log.posts[0].params == meter("a")
    assert [e.params for e in server.log.matching("GET", "/v1/billing/*")] == [{"limit": "3"}, {}]
    server.log.clear()
    assert not len(server.log)


def test_a_port_in_use_is_an_error(server):
    with pytest.raises(OSError, match="in use"), open_state() as store:
        Server(store, port=server.port).start()


def test_an_announcer_pauses_until_a_line_is_read(server, connection):
    """It writes one line for each moment."""
    out = io.StringIO()
    waiting, signal = threading.Event(), threading.Event()

    class Signals(io.StringIO):
        def readline(self, *_):
            waiting.set()
            signal.wait(5)
            return "go\n"

    server.reached = Announcer(out, Signals(), [parse_moment("1:after")])
    answers = []
    client = threading.Thread(target=lambda: answers.append(connection.get()))
    client.start()
    assert waiting.wait(5)
    assert out.getvalue() == f"reached 1 before GET {METERS}\nreached 1 after GET {METERS}\n"
    assert not answers
    signal.set()
    client.join(5)
    assert answers[0].status == 200


@pytest.mark.parametrize("word", ["", "7", "before", "7:during", "x:after"])
def test_an_invalid_moment_is_reported(word):
    with pytest.raises(SettingError, match="7:before or 7:after"):
        parse_moment(word)


def test_concurrent_clients_are_served_one_after_the_other(server):
    """Eight threads create the same meters: one succeeds each, with one event."""
    statuses = []

    def create():
        connection = Connection(server)
        statuses.extend([connection.post(**meter(f"m{n}")).status for n in range(10)])
        connection.close()

    threads = [threading.Thread(target=create) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (statuses.count(200), statuses.count(400)) == (10, 70)
    assert len(server.store.ledger.events) == 10
    assert sorted(entry.number for entry in server.log) == list(range(1, 81))


def test_the_log_has_no_parameters_of_a_body_that_was_not_read():
    """A form is refused, even if it reads as JSON."""
    form = {
        "content-type": "application/x-www-form-urlencoded",
        "authorization": "Bearer sk_test_1",
    }
    server = Server(open_state(None))
    answer = server.exchange(
        Request("POST", "/v2/billing/meter_events", "", form, b'{"event_name": "searches"}')
    )
    (entry,) = server.log.posts
    assert (answer.status, entry.status, entry.params) == (400, 400, {})
    assert "sk_test_1" not in repr(entry)
