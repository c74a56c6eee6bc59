"""Sample the usage of a meter: of some customers with a subscription to its prices.

Stripe sums up usage for one customer at a time, so that all of it would take a request for each.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import chain

from msgspec import Struct

from ...model.event import RESEND
from ...model.meter import ExistingMeter
from ...model.usage import Subscriber, UsageSample
from ..client import Meters, Prices, Subscriptions
from ..errors import InvalidRequestError
from ..transport import Transport

_DAY = 86_400
_MINUTE = 60


class _Found(Struct):
    """Customers, since when each has a subscription, and whether there may be more."""

    since: dict[str, int] = {}
    more: bool = False
    refused: int = 0

    def add(self, subscribers: Iterable[Subscriber]) -> None:
        """Add subscribers; of several subscriptions of a customer, the oldest counts."""
        for each in subscribers:
            self.since[each.customer] = min(each.since, self.since.get(each.customer, each.since))


class UsageSampler:
    """Reads samples of usage; raises StripeError.

    What Stripe refuses for one customer or price, such as one that was deleted meanwhile, is
    counted and left out.
    """

    def __init__(self, transport: Transport) -> None:
        self._meters = Meters.over(transport)
        self._prices = Prices(transport)
        self._subscriptions = Subscriptions(transport)

    def sample(
        self, meter: ExistingMeter, price_ids: Iterable[str], most: int, start: int, end: int
    ) -> UsageSample:
        """Read the usage of up to `most` customers, one after the other until one has some.

        `price_ids` are the active prices of the meter; archived ones are read where these have too
        few customers. The oldest subscriptions come first: they are the likeliest to have usage in
        all of the window, from `start` to `end` (Unix seconds, on whole minutes).
        """
        found = self._find_customers(meter, price_ids, most)
        values: dict[str, float | None] = {}
        for customer in sorted(found.since, key=lambda each: (found.since[each], each))[:most]:
            try:
                values[customer] = self._read_usage(meter, customer, start, end)
            except InvalidRequestError:
                found.refused += 1
            if values.get(customer):
                break
        used = any(values.values())
        zero = [customer for customer, value in values.items() if value == 0]
        return UsageSample(
            meter_id=meter.id,
            start=start,
            end=end,
            customers=len(found.since),
            more=found.more,
            used=int(used),
            zero=len(zero),
            unused=len(values) - len(zero) - used,
            recent=sum(found.since[customer] > start for customer in values),
            refused=found.refused,
            zero_listed=self._lists_zero(meter, zero[0]) if zero and not used else None,
        )

    def _find_customers(self, meter: ExistingMeter, price_ids: Iterable[str], most: int) -> _Found:
        """Find at least `most` customers, if there are so many."""
        found = _Found()
        for price_id in chain(price_ids, self._list_archived(meter)):
            try:
                for page in self._subscriptions.subscribers(price_id):
                    found.add(page.data)
                    if len(found.since) >= most:
                        found.more = True
                        return found
            except InvalidRequestError:
                found.refused += 1
        return found

    def _list_archived(self, meter: ExistingMeter) -> Iterator[str]:
        """Yield the archived prices of a meter, which are listed on demand."""
        for price in self._prices.archived_on(meter.id):
            yield price.id

    def _read_usage(
        self, meter: ExistingMeter, customer: str, start: int, end: int
    ) -> float | None:
        """Return what the usage of a customer comes to, None without usage.

        A count of 0 is no usage, whether Stripe lists it or not.
        """
        found = self._meters.event_summaries(
            meter.id, customer=customer, start_time=start, end_time=end
        )
        values = [summary.aggregated_value for summary in found]
        if meter.default_aggregation.formula == "count":
            values = [value for value in values if value]
        return next(filter(None, values), 0) if values else None

    def _lists_zero(self, meter: ExistingMeter, customer: str) -> bool | None:
        """Return whether Stripe lists 0 for a period without usage; None if it does not tell.

        No event can be dated back to more than `RESEND` before there was a meter. Whether that
        period is listed, or refused, is not documented.
        """
        end = meter.created - meter.created % _MINUTE - RESEND - _DAY
        if end < _DAY:
            return None
        try:
            found = self._meters.event_summaries(
                meter.id, customer=customer, start_time=end - _DAY, end_time=end
            )
            return any(True for _ in found)
        except InvalidRequestError:
            return None
