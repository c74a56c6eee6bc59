"""Meter events of API v1: what counts, what is refused at once, and what is reported later."""

import pytest
from emulator.client import CUSTOMERS, DAY, METERS, START, USAGE, account
from hypothesis import given
from hypothesis import strategies as st

from reconciler.emulator.messages import Request

ADJUSTMENTS = "/v1/billing/meter_event_adjustments"
PAYLOAD = {"stripe_customer_id": "cus_1", "value": "1"}


def make(more=None, **settings):
    """An account with the meter `searches`, and the path of the meter."""
    one = account(seed={"customers": CUSTOMERS}, **settings)
    return one, one.create(**(more or {}))


def test_an_event_is_answered_as_it_was_sent():
    one, path = make()
    sent = one.use(25, identifier="id_1", timestamp=int(START) - 60)
    assert sent.status == 200
    assert sent.json == {
        "object": "billing.meter_event",
        "created": START,
        "event_name": "searches",
        "identifier": "id_1",
        "livemode": False,
        "payload": {"stripe_customer_id": "cus_1", "value": "25"},
        "timestamp": START - 60,
    }
    assert one.sums(path) == [25]


def test_the_identifier_and_the_time_have_defaults():
    one, _ = make()
    first, second = one.use().json, one.use().json
    assert first["timestamp"] == START
    assert len(first["identifier"]) == 36
    assert first["identifier"] != second["identifier"]


def test_usage_is_summed_for_each_customer_and_meter():
    one, path = make()
    other = one.create("seats")
    for value, customer in ((2, "cus_1"), (3, "cus_2"), (5, "cus_1"), (-1, "cus_1")):
        one.use(value, customer)
    one.use(100, event_name="seats")
    assert (one.sums(path), one.sums(path, "cus_2")) == ([6], [3])
    assert (one.sums(other), one.sums(other, "cus_2")) == ([100], [])


def test_the_keys_of_the_payload_are_those_of_the_meter():
    mapping = {"type": "by_id", "event_payload_key": "who"}
    one, path = make({"customer_mapping": mapping, "value_settings": {"event_payload_key": "n"}})
    one.use(payload={"who": "cus_1", "n": "7", "value": "100", "region": "eu"})
    assert one.sums(path) == [7]


REJECTED = [
    ({"event_name": "nope"}, "no_meter", False),
    ({"timestamp": int(START) - 35 * DAY - 1}, "timestamp_too_far_in_past", True),
    ({"timestamp": int(START) + 301}, "timestamp_in_future", True),
    ({"payload": {"value": "1"}}, "meter_event_no_customer_defined", True),
    ({"payload": {"customer": "cus_1", "value": "1"}}, "meter_event_no_customer_defined", True),
    ({"customer": "nobody"}, "meter_event_customer_not_found", True),
    ({"payload": {"stripe_customer_id": "cus_1"}}, "meter_event_invalid_value", True),
    ({"value": "many"}, "meter_event_invalid_value", True),
    ({"value": "1.5"}, "meter_event_invalid_value", True),
    ({"value": "1e3"}, "meter_event_invalid_value", True),
    ({"value": "٣"}, "meter_event_invalid_value", True),
    ({"value": "1" * 16}, "meter_event_value_too_many_digits", True),
]


@pytest.mark.parametrize(("wrong", "code", "has_meter"), REJECTED)
def test_what_is_wrong_is_reported_and_does_not_count(wrong, code, has_meter):
    one, path = make()
    one.use(3)
    sent = one.use(identifier="id_1", **wrong)
    assert sent.status == 200
    assert one.sums(path) == [3]
    meter_id = path.removeprefix(f"{METERS}/")
    kind = ("error_report_triggered", meter_id) if has_meter else ("no_meter_found", None)
    assert one.reports() == [(*kind, {code: 1})]


def test_a_deleted_customer_is_unknown():
    one, path = make()
    one.use(3)
    one.ask(Request("DELETE", "/v1/customers/cus_1", "", one.headers))
    one.use(5)
    kind = ("error_report_triggered", path.removeprefix(f"{METERS}/"))
    assert one.reports() == [(*kind, {"meter_event_customer_not_found": 1})]


@pytest.mark.parametrize(
    "allowed",
    [{"timestamp": int(START) - 35 * DAY}, {"timestamp": int(START) + 300}, {"value": "9" * 15}],
)
def test_the_limits_themselves_are_accepted(allowed):
    one, _ = make()
    assert one.use(**allowed).status == 200
    assert one.reports() == []


