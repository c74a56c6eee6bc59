"""Billing alerts on meters."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct


class BillingAlert(Struct, frozen=True):
    """The fields of a `billing.alert` object that matter to the meter it watches.

    It is triggered when the usage of a customer reaches `gte`: of one customer, or of any of them
    where `customer` is None.
    """

    id: str
    meter: str
    title: str | None = None
    gte: int | None = None
    customer: str | None = None


AlertsByMeter = Mapping[str, tuple[BillingAlert, ...]]
