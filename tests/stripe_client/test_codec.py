"""Parse the API's JSON: what is required, what is tolerated."""

from __future__ import annotations

import pytest
from stripe_client.scripted import Scripted, a_meter, http, to

from reconciler.model.meter import ExistingMeter
from reconciler.stripe.client import Meters
from reconciler.stripe.codec import MalformedError, parse_meter
from reconciler.stripe.errors import UnexpectedAnswerError


def test_unknown_fields_and_values_are_accepted():
    existing = parse_meter(
        a_meter(status="paused", default_aggregation={"formula": "max", "x": 1}, new=[1])
    )
    assert (existing.status, existing.active, existing.default_aggregation.formula) == (
        "paused",
        False,
        "max",
    )


@pytest.mark.parametrize(
    "change",
    [
        *({name: None} for name in a_meter() if name != "event_time_window"),
        {"id": ""},
        {"id": "mtr/../x"},
        {"id": ".."},
        {"id": "mtr\x1b[2J"},
        {"id": 7},
        {"display_name": ["x"]},
        {"display_name": "\ud800"},
        {"created": "yesterday"},
        {"created": True},
        {"created": 1.5},
        {"created": -1},
        {"updated": 10**30},
        {"livemode": "false"},
        {"status": 1},
        {"event_time_window": {}},
        {"status_transitions": []},
        {"status_transitions": {"deactivated_at": "now"}},
        {"default_aggregation": {}},
        {"default_aggregation": "sum"},
        {"customer_mapping": {"type": "by_id"}},
        {"value_settings": {"event_payload_key": None}},
    ],
    ids=str,
)
def test_a_malformed_meter_is_an_error(change, clock):
    """It names the field and the request."""
    body = a_meter(**change)
    with pytest.raises(
        MalformedError, match=next(iter(change)) + r"|deactivated_at|formula|type|key"
    ):
        parse_meter(body)
    with (
        Scripted(lambda _: http(200, body)) as server,
        Meters.over(to(server, clock)) as meters,
        pytest.raises(UnexpectedAnswerError) as caught,
    ):
        meters.get("mtr_1")
    assert (caught.value.diagnostic.code, caught.value.request_id) == ("S021", "req_1")


def test_results_are_frozen():
    existing = parse_meter(a_meter())
    assert isinstance(existing, ExistingMeter)
    with pytest.raises(AttributeError):
        existing.status = "inactive"
