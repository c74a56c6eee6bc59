"""The control path: faults, switches, keys, the clock, the state and the log, over HTTP."""

import json
from http.client import HTTPConnection

import pytest
from emulator.client import METERS, Connection, meter
from hypothesis import given
from hypothesis import strategies as st

from reconciler.emulator import ControlledServer, Fault, Kind, Phase, Server, StateError, open_state
from reconciler.emulator.requests.faults import OPTIONS

SEED = {"meters": [meter("seats", id="mtr_1")]}


class Control:
    """A client of the control path, and one of the API."""

    def __init__(self, server):
        self.server = server
        self.api = Connection(server)
        self.http = HTTPConnection("127.0.0.1", server.port, timeout=5)

    def ask(self, method, part="", body=None, kind="application/json"):
        text = None if body is None else body if isinstance(body, str) else json.dumps(body)
        path = f"/_emulator/{part}".rstrip("/")
        self.http.request(method, path, text, {"Content-Type": kind} if text else {})
        response = self.http.getresponse()
        return response.status, json.load(response)

    def set(self, part, **body):
        status, answer = self.ask("POST", part, body)
        assert status == 200, answer
        return answer

    def get(self, part=""):
        return self.ask("GET", part)[1]


@pytest.fixture
def control(clock):
    with (
        open_state(None, SEED) as store,
        ControlledServer(store, clock=clock) as server,
    ):
        client = Control(server)
        yield client
        client.http.close()
        client.api.close()


def test_it_is_off_unless_asked_for(server, connection):
    """And says so; a key is needed all the same."""
    for path in ("/_emulator", "/_emulator/state"):
        response = connection.get(path)
        assert (response.status, "--control" in response.error["message"]) == (404, True)
    assert connection.get("/_emulators").error["message"].startswith("Unrecognized request URL")
    assert Server.exchange is not ControlledServer.exchange


def test_an_overview(control):
    shown = control.get()
    assert (shown["url"], shown["requests"]) == (control.server.url, 0)
    assert shown["accounts"] == ["acct_1EmulatedAccount"]
    assert (shown["faults"], shown["switches"]["name_scope"]) == ([], "active")


def test_faults_are_added_counted_and_removed(control):
    """A fault with a mistake adds none of its request."""
    added = control.set("faults", add=["500:after:post=1", "latency=250ms:path=/v1/events"])
    assert [each["fault"] for each in added["faults"]][1] == "latency=250ms:path=/v1/events"
    assert control.api.post(**meter("a")).status == 500
    (first, _) = control.get("faults")["faults"]
    assert (first["matched"], first["applied"]) == (1, 1)
    assert control.ask("POST", "faults", {"add": ["reset", "nonsense"]})[0] == 400
    assert len(control.get("faults")["faults"]) == 2
    assert control.ask("DELETE", "faults") == (200, {"faults": []})
    assert control.api.post(**meter("b")).status == 200


def test_switches_are_set_and_restored(control):
    control.set("switches", **{"name-scope": "all", "rate_limit": 2.5, "latency": "250ms"})
    shown = control.get("switches")["switches"]
    assert (shown["name_scope"], shown["rate_limit"], shown["latency"]) == ("all", "2.5", "0.25s")
    restored = control.set("switches", name_scope=None, rate_limit=None, latency=None)
    assert (restored["switches"]["name_scope"], restored["switches"]["rate_limit"]) == (
        "active",
        None,
    )
    status, answer = control.ask("POST", "switches", {"name_scope": "some"})
    assert (status, "active, all" in answer["error"]["message"]) == (400, True)


def test_every_switch_can_be_read_and_written_back(control):
    shown = control.get("switches")["switches"]
    assert control.set("switches", **shown)["switches"] == shown
    assert set(shown) >= {"name_scope", "latency", "endpoint_rate_limit", "chance_seed"}


