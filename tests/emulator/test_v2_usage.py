"""Meter events of API v2: JSON, errors at once, sessions and streams."""

import json

import pytest
from emulator.client import CUSTOMERS, DAY, START, STREAM, V2_USAGE, account
from emulator.test_meter_events import PAYLOAD, REJECTED
from hypothesis import given
from hypothesis import strategies as st

from reconciler.emulator import Fault, Key
from reconciler.emulator.messages import Request

ADJUSTMENTS, SESSIONS = "/v2/billing/meter_event_adjustments", "/v2/billing/meter_event_session"
SYNC = {
    "no_meter": "no_meter",
    "meter_event_no_customer_defined": "payload_no_customer_defined",
    "meter_event_invalid_value": "payload_invalid_value",
}


def make(**settings):
    one = account(seed={"customers": CUSTOMERS}, **settings)
    return one, one.create()


def build(wrong=None):
    """The body of an event, from the parameters of one in v1."""
    more = dict(wrong or {})
    payload = PAYLOAD | {
        key: str(more.pop(name))
        for name, key in (("value", "value"), ("customer", "stripe_customer_id"))
        if name in more
    }
    if "timestamp" in more:
        seconds = more["timestamp"] - int(START)
        more["timestamp"] = {-35 * DAY - 1: "2026-08-17T14:13:19Z", 301: "2026-09-21T14:18:21Z"}[
            seconds
        ]
    return {"event_name": "searches", "payload": payload} | more


def start_session(one):
    """Use the token of a new session instead of the key."""
    made = one.post_json(SESSIONS)
    assert made.status == 200
    one.headers = {"authorization": f"Bearer {made.json['authentication_token']}"}
    return made.json


def test_an_event_is_answered_as_it_was_sent():
    one, path = make()
    more = {"identifier": "a", "timestamp": "2026-09-21T16:13:00.250+02:00"}
    sent = one.post_json(V2_USAGE, build() | more)
    assert sent.status == 200
    assert sent.json == {
        "object": "v2.billing.meter_event",
        "created": "2026-09-21T14:13:20.000Z",
        "event_name": "searches",
        "identifier": "a",
        "livemode": False,
        "payload": PAYLOAD,
        "timestamp": "2026-09-21T14:13:00.250Z",
    }
    assert one.sums(path) == [1]


@pytest.mark.parametrize(("wrong", "code", "has_meter"), REJECTED)
def test_what_has_a_code_is_refused_at_once_and_the_rest_is_reported(wrong, code, has_meter):
    one, path = make()
    sent = one.post_json(V2_USAGE, build(wrong))
    if code not in SYNC:
        assert sent.status == 200
        assert one.reports() == [("error_report_triggered", path.split("/")[-1], {code: 1})]
        assert has_meter
    else:
        missing = wrong.get("payload") == {"stripe_customer_id": "cus_1"}
        expected = "payload_no_value_defined" if missing else SYNC[code]
        assert (sent.status, sent.error["code"]) == (400, expected)
        assert set(sent.error) == {"code", "message"}
        assert one.reports() == []
    assert one.sums(path) == []


def test_an_inactive_meter_takes_no_usage():
    one, path = make()
    one.post(f"{path}/deactivate")
    refused = one.post_json(V2_USAGE, build())
    assert (refused.status, refused.error["code"]) == (400, "archived_meter")
    assert one.reports() == []


def test_an_identifier_is_unique_for_a_day_in_both_versions():
    one, _ = make()
    one.use(identifier="a")
    refused = one.post_json(V2_USAGE, build({"identifier": "a"}))
    assert (refused.status, refused.error["code"]) == (400, "duplicate_meter_event")
    one.now += DAY
    assert one.post_json(V2_USAGE, build({"identifier": "a"})).status == 200
    assert one.use(identifier="a").status == 400


