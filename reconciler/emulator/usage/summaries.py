"""Sums of usage, for a customer and a period. Source:
/v1/billing/meters/{id}/event_summaries of Stripe's specification.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable
from fractions import Fraction

from ..errors import RequestError
from ..messages import Json
from ..requests.ids import generate_object_id
from ..requests.pagination import build_list_shape, build_page_of
from ..requests.params import Choice, Text, Whole
from ..resources import meters
from ..state import Call
from .record import NEWEST, OLDEST, is_customer

URL = f"{meters.URL}/{{id}}/event_summaries"
WINDOWS = {"hour": 3600, "day": 24 * 3600}
MINUTE = 60

LIST = build_list_shape(
    (),
    {
        "customer": Text(5000, required=True),
        "end_time": Whole(0, required=True),
        "start_time": Whole(0, required=True),
        "value_grouping_window": Choice(tuple(WINDOWS)),
    },
)


def list_(call: Call) -> Json:
    """List what a customer used: one sum, or one for each hour or day, newest first."""
    meter = meters.retrieve(call)
    asked = call.params
    if not is_customer(call.ledger, call.settings, asked["customer"]):
        raise RequestError.no_such("customer", asked["customer"], "customer", 400)
    size = WINDOWS.get(asked.get("value_grouping_window", ""))
    _check_period(asked, size)
    sums = [_build_summary(call, meter, *window) for window in _sum_windows(call, meter, size)]
    url = URL.replace("{id}", meter["id"])
    return build_page_of(call, sums, "meter event summary", url, lambda each: True)


def _check_period(asked: Json, size: int | None) -> None:
    """Raise RequestError for times that are not on the boundary of a window, or out of order."""
    unit = asked.get("value_grouping_window", "minute")
    for name in ("start_time", "end_time"):
        if asked[name] % (size or MINUTE):
            raise RequestError.invalid(name, f"{name} must be aligned with {unit} boundaries.")
    if asked["start_time"] >= asked["end_time"]:
        raise RequestError.invalid("end_time", "end_time must be after start_time.")


def _sum_windows(call: Call, meter: Json, size: int | None) -> list[tuple[int, int, float]]:
    """Aggregate the usage of each window, newest first: its start, its end, its value."""
    start, end = call.params["start_time"], call.params["end_time"]
    found: dict[int, list[Json]] = defaultdict(list)
    for record in _select(call, meter):
        number = int((record["timestamp"] - start) // size) if size else 0
        if size and record["timestamp"] == end:  # where end_time counts
            number -= 1
        found[number].append(record)
    numbers = sorted(found, reverse=True)
    if call.settings.empty_summaries == "zero":
        numbers = list(_list_windows(call, meter, size))
    formula = meter["default_aggregation"]["formula"]
    windows = ((number, start + number * (size or 0)) for number in numbers)
    return [
        (first, first + size if size else end, aggregate(formula, found[number]))
        for number, first in windows
    ]


def _list_windows(call: Call, meter: Json, size: int | None) -> Iterable[int]:
    """Return the numbers of the windows that can have usage, newest first."""
    start, end = call.params["start_time"], call.params["end_time"]
    if size is None:
        return (0,)
    first = max(0, (meter["created"] - OLDEST - start) // size)
    last = min(end - start, int(call.now) + NEWEST - start)
    return reversed(range(first, math.ceil(last / size)))


def _select(call: Call, meter: Json) -> list[Json]:
    """Select what counts of the period: what is not cancelled, and has become visible."""
    visible = call.now - call.settings.usage_lag
    found = [
        record
        for record in call.ledger.usage_index.select(meter["id"], call.params["customer"])
        if not record["cancelled"] and record["received"] <= visible
    ]
    window = meter["event_time_window"]
    if window and call.settings.windowed_usage == "last":
        found = _keep_last(found, WINDOWS[window])
    return [record for record in found if _is_within(call, record["timestamp"])]


def _is_within(call: Call, moment: float) -> bool:
    """Return whether a time is within the period of the call."""
    start, end = call.params["start_time"], call.params["end_time"]
    inclusive = call.settings.summary_end == "inclusive"
    return bool(start <= moment < end or (inclusive and moment == end))


def _keep_last(records: Iterable[Json], size: int) -> list[Json]:
    """Keep the latest record of each window, for meters whose events are aggregated before."""
    latest: dict[int, Json] = {}
    for record in sorted(records, key=lambda each: each["timestamp"]):
        latest[int(record["timestamp"] // size)] = record
    return list(latest.values())


def aggregate(formula: str, records: list[Json]) -> int | float:
    """Aggregate records in the order of arrival; nothing gives 0."""
    if formula == "count":
        return len(records)
    if formula == "last":
        records = sorted(records, key=lambda each: each["timestamp"])[-1:]
    total = sum((Fraction(each["value"]) for each in records), Fraction(0))
    return int(total) if total.denominator == 1 else float(total)


def _build_summary(call: Call, meter: Json, start: int, end: int, value: float) -> Json:
    mode = "live" if meter["livemode"] else "test"
    salt = f"{meter['id']}/{call.params['customer']}/{start}/{end}"
    return {
        "id": generate_object_id("mtrusg", mode, salt, 0),
        "object": "billing.meter_event_summary",
        "aggregated_value": value,
        "end_time": end,
        "livemode": meter["livemode"],
        "meter": meter["id"],
        "start_time": start,
    }
