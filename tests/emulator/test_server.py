"""The running emulator: faults, time, moments, edits by hand, and what it remembers."""

import io
import threading

import pytest
from emulator.asking import METERS, form, meter
from emulator.talking import ask, head, opened, raw

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


@pytest.mark.parametrize("spec", ["reset", "reset:after", "timeout=0s", "timeout=0s:after"])
def test_a_dropped_connection_is_reset(server, connection, spec):
    """No answer at all; with or without the effect."""
    server.arm(spec + ":times=1")
    with pytest.raises(ConnectionResetError):
        ask(connection, "POST", body=form(meter()))
    assert len(server.store.ledger.meters) == ("after" in spec)
    assert server.log.posts[0].status is None


def test_faults_travel_over_http(server, connection):
    """Statuses, headers and bodies as the core made them; none when they are put out of force."""
    server.arm("429:reason=global-rate:should_retry=true")
    status, headers, _ = ask(connection)
    assert (status, headers["Stripe-Rate-Limited-Reason"]) == (429, "global-rate")
    assert headers["Stripe-Should-Retry"] == "true"
    server.disarm()
    assert ask(connection)[0] == 200
    with pytest.raises(SettingError):
        server.arm("nonsense")


def test_waiting_is_the_clocks_business(clock):
    """Latency on both sides of the effect, and silence, all on the injected clock."""
    settings = Settings(latency=3.0)
    with open_state() as store, Server(store, settings, clock=clock) as server:
        server.arm("latency=2s:after", "timeout=50s:after:n=2")
        talk = opened(server)
        assert ask(talk, "POST", body=form(meter()))[2]["created"] == clock.now() - 2
        assert clock.slept == [3.0, 2.0]
        with pytest.raises(ConnectionResetError):
            ask(talk)
        assert clock.slept[2:] == [3.0, 52.0]


def test_closing_wakes_what_sleeps():
    """A server with a hanging request ends at once."""
    with open_state() as store, Server(store) as server:
        server.arm("timeout=60s")
        reached = threading.Event()
        server.reached = lambda moment: reached.set()
        asking = threading.Thread(target=raw, args=(server, head("GET")), kwargs={"shut": False})
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(threading, "excepthook", lambda failure: None)  # its client is reset
            asking.start()
            reached.wait(5)
            server.close()
            asking.join(5)
        assert not asking.is_alive()


def test_the_moments_of_a_request_are_reported(server, connection):
    """Before its effect and after it, answer not yet sent; a hook may edit at that moment."""
    moments = []

    def reached(moment):
        moments.append((moment.number, moment.phase, len(server.store.ledger.meters)))
        if moment.number == 2 and moment.phase is Phase.BEFORE:
            server.edit(METERS, meter("by_hand"))

    server.reached = reached
    ask(connection)
    assert ask(connection, "POST", body=form(meter("by_hand")))[0] == 400
    assert moments == [(1, "before", 0), (1, "after", 0), (2, "before", 0), (2, "after", 1)]


def test_an_edit_by_hand_names_no_request(server, connection):
    """Its events have neither a request id nor a key; it is not in the log."""
    made = server.edit(METERS, meter("by_hand"))
    server.edit(f"{METERS}/{made['id']}/deactivate")
    server.edit("/v1/prices", {"currency": "usd", "product": "prod_1", "unit_amount": 5})
    assert ask(connection, path=f"{METERS}/{made['id']}")[2]["status"] == "inactive"
    events = ask(connection, path="/v1/events?type=billing.meter.*")[2]["data"]
    assert [event["request"] for event in events] == [{"id": None, "idempotency_key": None}] * 2
    assert [entry.path for entry in server.log] == [f"{METERS}/{made['id']}", "/v1/events"]
    with pytest.raises(RequestError, match="No such billing meter"):
        server.edit(f"{METERS}/mtr_nope/deactivate")


def test_the_log_tells_what_was_asked(server, connection):
    """Number, method, path, parameters, key, status and whether it was a replay."""
    for _ in range(2):
        ask(connection, "POST", body=form(meter("a")), **{"Idempotency-Key": "k"})
    ask(connection, path=f"{METERS}?limit=3")
    ask(connection, path=f"{METERS}?limit=%ff")
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


def test_a_taken_port_is_an_error(server):
    """OSError, for the caller to explain."""
    with pytest.raises(OSError, match="in use"), open_state() as store:
        Server(store, port=server.port).start()


def test_an_announcer_tells_another_process_and_waits_for_its_sign(server, connection):
    """One line a moment; at a held one the request goes on when a line comes back."""
    out = io.StringIO()
    waiting, sign = threading.Event(), threading.Event()

    class Signs(io.StringIO):
        def readline(self, *_):
            waiting.set()
            sign.wait(5)
            return "go\n"

    server.reached = Announcer(out, Signs(), [parse_moment("1:after")])
    answers = []
    asking = threading.Thread(target=lambda: answers.append(ask(connection)))
    asking.start()
    assert waiting.wait(5)
    assert out.getvalue() == f"reached 1 before GET {METERS}\nreached 1 after GET {METERS}\n"
    assert not answers
    sign.set()
    asking.join(5)
    assert answers[0][0] == 200


@pytest.mark.parametrize("word", ["", "7", "before", "7:during", "x:after"])
def test_a_moment_is_a_number_and_a_side(word):
    """Anything else says how to write one."""
    with pytest.raises(SettingError, match="7:before or 7:after"):
        parse_moment(word)


def test_many_clients_at_once_each_get_their_own(server):
    """Eight threads create under one name: one succeeds, and every event is there once."""
    statuses = []

    def create():
        talk = opened(server)
        forms = [form(meter(f"m{n}")) for n in range(10)]
        statuses.extend([ask(talk, "POST", body=each)[0] for each in forms])
        talk.close()

    threads = [threading.Thread(target=create) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (statuses.count(200), statuses.count(400)) == (10, 70)
    assert len(server.store.ledger.events) == 10
    assert sorted(entry.number for entry in server.log) == list(range(1, 81))
