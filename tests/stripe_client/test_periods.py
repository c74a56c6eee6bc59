"""The current billing periods of prices."""

from __future__ import annotations

import pytest
from stripe_client.scripted import a_list, http, scripted

from reconciler.model.subscription import BillingPeriod, PricePeriods
from reconciler.stripe.billing.periods import Periods
from reconciler.stripe.errors import UnexpectedAnswerError


def an_item(price="price_1", **fields):
    period = {"current_period_start": 20, "current_period_end": 30}
    return {"id": "si_1", "price": {"id": price}, "created": 10, **period, **fields}


def a_subscription(*items, **fields):
    known = {"id": "sub_1", "status": "active", "start_date": 5}
    return {**known, "items": {"data": list(items)}, **fields}


def read(clock, subscription, *, has_more=False):
    with scripted(clock, http(200, a_list(subscription, has_more=has_more))) as (_, transport):
        return Periods(transport).of_prices(("price_1",))


@pytest.mark.parametrize(
    ("fields", "began"),
    [({}, 10), ({"start_date": 15}, 15), ({"start_date": None}, 10)],
)
def test_a_period_is_of_the_item_with_the_price(fields, began, clock):
    """The price is in a subscription since its item was created."""
    found = read(clock, a_subscription(an_item(), an_item("price_2"), **fields), has_more=True)
    assert found == {
        "price_1": PricePeriods((BillingPeriod("sub_1", began, 20, 30),), partial=True)
    }


@pytest.mark.parametrize("status", ["incomplete", "paused", "unpaid", "canceled", "brand_new"])
def test_a_subscription_whose_invoices_are_not_finalized_has_no_period(status, clock):
    assert read(clock, a_subscription(an_item(), status=status)) == {"price_1": PricePeriods(())}


@pytest.mark.parametrize("fields", [{"current_period_end": None}, {"created": "now"}])
def test_a_malformed_item_is_an_error(fields, clock):
    with pytest.raises(UnexpectedAnswerError):
        read(clock, a_subscription(an_item(**fields)))