def test_usage_of_an_inactive_meter_is_lost():
    one, path = make()
    one.use(1)
    one.post(f"{path}/deactivate")
    assert one.use(10).status == 200
    meter_id = path.removeprefix(f"{METERS}/")
    assert one.reports() == [("error_report_triggered", meter_id, {"archived_meter": 1})]
    one.post(f"{path}/reactivate")
    assert one.sums(path) == [1]
    one.use(2)
    assert one.sums(path) == [3]


def test_of_several_meters_of_a_name_the_active_one_counts():
    one, old = make()
    one.post(f"{old}/deactivate")
    new = one.create()
    one.use(4)
    assert (one.sums(old), one.sums(new)) == ([], [4])
    assert one.reports() == []


def test_v1_can_refuse_at_once():
    one, path = make(v1_usage_errors="error")
    unknown = one.use(event_name="nope")
    assert (unknown.status, unknown.error["type"]) == (400, "invalid_request_error")
    assert unknown.error["message"] == 'No active meter found for event name "nope".'
    assert one.use("x").error["message"].startswith("Invalid value for key value: x ")
    assert (one.reports(), one.sums(path)) == ([], [])


@pytest.mark.parametrize(
    ("wrong", "param", "code"),
    [
        ({"event_name": "x" * 101}, "event_name", None),
        ({"identifier": "x" * 101}, "identifier", None),
        ({"timestamp": "today"}, "timestamp", "parameter_invalid_integer"),
        ({"payload": "x"}, "payload", None),
        ({"payload": PAYLOAD | {"meta": {"a": "b"}}}, "payload[meta]", None),
        ({"payload": PAYLOAD | {"list": ["a"]}}, "payload[list]", None),
        ({"payload": PAYLOAD | {"long": "x" * 101}}, "payload[long]", None),
        ({"metadata": {"a": "b"}}, "metadata", "parameter_unknown"),
        ({"expand": ["meter"]}, "expand", None),
    ],
)
def test_malformed_parameters_are_refused_at_once(wrong, param, code):
    one, _ = make()
    refused = one.use(**wrong)
    assert (refused.status, refused.error["param"]) == (400, param)
    assert refused.error.get("code") == code
    assert one.reports() == []


def test_the_name_and_the_payload_are_required():
    one, _ = make()
    for given_, missing in (({"payload": PAYLOAD}, "event_name"), ({"event_name": "a"}, "payload")):
        assert one.post(USAGE, **given_).error["param"] == missing


