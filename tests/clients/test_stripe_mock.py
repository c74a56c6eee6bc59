"""Stripe's `stripe-mock`: our client's requests against its schema; it keeps nothing.

It answers `livemode: true` to a test key, and any id with the same object.
"""

import re
import subprocess
from contextlib import contextmanager
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from clients.openapi import STRIPE_MOCK, VERSION
from clients.stacks import install_go

from reconciler.stripe.client import Events, Meters, Prices
from reconciler.stripe.errors import InvalidRequestError
from reconciler.stripe.transport import Transport
from reconciler.stripe.usage.client import MeterEvents
from reconciler.stripe.usage.objects import UsageEvent


@contextmanager
def serving():
    """Run stripe-mock on a free port, and yield its address."""
    program = install_go(STRIPE_MOCK, VERSION)
    child = subprocess.Popen(
        [program, "-http-addr", "127.0.0.1:0"],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        assert child.stdout
        for line in child.stdout:
            if found := re.search(r"HTTP at address: (\S+)", line):
                yield f"http://{found[1]}"
                return
        raise AssertionError("stripe-mock did not start")
    finally:
        child.terminate()
        child.communicate(timeout=10)


@pytest.mark.full
def test_every_request_of_the_client_is_valid():
    """Every call that a run makes, and one that stripe-mock refuses."""
    with serving() as url, Transport("sk_test_123", api_base=url) as transport:
        meters = Meters.over(transport)
        asked = {"formula": "sum"}
        made = meters.create(event_name="a", display_name="A", default_aggregation=asked)
        for call in (meters.get, meters.deactivate, meters.reactivate):
            assert call(made.id).status in ("active", "inactive")
        assert meters.update(made.id, display_name="Other").id == made.id
        assert [each.livemode for each in meters.everything()] == [True]
        assert isinstance(Prices(transport).in_use((made.id,)), tuple)
        events = Events(transport).all(types=("billing.meter.created",), since=1)
        assert next(events)
        with pytest.raises(InvalidRequestError):
            transport.post("/v1/billing/meters", {"event_nam": "x"}, "key")


@pytest.mark.full
def test_every_request_of_the_usage_client_is_valid():
    """stripe-mock has API v1 only."""
    with serving() as url, Transport("sk_test_123", api_base=url) as transport:
        events = MeterEvents.over(transport)
        payload = {"stripe_customer_id": "cus_1", "value": Decimal(3)}
        given = UsageEvent(event_name="a", payload=payload, timestamp=datetime.now(UTC))
        assert events.send(given).identifier
        assert events.cancel(event_name="a", identifier=given.identifier).type == "cancel"
        day = {"start_time": 1_789_948_800, "end_time": datetime.fromtimestamp(1_790_035_200, UTC)}
        asked = {"customer": "cus_1", "value_grouping_window": "hour", **day}
        (found,) = Meters.over(transport).event_summaries("mtr_1", **asked)
        assert found.aggregated_value >= 0
        with pytest.raises(InvalidRequestError):
            transport.post("/v1/billing/meter_events", {"event_name": "x"}, "key")
