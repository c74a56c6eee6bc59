"""Sums of usage: periods, windows, formulas, and how long usage takes to appear in them."""

import itertools

import pytest
from emulator.client import CUSTOMERS, DAY, START, account
from hypothesis import given
from hypothesis import strategies as st

MIDNIGHT = int(START) // DAY * DAY
HOUR = 3600
PERIOD = {"customer": "cus_1", "start_time": MIDNIGHT, "end_time": MIDNIGHT + DAY}


def make(formula="sum", window=None, **settings):
    """An account with a meter, and the path of its sums."""
    one = account(seed={"customers": CUSTOMERS}, **settings)
    more = {"event_time_window": window} if window else {}
    return one, one.create(default_aggregation={"formula": formula}, **more)


def rows(one, path, **more):
    """Start, end and value of each sum, the times in hours since midnight."""
    found = one.get(f"{path}/event_summaries", **(PERIOD | more))
    assert found.status == 200, found.body
    return [
        (
            *((each[name] - MIDNIGHT) / HOUR for name in ("start_time", "end_time")),
            each["aggregated_value"],
        )
        for each in found.json["data"]
    ]


def test_a_sum_has_the_shape_of_the_api():
    one, path = make()
    one.use(2)
    page = one.get(f"{path}/event_summaries", **PERIOD).json
    (found,) = page["data"]
    assert found.pop("id").startswith("mtrusg_test_")
    assert found == {
        "object": "billing.meter_event_summary",
        "aggregated_value": 2,
        "end_time": MIDNIGHT + DAY,
        "livemode": False,
        "meter": path.split("/")[-1],
        "start_time": MIDNIGHT,
    }
    assert page["url"] == f"{path}/event_summaries"
    assert page["has_more"] is False


@pytest.mark.parametrize(("formula", "value"), [("sum", 16), ("count", 4), ("last", 5)])
def test_the_formula_of_the_meter_decides(formula, value):
    """The last value is that of the latest time, and of those the one that arrived last."""
    one, path = make(formula)
    now = int(START)
    for number, moment in ((1, now - 60), (3, now), (5, now), (7, now - 120)):
        one.use(number, timestamp=moment)
    assert one.sums(path) == [value]


def test_the_start_of_a_period_counts_and_its_end_does_not():
    one, path = make()
    noon = MIDNIGHT + 12 * HOUR
    for value, moment in ((1, noon - 1), (10, noon), (100, noon + 59), (1000, noon + 60)):
        one.use(value, timestamp=moment)
    assert rows(one, path, start_time=noon, end_time=noon + 60)[0][2] == 110
    assert rows(one, path, start_time=noon + 60)[0][2] == 1000


def test_whether_the_end_counts_is_a_switch():
    one, path = make(summary_end="inclusive")
    noon = MIDNIGHT + 12 * HOUR
    for value, moment in ((1, noon - 1), (10, noon), (100, noon + 1)):
        one.use(value, timestamp=moment)
    assert rows(one, path, end_time=noon)[0][2] == 11
    hourly = {"end_time": noon, "value_grouping_window": "hour"}
    assert rows(one, path, **hourly) == [(11, 12, 11)]


def test_windows_are_listed_newest_first():
    one, path = make()
    for value, hour in ((1, 3), (2, 3.5), (4, 5), (8, 13.9)):
        one.use(value, timestamp=int(MIDNIGHT + hour * HOUR))
    hourly = rows(one, path, value_grouping_window="hour")
    assert hourly == [(13, 14, 8), (5, 6, 4), (3, 4, 3)]
    assert rows(one, path, value_grouping_window="day") == [(0, 24, 15)]
    two_days = {"start_time": MIDNIGHT - DAY, "value_grouping_window": "day"}
    one.use(16, timestamp=MIDNIGHT - 1)
    assert rows(one, path, **two_days) == [(0, 24, 15), (-24, 0, 16)]


def test_windows_without_usage_are_a_switch():
    one, path = make(empty_summaries="zero")
    assert rows(one, path) == [(0, 24, 0)]
    one.use(4, timestamp=MIDNIGHT + HOUR)
    half = {"end_time": MIDNIGHT + 3 * HOUR, "value_grouping_window": "hour"}
    assert rows(one, path, **half) == [(2, 3, 0), (1, 2, 4), (0, 1, 0)]
    ages = {"start_time": 0, "end_time": MIDNIGHT + 90 * DAY, "value_grouping_window": "day"}
    assert one.get(f"{path}/event_summaries", limit=100, **PERIOD | ages).json["has_more"] is False


