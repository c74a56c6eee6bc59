"""What an application sent, aggregated as its meter does."""

from __future__ import annotations

from decimal import Decimal

import pytest

from reconciler.testing.usage import SentEvent, explain, explain_unknown, sum_up


def send(customer="cus_1", value="1", identifier=None):
    payload = {"customer": customer, "amount": value}
    return SentEvent("calls", {k: v for k, v in payload.items() if v}, identifier)


def meter(formula="sum"):
    return {
        "customer_mapping": {"event_payload_key": "customer"},
        "value_settings": {"event_payload_key": "amount"},
        "default_aggregation": {"formula": formula},
    }


EVENTS = [send(value="3"), send(value="4"), send("cus_2", "1.5"), send(None), send(value="x")]


@pytest.mark.parametrize(
    ("formula", "totals"),
    [
        ("sum", {"cus_1": 7, "cus_2": Decimal("1.5")}),
        ("last", {"cus_1": 4, "cus_2": Decimal("1.5")}),
        ("count", {"cus_1": 3, "cus_2": 1}),
    ],
)
def test_usage_is_aggregated_for_each_customer(formula, totals):
    """Without a customer, or without a number where one is needed, an event does not count."""
    assert sum_up(EVENTS, meter(formula)) == totals


def test_an_identifier_counts_once():
    """The first event of it; events without one all count."""
    events = [send(value="3", identifier="a"), send(value="9", identifier="a")]
    assert sum_up([*events, send(), send()], meter()) == {"cus_1": 5}


@pytest.mark.parametrize(
    ("event", "code", "expected"),
    [
        (send(None), "meter_event_no_customer_defined", "no 'customer', the key of the customer"),
        (send(value=None), "meter_event_invalid_value", "no 'amount', the key of the value"),
        (send(value=None), "timestamp_in_future", "too late (timestamp_in_future)"),
        (send(value="x"), "meter_event_invalid_value", "too late (meter_event_invalid_value)"),
    ],
)
def test_a_missing_key_is_named_where_it_is_the_reason(event, code, expected):
    assert expected in explain(event, meter(), code, "too late")


def test_an_unknown_name_lists_the_declared_ones():
    assert explain_unknown("calls", ["call"]).endswith("did you mean 'call'?")
    assert explain_unknown("calls", ["b", "a"]).endswith("declared: a, b")
    assert explain_unknown("calls", []).endswith("declared: none")
