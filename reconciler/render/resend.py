"""Until when lost usage can be sent again, in words."""

from __future__ import annotations

from ..model.finding import Finding, Kind
from ..model.subscription import InvoiceDeadline, ResendLimit
from ..timestamps import format_time

_GRACE = "unless the account has a longer grace period"


def describe_resending(finding: Finding) -> str:
    """Return until when lost usage can be re-sent; empty where none is known to be lost."""
    until, invoices = finding.resend_until, finding.invoices
    if until is None:
        late = "only usage of the last 35 days can still be re-sent"
        said = f"{late}; {_describe_next(invoices)}" if invoices else late
        return said if is_past_resending(finding) else ""
    said = f"lost usage can be re-sent until {format_time(until)}"
    if invoices is None:
        return f"{said}, or until the invoice is finalized, if earlier"
    if invoices.resend_limit == ResendLimit.AGE or invoices.next_finalization is None:
        return f"{said}, 35 days after it began; {_describe_next(invoices)}"
    first = f"lost usage can be re-sent until {format_time(invoices.next_finalization)}, when "
    first += f"the next invoice for it{_describe_scope(invoices)} can be finalized"
    return f"{first}; for later invoices until {format_time(until)} at most"


def describe_finalized(invoices: InvoiceDeadline | None) -> str:
    """Return for which part of lost usage it is too late; empty where none is known."""
    if invoices is None or invoices.finalized_before is None:
        return ""
    some, every = invoices.finalized_subscriptions, invoices.subscriptions
    of = f"{some:,} of {every:,} subscriptions" if every > 1 else "the subscription"
    before = format_time(invoices.finalized_before)
    return f"{of}: the invoice for usage before {before} is finalized, {_GRACE}"


def is_past_resending(finding: Finding) -> bool:
    """Whether the first lost usage is too old to be re-sent."""
    dated = finding.since is not None and finding.resend_until is None
    return dated and finding.kind in (Kind.INACTIVE, Kind.MISSING)


def _describe_next(invoices: InvoiceDeadline) -> str:
    scope = _describe_scope(invoices)
    if invoices.next_finalization is None:
        return f"every invoice for it{scope} is finalized already, {_GRACE}"
    at = format_time(invoices.next_finalization)
    return f"the next invoice for it{scope} can be finalized {at}"


def _describe_scope(invoices: InvoiceDeadline) -> str:
    """Return which subscriptions were considered, where these are not all."""
    return f" of the {invoices.subscriptions:,} subscriptions read" if invoices.partial else ""
