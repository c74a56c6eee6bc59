"""What a program may give for an event, and the text that is sent."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from stripe_client.usage import event

from reconciler import ServiceError, UsageEvent
from reconciler.timestamps import LATEST, format_moment, parse_moment


@pytest.mark.parametrize(
    ("value", "sent"),
    [
        (3, "3"),
        (-2, "-2"),
        ("007", "007"),
        ("", ""),
        (Decimal("1E+3"), "1000"),
        (Decimal("3.00"), "3"),
        (Decimal("-0"), "0"),
        (Decimal("0.10"), "0.10"),
        (Decimal("1E-7"), "0.0000001"),
        (10**99, "1" + 99 * "0"),
    ],
)
def test_values_are_sent_as_exact_text(value, sent):
    assert event(value).texts["value"] == sent


@given(
    st.decimals(allow_nan=False, allow_infinity=False, places=6) | st.integers(-(10**30), 10**30)
)
def test_no_value_is_changed(value):
    text = event(value).texts["value"]
    assert Decimal(text) == value
    assert "E" not in text


@pytest.mark.parametrize(
    ("wrong", "why"),
    [
        (
            {"payload": {"value": 1.5}},
            "'value' in the payload is of type float: use int, Decimal or str",
        ),
        ({"payload": {"value": True}}, "is a bool"),
        ({"payload": {"value": None}}, "of type NoneType"),
        ({"payload": {"value": Decimal("NaN")}}, "is not finite"),
        ({"payload": {"value": Decimal("1E+999999")}}, "more than 100 digits"),
        ({"payload": {"value": Decimal("1E-999999")}}, "more than 100 digits"),
        ({"payload": {"value": 10**5000}}, "more than 100 digits"),
        ({"payload": {"value": "\ud800"}}, "lone surrogate"),
        ({"payload": {"": "1"}}, "a key of the payload is empty"),
        ({"payload": {1: "1"}}, "a key of the payload is of type int"),
        ({"payload": [("value", 1)]}, "the payload is of type list"),
        ({"identifier": ""}, "identifier is empty"),
        ({"identifier": None}, "identifier is of type NoneType"),
        ({"event_name": ""}, "event_name is empty"),
        ({"timestamp": datetime(2026, 11, 4)}, "has no time zone"),
        ({"timestamp": float("nan")}, "timestamp is nan"),
        ({"timestamp": -1}, "timestamp is -1"),
        ({"timestamp": 1_790_000_000_000}, "not a time in Unix seconds"),
        ({"timestamp": True}, "is a bool"),
        ({"timestamp": "now"}, "of type str: use datetime or Unix seconds"),
    ],
)
def test_what_cannot_be_sent_is_refused_when_the_event_is_made(wrong, why):
    with pytest.raises(ServiceError, match="S045") as caught:
        event(**wrong)
    assert why in str(caught.value)


def test_an_event_does_not_change_with_what_it_was_made_of():
    payload = {"value": 1}
    made = UsageEvent(event_name="a", payload=payload)
    payload["value"] = 2
    assert made.texts == {"value": "1"}


def test_each_event_has_an_identifier_of_its_own():
    assert len({event().identifier for _ in range(50)}) == 50


def test_a_time_counts_in_its_zone():
    noon = datetime(2026, 11, 4, 12, tzinfo=UTC)
    there = noon.astimezone(timezone(timedelta(hours=-5)))
    assert event(timestamp=noon).seconds == event(timestamp=there).seconds == 1_793_793_600


@given(st.integers(0, LATEST * 1000))
def test_moments_are_read_as_they_are_written(milliseconds):
    seconds = milliseconds / 1000
    written = format_moment(seconds)
    assert len(written) == len("2026-11-04T14:02:00.250Z")
    assert parse_moment(written) == pytest.approx(seconds, abs=1e-4)


@pytest.mark.parametrize(
    "text", ["", "2026-11-04", "2026-11-04T14:02:00", "now", "2026-13-04T00:00:00Z"]
)
def test_what_is_no_moment(text):
    assert parse_moment(text) is None