def test_an_identifier_is_unique_for_a_day():
    one, path = make()
    one.use(1, identifier="a")
    again = one.use(1, identifier="a")
    assert (again.status, again.error["type"]) == (400, "invalid_request_error")
    assert again.error["message"] == "An event already exists with identifier a."
    one.now += DAY - 1
    assert one.use(1, identifier="a").status == 400
    one.now += 1
    assert one.use(1, identifier="a").status == 200
    assert one.use(1, identifier="a").status == 400
    assert one.sums(path, end_time=int(START) // DAY * DAY + 2 * DAY) == [2]


def test_a_rejected_event_does_not_occupy_its_identifier():
    one, path = make()
    one.use("x", identifier="a")
    assert one.use(4, identifier="a").status == 200
    assert one.sums(path) == [4]


@pytest.mark.parametrize(("scope", "status"), [("account", 400), ("event_name", 200)])
def test_the_scope_of_identifiers_is_a_switch(scope, status):
    one, _ = make(identifier_scope=scope)
    one.create("seats")
    one.use(identifier="a")
    assert one.use(identifier="a", event_name="seats").status == status
    assert one.use(identifier="a").status == 400


def test_a_repeated_identifier_can_be_ignored():
    one, path = make(duplicate_identifier="ignore")
    for _ in range(2):
        assert one.use(5, identifier="a").status == 200
    assert one.sums(path) == [5]


def test_a_request_that_is_repeated_with_its_key_counts_once():
    one, path = make()
    sent = {"event_name": "searches", "payload": PAYLOAD, "identifier": "a"}
    first, again = one.post(USAGE, "k", **sent), one.post(USAGE, "k", **sent)
    assert (again.status, again.replayed, again.body) == (200, True, first.body)
    assert one.post(USAGE, "k2", **sent).status == 400
    assert one.sums(path) == [1]


def test_decimals_are_a_switch():
    one, path = make(usage_decimals="allow")
    for value in ("0.1", "0.2", "-1", "1.", ".5"):
        one.use(value)
    assert one.sums(path) == [-0.7]
    assert sum(sum(codes.values()) for *_, codes in one.reports()) == 2


def test_the_most_digits_of_a_value_are_a_switch():
    """Neither the sign nor the point counts."""
    one, path = make(usage_digits=3, usage_decimals="allow")
    for value in ("-1.25", "1000"):
        one.use(value)
    assert one.sums(path) == [-1.25]
    (report,) = one.reports()
    assert report[-1] == {"meter_event_value_too_many_digits": 1}


@pytest.mark.parametrize(("setting", "counted"), [("optional", [2]), ("required", [1])])
def test_the_events_of_a_count_need_no_value(setting, counted):
    one, path = make({"default_aggregation": {"formula": "count"}}, count_value=setting)
    one.use(40)
    one.use(payload={"stripe_customer_id": "cus_1"})
    assert one.sums(path) == counted


def cancel(one, identifier, **more):
    given_ = {"event_name": "searches", "type": "cancel", "cancel": {"identifier": identifier}}
    return one.post(ADJUSTMENTS, **(given_ | more))


def test_an_adjustment_cancels_one_event():
    one, path = make()
    one.use(3, identifier="a")
    one.use(5, identifier="b")
    cancelled = cancel(one, "a")
    assert cancelled.status == 200
    assert cancelled.json == {
        "object": "billing.meter_event_adjustment",
        "cancel": {"identifier": "a"},
        "event_name": "searches",
        "livemode": False,
        "status": "pending",
        "type": "cancel",
    }
    assert one.sums(path) == [5]
    assert one.use(1, identifier="a").status == 400


def test_an_event_can_be_cancelled_for_a_day():
    one, path = make()
    one.use(3, identifier="a")
    one.now += DAY
    cancel(one, "a")
    assert one.sums(path) == [3]
    (report,) = one.reports()
    assert report[-1] == {"invalid_cancel_configuration": 1}


@pytest.mark.parametrize(
    ("wrong", "param"),
    [
        ({"event_name": "seats"}, "cancel[identifier]"),
        ({"cancel": {"identifier": "z"}}, "cancel[identifier]"),
        ({"cancel": {"time": "1"}}, "cancel[time]"),
        ({"type": "cancel_all"}, "type"),
    ],
)
def test_an_adjustment_that_fits_no_event_is_refused_by_switch(wrong, param):
    one, path = make(cancel_unknown="error")
    one.use(3, identifier="a")
    refused = cancel(one, "a", **wrong)
    assert (refused.status, refused.error["param"]) == (400, param)
    assert one.sums(path) == [3]


def test_an_adjustment_that_fits_no_event_is_reported():
    """Of another name, of no meter, or cancelled before; the sum stays."""
    one, path = make()
    one.create("seats")
    one.use(3, identifier="a")
    for wrong in ({"event_name": "seats"}, {"event_name": "nope"}, {"cancel": {"identifier": "z"}}):
        assert cancel(one, "a", **wrong).json["status"] == "pending"
    codes = [errors for _, _, errors in one.reports()]
    invalid = {"invalid_cancel_configuration": 1}
    assert codes == [invalid, {"no_meter": 1}, invalid]
    assert one.sums(path) == [3]
    cancel(one, "a")
    cancel(one, "a")
    assert (one.sums(path), len(one.reports())) == ([], 4)


def test_an_adjustment_needs_an_identifier():
    one, _ = make()
    refused = one.post(ADJUSTMENTS, event_name="searches", type="cancel")
    assert (refused.status, refused.error["code"]) == (400, "parameter_missing")


def test_an_adjustment_of_an_unknown_event_can_be_ignored():
    one, _ = make(cancel_unknown="ignore")
    assert cancel(one, "z").status == 200
    assert one.reports() == []


@given(st.lists(st.tuples(st.sampled_from("ab"), st.integers(-99, 99)), max_size=12))
def test_the_sums_are_those_of_the_accepted_values(events):
    one, path = make()
    for n, (name, value) in enumerate(events):
        assert one.use(value, f"cus_{name}", identifier=str(n)).status == 200
    for name in "ab":
        used = [value for who, value in events if who == name]
        assert one.sums(path, f"cus_{name}") == ([sum(used)] if used else [])


def test_usage_of_a_customer_that_does_not_exist_counts_where_it_is_accepted():
    one, path = make(unknown_customer="accept")
    one.use(4, "cus_made_up")
    assert (one.sums(path, "cus_made_up"), one.reports()) == ([4], [])