@pytest.mark.parametrize(
    "wrong",
    [
        {"payload": {"stripe_customer_id": "cus_1", "value": 1}},
        {"payload": {"stripe_customer_id": "cus_1", "value": True}},
        {"payload": PAYLOAD | {"list": ["a"]}},
        {"payload": PAYLOAD | {"map": {"a": "b"}}},
        {"payload": ["a"]},
        {"payload": None},
        {"payload": PAYLOAD | {"long": "x" * 101}},
        {"event_name": 7},
        {"event_name": ""},
        {"timestamp": START},
        {"timestamp": "yesterday"},
        {"identifier": "x" * 101},
        {"livemode": False},
    ],
)
def test_malformed_events_are_refused(wrong):
    one, _ = make()
    refused = one.post_json(V2_USAGE, build() | wrong)
    assert (refused.status, refused.error["code"]) == (400, "invalid_fields")


@pytest.mark.parametrize("body", [b"{", b"[]", b"1", b"\xff", b"[" * 100_000])
def test_a_body_that_is_no_json_object_is_refused(body):
    one, _ = make()
    headers = one.headers | {"content-type": "application/json"}
    refused = one.ask(Request("POST", V2_USAGE, "", headers, body))
    assert (refused.status, refused.error["code"]) == (400, "invalid_fields")


def test_a_form_is_refused():
    one, _ = make()
    headers = one.headers | {"content-type": "application/x-www-form-urlencoded"}
    refused = one.ask(Request("POST", V2_USAGE, "", headers, b"event_name=searches"))
    assert refused.status == 400
    assert "application/json" in refused.error["message"]


def test_other_errors_have_the_shape_of_v2_too():
    one, _ = make(rate_limit=1)
    one.now += 10
    assert one.get("/v2/billing/meter_events/x").error["code"] == "not_found"
    assert one.post_json(V2_USAGE, build()).status == 200
    limited = one.post_json(V2_USAGE, build())
    assert (limited.status, limited.error["code"]) == (429, "rate_limit")
    assert limited.error["type"] == "rate_limit"
    one.headers["authorization"] = "Bearer nobody"
    refused = one.post_json(V2_USAGE, build())
    assert (refused.status, refused.error["type"]) == (401, "invalid_request_error")


@pytest.mark.parametrize(
    ("fault", "status", "code"),
    [("409:code=too_many_concurrent_requests", 409, "too_many_concurrent_requests"),
     ("429", 429, "rate_limit"), ("500", 500, None), ("503", 503, None)],
)  # fmt: skip
def test_faults_have_the_shape_of_v2(fault, status, code):
    one, path = make()
    one.state.arm(Fault.parse(f"{fault}:times=1"))
    failed = one.post_json(V2_USAGE, build(), "k")
    assert (failed.status, failed.error.get("code")) == (status, code)
    assert "doc_url" not in failed.error
    assert one.post_json(V2_USAGE, build(), "k").status == 200
    assert one.sums(path) == [1]


def test_a_success_is_replayed_and_an_error_is_not():
    one, path = make()
    first = one.post_json(V2_USAGE, build({"event_name": "seats"}), "k")
    assert first.status == 400
    one.create("seats")
    second = one.post_json(V2_USAGE, build({"event_name": "seats"}), "k")
    assert (second.status, second.replayed) == (200, False)
    third = one.post_json(V2_USAGE, build({"event_name": "seats"}), "k")
    assert (third.replayed, third.json) == (True, second.json)
    other = one.post_json(V2_USAGE, build(), "k")
    assert (other.status, other.error["type"]) == (400, "idempotency_error")
    assert one.sums(path) == []


def test_a_reply_is_kept_for_thirty_days():
    one, _ = make()
    one.post_json(V2_USAGE, build(), "k")
    one.now += 30 * DAY - 1
    assert one.post_json(V2_USAGE, build(), "k").replayed
    one.now += 1
    assert not one.post_json(V2_USAGE, build(), "k").replayed


def test_a_session_has_a_token_for_the_stream():
    one, path = make()
    session = start_session(one)
    assert session["id"].startswith("mes_")
    assert session["object"] == "v2.billing.meter_event_session"
    assert session["created"] == "2026-09-21T14:13:20.000Z"
    assert session["expires_at"] == "2026-09-21T14:28:20.000Z"
    token = one.headers
    sent = one.post_json(STREAM, {"events": [build(), build({"value": 2})]})
    assert (sent.status, sent.json) == (200, {})
    one.headers = account().headers
    assert one.sums(path) == [3]
    one.headers = token
    assert one.post_json(V2_USAGE, build()).status == 401