def test_keys_are_replaced(control):
    """An expired one among others; without accepted ones any other key is accepted."""
    control.set("keys", expired=["sk_test_emulator"])
    assert control.api.get().error["code"] == "api_key_expired"
    control.api.headers["authorization"] = "Bearer sk_test_other"
    assert control.api.get().status == 200
    control.set("keys", accepted=["rk_test_reader=plan_read"])
    assert control.api.get().status == 401
    assert "rk_test_reader" not in json.dumps(control.get())


def test_the_clock_moves_forward(control, clock):
    assert control.get("clock") == {"now": clock.now(), "ahead": 0.0}
    assert control.set("clock", advance="24h")["ahead"] == 24 * 3600
    assert control.set("clock", advance=60)["now"] == clock.now() + 24 * 3600 + 60
    assert control.api.post(**meter("late")).json["created"] == int(clock.now()) + 86_460
    for wrong in (-1, "24 hours", True, None, [], "1e9d"):
        assert control.ask("POST", "clock", {"advance": wrong})[0] == 400
    assert control.ask("POST", "clock", '{"advance": NaN}')[0] == 400


def test_the_state_is_shown_changed_and_reset(control):
    """A change sets any field, past every check and without an event; a reset plants the seed."""
    strange = {"id": "mtr_1", "livemode": True, "dimension_payload_keys": ["region"]}
    changed = control.set("state", meters=[strange])
    assert changed["meters"][0]["event_name"] == "seats"
    shown = control.api.get(f"{METERS}/mtr_1").json
    assert (shown["livemode"], shown["dimension_payload_keys"]) == (True, ["region"])
    control.api.post(key="k", **meter("calls"))
    (account,) = control.get("state")["accounts"]
    assert [each["event_name"] for each in account["meters"]] == ["seats", "calls"]
    assert len(account["events"]) == 1
    status, answer = control.ask("DELETE", "state")
    assert (status, len(answer["accounts"][0]["meters"])) == (200, 1)
    assert "livemode" in control.api.get(f"{METERS}/mtr_1").json
    assert not control.api.post(key="k", **meter("calls")).replayed


def test_a_reset_ends_what_is_in_progress_and_is_kept(tmp_path):
    """A request in progress can store nothing; the file has the seed, request ids go on."""
    path = tmp_path / "state.db"
    with open_state(path, SEED) as store, ControlledServer(store) as server:
        connection = Connection(server)
        first = connection.post(**meter("calls")).headers["Request-Id"]
        server.reached = lambda moment: server.reset() if moment.phase is Phase.BEFORE else None
        failed = connection.post(**meter("more"))
        assert (failed.status, failed.error["code"]) == (500, "state_not_stored")
        server.reached = lambda moment: None
        last = connection.post(**meter("last")).headers["Request-Id"]
        assert len({first, last, failed.headers["Request-Id"]}) == 3
        connection.close()
    with open_state(path) as store:
        assert [each["event_name"] for each in store.ledger.meters.values()] == ["seats", "last"]


def test_a_reset_that_cannot_be_stored_changes_nothing(tmp_path, monkeypatch):
    with open_state(tmp_path / "state.db", SEED) as store, ControlledServer(store) as server:
        control = Control(server)
        control.api.post(**meter("calls"))

        def fail(*_):
            raise StateError("the disk is full")

        monkeypatch.setattr(type(store), "_write_all", fail)
        assert control.ask("DELETE", "state")[0] == 500
        assert len(control.api.get().json["data"]) == 2
        assert control.api.post(**meter("more")).status == 200
        control.http.close()
        control.api.close()


def test_an_edit_is_made_as_by_the_dashboard(control):
    """Its event names no request; it is refused as the API would."""
    made = control.set("edits", path=f"{METERS}/mtr_1/deactivate")
    assert made["status"] == "inactive"
    (event,) = control.api.get("/v1/events").json["data"]
    assert event["request"] == {"id": None, "idempotency_key": None}
    for wrong in (
        {"path": f"{METERS}/mtr_9/deactivate"},
        {"path": METERS, "params": {"nonsense": 1}},
        {"path": METERS, "account": "acct_9"},
        {"path": 7},
        {},
    ):
        assert control.ask("POST", "edits", wrong)[0] == 400


