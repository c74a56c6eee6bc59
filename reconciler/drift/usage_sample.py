"""Judge samples of usage: meters with prices in use whose customers seem to send nothing.

A sample says nothing about other customers, and those sampled may have used nothing: a finding is a
suspicion, and no finding is no proof that usage arrives.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator, Mapping

from ..diagnostics.codes import drift as rules
from ..diagnostics.diagnostic import Diagnostic
from ..diagnostics.shorten import list_some, shorten
from ..model.finding import Finding, Kind, Severity
from ..model.match import MeterMatch
from ..model.meter import ExistingMeter, Status
from ..model.usage import UsageSample, UsageSampling
from ..timestamps import format_time
from .build_finding import build_finding

WINDOW = 7 * 86_400
"""Seconds of usage that a sample covers: a whole week, as usage differs by weekday."""

_MOST_NAMES = 10


def list_sampled(names: Iterable[MeterMatch]) -> dict[str, ExistingMeter]:
    """Return the meters to sample, by event_name: declared active, with one active meter."""
    return {
        each.event_name: each.active[0]
        for each in names
        if each.desired and each.desired.status == Status.ACTIVE
        if len(each.active) == 1 and not each.unclear
    }


def check_sample(
    names: MeterMatch, samples: Mapping[str, UsageSample], rejected: Container[str]
) -> Iterator[Finding]:
    """Yield a finding if no sampled customer has usage other than 0.

    Where Stripe `rejected` usage of the meter, that explains why there is none.
    """
    sample = samples.get(names.event_name)
    if sample is None or not sample.silent:
        return
    (meter,) = names.active
    if meter.id in rejected and not sample.sums_to_zero:
        return
    kind, severity = Kind.NO_USAGE, Severity.LOW
    if sample.sums_to_zero:
        kind = Kind.ZERO_USAGE
        may_be_zero = meter.default_aggregation.formula == "last"
        severity = Severity.LOW if may_be_zero else Severity.HIGH
    yield build_finding(
        kind,
        severity,
        f"{_describe_usage(meter, sample)} from {format_time(sample.start)} until "
        f"{format_time(sample.end)}; {_list_causes(meter, sample)}",
        meter_ids=(meter.id,),
        sample=sample,
    )


def _describe_usage(meter: ExistingMeter, sample: UsageSample) -> str:
    sampled = f"{_count(sample.sampled, 'sampled customer')} of {meter.id} ({_cover(sample)})"
    if not sample.zero:
        return f"{sampled} {'has' if sample.sampled == 1 else 'have'} no usage"
    if not sample.unused:
        return f"{sampled} {'has' if sample.zero == 1 else 'have'} usage that comes to 0"
    some = f"{sample.zero} of {sampled} {'has' if sample.zero == 1 else 'have'}"
    others = "has" if sample.unused == 1 else "have"
    return f"{some} usage that comes to 0, and {sample.unused} {others} none,"


def _cover(sample: UsageSample) -> str:
    """Return how much of all customers a sample covers."""
    parts = [f"of {_count_all(sample)} with a subscription to its prices"]
    if sample.recent:
        parts.append(f"{sample.recent} subscribed in this time")
    if sample.refused:
        parts.append(f"{sample.refused} could not be read")
    return "; ".join(parts)


def _count_all(sample: UsageSample) -> str:
    return f"{'at least ' if sample.more else ''}{sample.customers:,}"


def _list_causes(meter: ExistingMeter, sample: UsageSample) -> str:
    key, value = meter.customer_mapping.event_payload_key, meter.value_settings.event_payload_key
    no_events = (
        f"they may have used nothing, or events are not sent, have another event_name, or lack the "
        f"customer key {shorten(key)!r}"
    )
    no_values = f"all values may be 0, or events lack the value key {shorten(value)!r}"
    if sample.sums_to_zero:
        return no_values
    if not sample.zero:
        return no_events
    listed = "lists" if sample.zero_listed else "may list"
    return f"{no_events}, as Stripe {listed} 0 where there is no usage; or {no_values}"


def describe_sampling(sampling: UsageSampling) -> Diagnostic:
    """Return what was sampled and what was not, whatever was found."""
    if not sampling.samples:
        return rules.USAGE_SAMPLED("sampled no usage: no meter that is declared active is active")
    read = {name: each for name, each in sampling.samples.items() if each.sampled}
    unread = {name: each for name, each in sampling.samples.items() if not each.sampled}
    found = [f"{_quote(name)} ({_sum_up(each)})" for name, each in read.items()]
    message = (
        f"sampled the usage of {_count(len(read), 'meter')} with up to "
        f"{_count(sampling.most, 'customer')} each, from {format_time(sampling.start)} until "
        f"{format_time(sampling.end)}, by {_count(sampling.requests, 'request')}"
    )
    if found:
        message += f": {list_some(found, _MOST_NAMES)}"
    if unread:
        reasons = [f"{_quote(name)} ({_explain(each)})" for name, each in unread.items()]
        message += f"; not sampled: {list_some(reasons, _MOST_NAMES)}"
    return rules.USAGE_SAMPLED(message)


def _sum_up(sample: UsageSample) -> str:
    state = "usage of 0" if sample.sums_to_zero else "no usage" if sample.silent else "has usage"
    refused = f", {sample.refused} could not be read" if sample.refused else ""
    customers = "customer" if sample.customers == 1 else "customers"
    return f"{state}: {sample.sampled} of {_count_all(sample)} {customers}{refused}"


def _explain(sample: UsageSample) -> str:
    """Return why nothing was sampled."""
    if sample.refused:
        return f"Stripe refused {_count(sample.refused, 'request')}"
    return "no subscription to its prices"


def _quote(name: str) -> str:
    return repr(shorten(name))


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"