def test_a_session_expires_after_a_quarter_of_an_hour():
    one, _ = make()
    start_session(one)
    one.now += 15 * 60 - 1
    assert one.post_json(STREAM, {"events": [build()]}).status == 200
    one.now += 1
    refused = one.post_json(STREAM, {"events": [build()]})
    assert refused.status == 401
    assert refused.error["code"] == "billing_meter_event_session_expired"
    assert refused.error["type"] == "temporary_session_expired"


@pytest.mark.parametrize("authorization", ["Bearer sk_test_emulator", "Bearer token_test_0", ""])
def test_the_stream_takes_nothing_but_tokens(authorization):
    one, _ = make()
    one.headers = {"authorization": authorization}
    refused = one.post_json(STREAM, {"events": [build()]})
    assert refused.status == 401
    assert "meter event session" in refused.error["message"]


def test_a_stream_reports_what_is_wrong_once_for_each_meter():
    one, path = make()
    seats = one.create("seats")
    one.post(f"{seats}/deactivate")
    wrong = [
        *({"value": "x"}, {"value": "y"}, {"payload": {"value": "1"}}, {"event_name": "seats"}),
        {"event_name": "nope"},
    ]
    good = [{"identifier": "a"}, {"identifier": "a", "value": 50}, {"value": 2}]
    events = [build(each) for each in (*good, *wrong)]
    key = one.headers
    start_session(one)
    assert one.post_json(STREAM, {"events": events}).status == 200
    one.headers = key
    assert one.sums(path) == [3]
    assert sorted(one.reports(), key=str) == sorted(
        [
            ("error_report_triggered", path.split("/")[-1],
             {"meter_event_invalid_value": 2, "meter_event_no_customer_defined": 1}),
            ("error_report_triggered", seats.split("/")[-1], {"archived_meter": 1}),
            ("no_meter_found", None, {"no_meter": 1}),
        ],
        key=str,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("events", "place"),
    [([], "events"), ([{}], "events[0][event_name]"), (["a"], "events[0]"), ({}, "events"),
     ([build()] * 101, "events"), ([build(), build() | {"payload": 1}], "events[1][payload]")],
)  # fmt: skip
def test_a_malformed_stream_is_refused_as_a_whole(events, place):
    one, path = make()
    key = one.headers
    start_session(one)
    refused = one.post_json(STREAM, {"events": events})
    assert (refused.status, refused.error["code"]) == (400, "invalid_fields")
    assert refused.error["message"].startswith(place)
    one.headers = key
    assert one.sums(path) == []


def test_an_adjustment_cancels_one_event():
    one, path = make()
    one.post_json(V2_USAGE, build({"identifier": "a", "value": 3}))
    one.use(4)
    asked = {"event_name": "searches", "type": "cancel", "cancel": {"identifier": "a"}}
    cancelled = one.post_json(ADJUSTMENTS, asked)
    assert cancelled.status == 200
    assert cancelled.json | {"id": ""} == asked | {
        "id": "",
        "object": "v2.billing.meter_event_adjustment",
        "created": "2026-09-21T14:13:20.000Z",
        "livemode": False,
        "status": "pending",
    }
    assert one.sums(path) == [4]
    for wrong in (asked, asked | {"event_name": "seats"}, asked | {"cancel": {"identifier": "z"}}):
        refused = one.post_json(ADJUSTMENTS, wrong)
        assert (refused.status, refused.error["code"]) == (400, "invalid_cancel_configuration")
    for missing in asked:
        short = {name: value for name, value in asked.items() if name != missing}
        assert one.post_json(ADJUSTMENTS, short).error["code"] == "invalid_fields"


USE, READ = "billing_meter_event_write", "billing_meter_event_read"