@pytest.mark.parametrize("header", ["stripe-account", "stripe-context"])
def test_a_listed_request_has_its_connected_account(header, control):
    """Also of one that the platform does not have."""
    control.api.headers[header] = "acct_2"
    assert control.api.get().status == 403
    (entry,) = control.get("requests")["requests"]
    assert entry["account"] == "acct_2"


def test_the_requests_are_listed(control):
    """Only those to the API; they have no secrets."""
    control.api.get(limit=3)
    (entry,) = control.get("requests")["requests"]
    assert (entry["method"], entry["path"], entry["status"]) == ("GET", METERS, 200)
    assert entry["params"] == {"limit": "3"}
    assert entry["account"] is None
    assert control.ask("DELETE", "requests") == (200, {"requests": []})
    assert control.get()["requests"] == 1


@pytest.mark.parametrize(
    ("method", "part", "body", "status"),
    [
        ("GET", "nope", None, 404),
        ("PUT", "faults", None, 405),
        ("POST", "", None, 405),
        ("POST", "faults", "{", 400),
        ("POST", "faults", "[]", 400),
        ("POST", "faults", "\xff", 400),
        ("POST", "faults", "[" * 100_000, 400),
        ("POST", "faults", {"add": "reset"}, 400),
        ("POST", "faults", {"add": [1]}, 400),
        ("POST", "faults", {"ad": ["reset"]}, 400),
        ("POST", "keys", {"accepted": ["hello"]}, 400),
        ("POST", "switches", {"noun": ["x"]}, 400),
        ("POST", "switches", {"nonsense": None}, 400),
        ("POST", "state", {"usage": []}, 400),
        ("POST", "state", {"meters": [{"id": "mtr_9"}]}, 400),
        ("POST", "state", {"meters": ["mtr_1"]}, 400),
        ("POST", "state", {"meters": {}}, 400),
        ("POST", "state", {"account": "acct_9"}, 400),
    ],
)
def test_what_it_does_not_understand_is_named(control, method, part, body, status):
    answered, answer = control.ask(method, part, body)
    assert answered == status
    assert answer["error"]["message"]
    assert control.api.get().status == 200


def test_a_form_is_refused(control):
    """A page of another origin can send one without asking."""
    for kind in ("application/x-www-form-urlencoded", "text/plain"):
        assert control.ask("POST", "faults", '{"add": ["reset"]}', kind)[0] == 415
    assert control.get("faults") == {"faults": []}


_OPTIONS = {
    "number": st.integers(0, 9),
    "nth": st.integers(0, 9),
    "method": st.sampled_from(["GET", "POST"]),
    "path": st.just("/v1/*"),
    "account": st.just("acct_1"),
    "chance": st.floats(0, 1),
    "times": st.integers(0, 9),
    "reason": st.just("global-rate"),
    "code": st.just("lock_timeout"),
    "status": st.integers(200, 599),
    "should_retry": st.just("true"),
}


@given(
    st.sampled_from(sorted(set(Kind) - {Kind.DUPLICATE})),
    st.sampled_from(Phase),
    st.integers(0, 10**6),
    st.fixed_dictionaries({}, optional=_OPTIONS),
)
def test_a_fault_is_written_as_it_is_parsed(kind, phase, milliseconds, options):
    assert set(_OPTIONS) == {field for field, _ in OPTIONS.values()}
    fault = Fault(kind=kind, phase=phase, **options)
    if kind in (Kind.LATENCY, Kind.TIMEOUT):
        fault = Fault(kind=kind, phase=phase, wait=milliseconds / 1000, **options)
    assert Fault.parse(str(fault)) == fault
