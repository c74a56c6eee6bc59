"""Find until when lost usage can be sent again: by its age, or by the invoices that it is on."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from msgspec.structs import replace

from ..model.finding import DriftEntry, Finding, Kind
from ..model.price import PricesByMeter
from ..model.subscription import (
    BillingPeriod,
    InvoiceDeadline,
    PeriodsByPrice,
    PricePeriods,
    ResendLimit,
)

DRAFT = 3600
"""Seconds for which an invoice is a draft after its period; accounts can set up to 72 hours.

Source: https://docs.stripe.com/billing/subscriptions/usage-based/configure-grace-period
"""

MOST_PRICES = 50
"""Prices of which subscriptions are read in one run, one request for each."""

Lost = tuple[int, int]
"""When the first and the last usage was lost, in Unix seconds."""

_LOST = (Kind.INACTIVE, Kind.MISSING, Kind.USAGE_REJECTED)


def list_billed_prices(entries: Iterable[DriftEntry], prices: PricesByMeter) -> tuple[str, ...]:
    """Return the prices that bill lost usage, those of the worst findings first, at most 50.

    Prices whose subscriptions may not be read are left out.
    """
    found = (
        price.id
        for entry in entries
        for finding in entry.findings
        if not finding.exemption
        for meter_id in _list_losing(finding)
        for price in prices.get(meter_id, ())
        if not price.missing_permission
    )
    return tuple(dict.fromkeys(found))[:MOST_PRICES]


def add_invoices(
    entries: Iterable[DriftEntry], prices: PricesByMeter, periods: PeriodsByPrice, now: int
) -> tuple[DriftEntry, ...]:
    """Return the entries with what the billing periods tell about the invoices of lost usage."""

    def add(finding: Finding) -> Finding:
        on = [price.id for id_ in _list_losing(finding) for price in prices.get(id_, ())]
        known = [periods[price] for price in on if price in periods]
        if finding.since is None or not known:
            return finding
        lost = (finding.since, finding.rejected.last if finding.rejected else now)
        found = find_invoice_deadline(known, lost, finding.resend_until, now)
        if found and len(known) < len(on):
            found = replace(found, partial=True)
        return replace(finding, invoices=found)

    return tuple(
        replace(entry, findings=tuple(map(add, entry.findings))) if entry.findings else entry
        for entry in entries
    )


def _list_losing(finding: Finding) -> tuple[str, ...]:
    """Return the ids of the meters whose usage is lost, by a finding that says so."""
    return finding.meter_ids if finding.kind in _LOST and finding.since is not None else ()


def find_invoice_deadline(
    known: Sequence[PricePeriods], lost: Lost, resend_until: int | None, now: int
) -> InvoiceDeadline | None:
    """Return when the invoices for lost usage are finalized; None if no invoice for it is known.

    `resend_until` is when the first of it is too old, None if that has passed.
    """
    current = [one for some in known for one in some.periods if one.end + DRAFT > now]
    invoices = [(one, end) for one in current for end in _list_invoices(one, lost)]
    if not invoices:
        return None
    closed = [(one, end) for one, end in invoices if end + DRAFT <= now]
    first = min((end + DRAFT for _, end in invoices if end + DRAFT > now), default=None)
    by_age = first is not None and (resend_until is None or resend_until <= first)
    return InvoiceDeadline(
        resend_limit=ResendLimit.AGE if by_age else ResendLimit.INVOICE,
        next_finalization=first,
        finalized_before=max((end for _, end in closed), default=None),
        finalized_subscriptions=len({one.subscription for one, _ in closed}),
        subscriptions=len({one.subscription for one, _ in invoices}),
        partial=any(some.partial for some in known),
    )


def _list_invoices(period: BillingPeriod, lost: Lost) -> Iterator[int]:
    """Yield the ends of the periods that have lost usage: of the last one, and of this one.

    The last one is known to have ended where this one began, if the subscription is older.
    """
    first, last = lost
    if period.began < period.start and first < period.start and last >= period.began:
        yield period.start
    if last >= period.start:
        yield period.end
