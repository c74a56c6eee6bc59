"""The billing alerts of an account. Source: /v1/billing/alerts of Stripe's API reference."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import chain

from ...model.alert import BillingAlert
from ...model.meter import Unreadable
from ...stripe.codec import read_reference
from .. import pagination
from ..client import MAX_REQUESTS, read_if_permitted, run_concurrently
from ..codec import Json, parse_id, read_count, read_object, read_objects, read_optional, read_text
from ..transport import Transport

ALERTS = "/v1/billing/alerts"

_OFF = frozenset({"inactive", "archived"})  # statuses of alerts that are never triggered


class Alerts:
    """The billing alerts of an account, if the key may read them."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def active_on(self, meter_ids: tuple[str, ...]) -> tuple[BillingAlert, ...] | Unreadable:
        """Return the active alerts on these meters, read for several meters at once.

        One list for each meter; for more than 50 meters, the alerts of the account once.
        """
        wanted = list(dict.fromkeys(meter_ids))
        asked = wanted if len(wanted) <= MAX_REQUESTS else [None]
        found = read_if_permitted(
            "rak_billing_meter_read", lambda: run_concurrently(self._list, asked)
        )
        if isinstance(found, Unreadable):
            return found
        return tuple(alert for alert in chain.from_iterable(found) if alert.meter in wanted)

    def _list(self, meter_id: str | None) -> tuple[BillingAlert, ...]:
        params: Mapping[str, str | None] = {"alert_type": "usage_threshold", "meter": meter_id}
        found = pagination.iterate_entries(self._transport, ALERTS, params, _parse_alert)
        return tuple(alert for alert in found if alert)


def _parse_alert(data: Json) -> BillingAlert | None:
    """Parse a `billing.alert`; return None if it is off or watches no meter.

    Raises MalformedError.
    """
    threshold = read_optional(read_object, data, "usage_threshold")
    if data.get("status") in _OFF or not threshold or threshold.get("meter") is None:
        return None
    filters = read_objects(threshold, "filters") if threshold.get("filters") else ()
    customers = (read_reference(each, "customer") for each in filters if each.get("customer"))
    return BillingAlert(
        id=parse_id(data),
        meter=read_reference(threshold, "meter"),
        title=read_optional(read_text, data, "title"),
        gte=read_optional(read_count, threshold, "gte"),
        customer=next(customers, None),
    )
