"""Billing periods of subscriptions, and when the invoices for usage are finalized."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from msgspec import Struct


class BillingPeriod(Struct, frozen=True):
    """The current billing period of a price in a subscription.

    Times are Unix seconds; `began` is when the subscription got the price.
    """

    subscription: str
    began: int
    start: int
    end: int


class PricePeriods(Struct, frozen=True):
    """The current billing periods of a price, of all its subscriptions unless `partial`."""

    periods: tuple[BillingPeriod, ...]
    partial: bool = False


PeriodsByPrice = Mapping[str, PricePeriods]


class ResendLimit(StrEnum):
    """What ends the time in which the first lost usage can be sent again."""

    AGE = "age"  # Stripe accepts no older usage
    INVOICE = "invoice"  # an invoice that it belongs to is finalized


class InvoiceDeadline(Struct, frozen=True, kw_only=True):
    """When the invoices for lost usage are finalized, by the periods of some subscriptions.

    Times are Unix seconds. `resend_limit` is a ResendLimit. `next_finalization` is when the first
    invoice that can still take lost usage can be finalized, None if there is none.
    `finalized_subscriptions` have an invoice for a part of the lost usage that is finalized;
    `finalized_before` is the end of that part, in the latest of them. `partial` says that not all
    subscriptions were read.
    """

    resend_limit: str
    next_finalization: int | None
    finalized_before: int | None
    finalized_subscriptions: int
    subscriptions: int
    partial: bool = False