@pytest.mark.parametrize(
    ("held", "allowed"),
    [
        ({USE}, {"v1", "v1 adjust", "v2", "v2 adjust", "session", "sums"}),
        ({READ}, {"sums"}),
        ({"event_read"}, {"events", "event"}),
        ({"billing_meter_write"}, set()),
    ],
)
def test_each_call_needs_a_permission(held, allowed):
    key = Key("rk_test_1", frozenset(held))
    one = account(seed={"customers": CUSTOMERS}, keys=(key, Key("sk_test_1")))
    one.headers["authorization"] = "Bearer sk_test_1"
    path = one.create()
    one.use("x")
    event = one.get("/v2/core/events").json["data"][0]["id"]
    one.headers["authorization"] = "Bearer rk_test_1"
    day = int(START) // DAY * DAY
    period = {"customer": "cus_1", "start_time": day, "end_time": day + DAY}
    calls = {
        "v1": lambda: one.use(),
        "v1 adjust": lambda: one.post("/v1/billing/meter_event_adjustments", event_name="a"),
        "v2": lambda: one.post_json(V2_USAGE, build()),
        "v2 adjust": lambda: one.post_json(ADJUSTMENTS, {}),
        "session": lambda: one.post_json(SESSIONS),
        "sums": lambda: one.get(f"{path}/event_summaries", **period),
        "events": lambda: one.get("/v2/core/events"),
        "event": lambda: one.get(f"/v2/core/events/{event}"),
    }
    statuses = {name: call().status for name, call in calls.items()}
    assert {name for name, status in statuses.items() if status != 403} == allowed


def test_the_token_of_a_session_works_on_a_connection(server, connection):
    """The same server answers for both hosts of Stripe's packages."""
    connection.create()
    customer = connection.post("/v1/customers").json["id"]
    made = connection.post_json(SESSIONS)
    token = {"authorization": f"Bearer {made.json['authentication_token']}"}
    body = json.dumps({"events": [build({"customer": customer})]})
    sent = connection.send(
        "POST", STREAM, body, **token, **{"content-type": "application/json",
                                          "host": "meter-events.stripe.com"}
    )  # fmt: skip
    assert (sent.status, sent.body) == (200, "{}")
    assert len(server.store.ledger.usage) == 1


def test_usage_is_that_of_the_connected_account():
    """A session is for the account that created it: the stream names none."""
    one = account(
        seed={
            "customers": CUSTOMERS,
            "accounts": [{"account": {"id": "acct_2"}, "customers": CUSTOMERS}],
        }
    )
    key = one.headers
    connected = key | {"stripe-account": "acct_2"}
    one.create()
    one.headers = connected
    path = one.create()
    start_session(one)
    events = [build({"identifier": "a"}), build({"value": "x"})]
    assert one.post_json(STREAM, {"events": events}).status == 200
    one.headers = connected
    assert one.sums(path) == [1]
    (report,) = one.get("/v2/core/events", types="v1.billing.meter.error_report_triggered").json[
        "data"
    ]
    assert report["context"] == "acct_2"
    assert one.use(identifier="a").status == 400
    one.headers = key
    assert (one.reports(), one.use(identifier="a").status) == ([], 200)


_TEXTS = st.sampled_from(["searches", "cus_1", "a", "", "2026-09-21T14:13:20Z", "cancel", "\ud800"])
_LEAVES = st.none() | st.booleans() | st.integers() | st.floats() | _TEXTS
_NAMES = st.sampled_from(
    ["event_name", "identifier", "payload", "timestamp", "events", "cancel", "type", "", "value",
     "stripe_customer_id"]
)  # fmt: skip
_JSON = st.recursive(
    _LEAVES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_NAMES, inner, max_size=4)
)


@given(_JSON, st.sampled_from([V2_USAGE, ADJUSTMENTS, SESSIONS, STREAM]))
def test_any_json_is_accepted_or_refused(body, path):
    one, _ = make()
    if path == STREAM:
        start_session(one)
    headers = one.headers | {"content-type": "application/json"}
    answer = one.ask(Request("POST", path, "", headers, json.dumps(body).encode()))
    assert answer.status in (200, 400)
    if answer.status == 400:
        assert answer.error["code"]
        assert answer.error["message"]
