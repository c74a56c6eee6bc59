"""The billing periods of subscriptions. Source: /v1/subscriptions of Stripe's API reference."""

from __future__ import annotations

from collections.abc import Iterator

from ...model.meter import Unreadable
from ...model.subscription import BillingPeriod, PeriodsByPrice, PricePeriods
from .. import pagination
from ..client import SUBSCRIPTIONS, read_if_permitted, run_concurrently
from ..codec import (
    Json,
    parse_id,
    parse_status,
    read_object,
    read_objects,
    read_optional,
    read_time,
)
from ..transport import Transport

_INVOICED = frozenset({"active", "trialing", "past_due"})  # invoices are finalized by themselves


class Periods:
    """The current billing periods of an account's subscriptions, if the key may read them."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def of_prices(self, price_ids: tuple[str, ...]) -> PeriodsByPrice | Unreadable:
        """Return the current billing periods of prices, in one request for each.

        Of a price with more than 100 subscriptions the newest 100 are read.
        """
        found = read_if_permitted(
            "rak_subscription_read", lambda: run_concurrently(self._list, price_ids)
        )
        if isinstance(found, Unreadable):
            return found
        return dict(zip(price_ids, found, strict=True))

    def _list(self, price_id: str) -> PricePeriods:
        params = {"price": price_id, "limit": pagination.PER_PAGE}
        page = pagination.read_page(
            self._transport, SUBSCRIPTIONS, params, lambda data: tuple(_parse(data, price_id))
        )
        return PricePeriods(tuple(each for some in page.data for each in some), page.has_more)


def _parse(data: Json, price_id: str) -> Iterator[BillingPeriod]:
    """Yield the current periods of a price in a subscription; raise MalformedError.

    A subscription that is not invoiced has none. A period belongs to an item since API version
    2025-03-31.basil.
    """
    if parse_status(data) not in _INVOICED:
        return
    for item in read_objects(read_object(data, "items"), "data"):
        if parse_id(read_object(item, "price")) == price_id:
            yield BillingPeriod(
                subscription=parse_id(data),
                began=max(
                    read_optional(read_time, data, "start_date") or 0,
                    read_optional(read_time, item, "created") or 0,
                ),
                start=read_time(item, "current_period_start"),
                end=read_time(item, "current_period_end"),
            )