def test_pages_hold_each_window_once():
    one, path = make()
    for hour in range(14):
        one.use(hour, timestamp=MIDNIGHT + hour * HOUR)
    asked = PERIOD | {"value_grouping_window": "hour", "limit": 6}
    found, more = [], {}
    for _ in itertools.count():
        page = one.get(f"{path}/event_summaries", **asked, **more).json
        found += [each["aggregated_value"] for each in page["data"]]
        if not page["has_more"]:
            break
        more = {"starting_after": page["data"][-1]["id"]}
    assert found == list(range(13, -1, -1))
    back = one.get(f"{path}/event_summaries", ending_before=page["data"][0]["id"], **asked).json
    assert [each["aggregated_value"] for each in back["data"]] == [7, 6, 5, 4, 3, 2]


@pytest.mark.parametrize(
    ("wrong", "param"),
    [
        ({"start_time": MIDNIGHT + 1}, "start_time"),
        ({"end_time": MIDNIGHT + 90}, "end_time"),
        ({"end_time": MIDNIGHT}, "end_time"),
        ({"end_time": MIDNIGHT - 60}, "end_time"),
        ({"start_time": MIDNIGHT + 60, "value_grouping_window": "hour"}, "start_time"),
        ({"end_time": MIDNIGHT + HOUR, "value_grouping_window": "day"}, "end_time"),
        ({"value_grouping_window": "week"}, "value_grouping_window"),
        ({"customer": "nobody"}, "customer"),
        ({"limit": 101}, "limit"),
        ({"starting_after": "mtrusg_1"}, "starting_after"),
        ({"event_name": "searches"}, "event_name"),
    ],
)
def test_a_period_that_does_not_fit_is_refused(wrong, param):
    one, path = make()
    refused = one.get(f"{path}/event_summaries", **(PERIOD | wrong))
    assert (refused.status, refused.error["param"]) == (400, param)


@pytest.mark.parametrize("missing", sorted(PERIOD))
def test_customer_and_period_are_required(missing):
    one, path = make()
    asked = {name: value for name, value in PERIOD.items() if name != missing}
    refused = one.get(f"{path}/event_summaries", **asked)
    assert (refused.error["param"], refused.error["code"]) == (missing, "parameter_missing")


def test_an_unknown_meter_has_no_sums():
    one, _ = make()
    assert one.get("/v1/billing/meters/mtr_0/event_summaries", **PERIOD).status == 404


def test_usage_can_take_a_while_to_appear():
    one, path = make(usage_lag=30.0)
    one.use(3)
    assert rows(one, path) == []
    one.now += 30
    assert rows(one, path) == [(0, 24, 3)]


@pytest.mark.parametrize(("setting", "value"), [("last", 7), ("all", 10)])
def test_the_last_event_of_each_window_of_the_meter_counts(setting, value):
    one, path = make("sum", "hour", windowed_usage=setting)
    for number, minute in ((1, 0), (2, 59), (5, 61), (2, 10)):
        one.use(number, timestamp=MIDNIGHT + minute * 60)
    assert rows(one, path)[0][2] == value


@given(
    st.lists(st.tuples(st.integers(0, DAY - 1), st.integers(-9, 9)), max_size=10),
    st.sampled_from(["sum", "count"]),
    st.sampled_from(["omit", "zero"]),
)
def test_the_windows_add_up_to_the_period(events, formula, empty):
    one, path = make(formula, empty_summaries=empty)
    one.now = float(MIDNIGHT + DAY)
    for moment, value in events:
        one.use(value, timestamp=MIDNIGHT + moment)
    whole = rows(one, path)
    hourly = rows(one, path, value_grouping_window="hour", limit=100)
    assert sum(value for *_, value in whole) == sum(value for *_, value in hourly)
    assert len(hourly) == (24 if empty == "zero" else len({moment // HOUR for moment, _ in events}))
    assert all(end - start == 1 for start, end, _ in hourly)
