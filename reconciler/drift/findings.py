"""The comparison of a plan, read as an audit: what is wrong, how bad, since when, what to do."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TypedDict, Unpack

from ..model.change import Action, Change, Reason, Severity, weight
from ..model.finding import Finding, Kind
from ..model.match import MeterMatch, same
from ..model.meter import ExistingMeter, Status
from ..model.price import Price, PricesByMeter, unaccepted_prices
from ..model.project import MeterConfig, Policy
from ..planning.diff import decide
from ..planning.warnings import billed
from ..report.report import ReportedChange
from ..timestamps import format_duration, format_time
from . import remediation as remedy
from .remediation import Commands

RESEND = 35 * 86_400
"""Seconds that a meter event may be dated back. Source: POST /v1/billing/meter_events."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What an audit looks at besides the names: active prices, policy, moment (Unix seconds).

    `commands` are the ones that can be told to settle a finding.
    """

    commands: Commands
    policy: Policy
    prices: PricesByMeter
    now: int


def inspect(names: MeterMatch, known: Known) -> ReportedChange:
    """The line of a name with everything found under it, the worst first."""
    change = decide(names, known.prices, known.policy)
    every = tuple(
        price for existing in change.existing_meters for price in known.prices.get(existing.id, ())
    )
    change = replace(change, prices=every)
    return weighed(ReportedChange(change, findings=tuple(_findings(names, change, known))))


def weighed(reported: ReportedChange) -> ReportedChange:
    """The line as bad as the worst finding that counts; exempt ones stand last."""
    found = sorted(reported.findings, key=lambda f: (bool(f.exemption), -weight(f.severity)))
    counted = [finding.severity for finding in found if not finding.exemption]
    change = replace(reported.change, severity=counted[0] if counted else Severity.NONE)
    return replace(reported, change=change, findings=tuple(found))


def _findings(names: MeterMatch, change: Change, known: Known) -> Iterator[Finding]:
    match names:
        case MeterMatch(active=(_, _, *_)):
            yield _two_active(names, change, known)
        case MeterMatch(desired=MeterConfig(status=Status.ACTIVE), active=()):
            yield _stopped(names, change, known)
        case MeterMatch(desired=MeterConfig() as desired, active=(existing,)):
            yield from _not_as_declared(desired, existing, change, known)
        case MeterMatch(desired=None, active=(existing,)):
            yield _undeclared(existing, change, known)
    yield from _prices_on_inactive(names, change)


def _found(kind: Kind, severity: Severity, message: str, **rest: Unpack[_More]) -> Finding:
    return Finding(kind=kind, code=kind.rule.code, severity=severity, message=message, **rest)


class _More(TypedDict, total=False):
    """What else a finding may say of itself."""

    meter_ids: tuple[str, ...]
    since: int | None
    resend_until: int | None
    remedy: str


def _stopped(names: MeterMatch, change: Change, known: Known) -> Finding:
    """The name is declared active, and has no active meter."""
    if not names.inactive:
        message = f"{names.event_name!r} is declared active, and no live meter has this name"
        command = known.commands.apply(names.event_name)
        return _found(Kind.MISSING, Severity.REVENUE, message, remedy=command)
    last = names.inactive[0]
    since = _stopped_at(last)
    made_anew = change.action is Action.CREATE
    how = f"{last.id}, which differs, is inactive" if made_anew else f"{last.id} is inactive"
    billing = billed(_unserved(names, change), last.id)
    deadline = since + RESEND
    return _found(
        Kind.MISSING if made_anew else Kind.INACTIVE,
        Severity.REVENUE,
        f"{names.event_name!r} is declared active, but {how} {_outage(since, known.now)}{billing}",
        meter_ids=(last.id,),
        since=since,
        resend_until=deadline if known.now < deadline else None,
        remedy=_way_back(names, change, known),
    )


def _way_back(names: MeterMatch, change: Change, known: Known) -> str:
    """How a name without an active meter gets one again."""
    desired = change.desired
    if desired is None or change.action is not Action.BLOCKED:
        return known.commands.apply(change.event_name)
    priced = {price.meter for price in change.prices}
    pointed = [m for m in names.inactive if m.id in priced and m.id not in desired.retires]
    if change.reason == Reason.PRICES_ON_OTHER_METER:
        return remedy.adopted_line(pointed[0], desired.meter)
    given_up = [*desired.retires, *(meter.id for meter in pointed)]
    return f"{remedy.retires_line(given_up)}  # leave out the one to keep"


def _outage(since: int, now: int) -> str:
    """Since when, how long, and until when what was lost may be sent again."""
    lost = f"since {format_time(since)}, for {format_duration(now - since)}; "
    lost += "usage sent since then is lost"
    if now >= since + RESEND:
        return f"{lost}, and only that of the last 35 days can still be sent again"
    return (
        f"{lost}; the first of it may be sent again until {format_time(since + RESEND)}, unless an "
        f"invoice that finalises earlier ends that sooner"
    )


def _not_as_declared(
    desired: MeterConfig, existing: ExistingMeter, change: Change, known: Known
) -> Iterator[Finding]:
    """The name has one active meter and a declaration."""
    if desired.status != Status.ACTIVE:
        yield _running(desired, existing, change, known)
    if change.action in (Action.BLOCKED, Action.REPLACE) and not same(existing, desired.meter):
        yield _differs(desired, existing, change, known)
    if desired.status == Status.ACTIVE and existing.display_name != desired.meter.display_name:
        stuck = change.action is Action.BLOCKED
        yield _found(
            Kind.RENAMED,
            Severity.LOW,
            f"{existing.id} is called {existing.display_name!r}, "
            f"declared is {desired.meter.display_name!r}",
            meter_ids=(existing.id,),
            since=existing.updated,
            remedy=remedy.named_line(existing)
            if stuck
            else known.commands.apply(change.event_name),
        )


def _running(
    desired: MeterConfig, existing: ExistingMeter, change: Change, known: Known
) -> Finding:
    open_ = unaccepted_prices(known.prices.get(existing.id, ()), desired)
    consent = remedy.retires_line([*desired.retires, existing.id])
    return _found(
        Kind.RUNNING,
        Severity.LOW,
        f"{change.event_name!r} is declared inactive, but {existing.id} is active and counts usage"
        f"{billed(open_, existing.id)}",
        meter_ids=(existing.id,),
        since=existing.updated,
        remedy=consent if change.action is Action.BLOCKED else _way_on(desired, open_, known),
    )


def _differs(
    desired: MeterConfig, existing: ExistingMeter, change: Change, known: Known
) -> Finding:
    fields = ", ".join(
        f"{field.path} is {_said(field.before)}, declared is {_said(field.after)}"
        for field in change.fields
        if field.path != "display_name"
    )
    open_ = unaccepted_prices(known.prices.get(existing.id, ()), desired)
    adopted = remedy.adopted_line(existing, desired.meter)
    return _found(
        Kind.DIFFERS,
        Severity.HIGH,
        f"{existing.id} differs where Stripe allows no change: {fields}",
        meter_ids=(existing.id,),
        since=existing.created,
        remedy=adopted if change.action is Action.BLOCKED else _way_on(desired, open_, known),
    )


def _way_on(desired: MeterConfig, open_: Sequence[Price], known: Known) -> str:
    """How a meter is stopped that the files want stopped: its prices have to be accepted first."""
    return _accepting(open_, desired) if open_ else known.commands.apply(desired.event_name)


def _said(value: object) -> str:
    return "not set" if value is None else repr(value)


def _two_active(names: MeterMatch, change: Change, known: Known) -> Finding:
    ids = tuple(existing.id for existing in names.active)
    prices = tuple(price for price in change.prices if price.meter in ids)
    priced = {price.meter for price in prices}
    spare = min(
        names.active, key=lambda existing: (existing.id in priced, -existing.created, existing.id)
    )
    return _found(
        Kind.TWO_ACTIVE,
        Severity.HIGH if names.desired or prices else Severity.LOW,
        f"{names.event_name!r} has {len(ids)} active meters, {', '.join(ids)}; which of them "
        f"counts usage is not known{billed(prices)}",
        meter_ids=ids,
        since=max(existing.created for existing in names.active),
        remedy=known.commands.deactivate(spare),
    )


def _undeclared(existing: ExistingMeter, change: Change, known: Known) -> Finding:
    prices = known.prices.get(existing.id, ())
    leaves = change.action is Action.DEACTIVATE and not prices
    return _found(
        Kind.PRICE_ON_UNDECLARED if prices else Kind.UNMANAGED,
        Severity.HIGH if prices else Severity.LOW,
        f"{existing.id} is active, and no file declares {change.event_name!r}"
        f"{billed(prices, existing.id)}",
        meter_ids=(existing.id,),
        since=existing.created,
        remedy=known.commands.apply() if leaves else remedy.declaration_line(existing),
    )


def _prices_on_inactive(names: MeterMatch, change: Change) -> Iterator[Finding]:
    told = _unserved(names, change)
    off = {existing.id: existing for existing in names.inactive}
    open_ = [price for price in change.prices if price.meter in off and price not in told]
    prices = unaccepted_prices(open_, names.desired)
    if not prices:
        return
    meters = [off[id_] for id_ in dict.fromkeys(price.meter for price in prices)]
    shown = next(iter(names.active), meters[0])
    yield _found(
        Kind.PRICE_ON_INACTIVE,
        Severity.REVENUE,
        f"{names.event_name!r} has active prices on a meter that counts nothing{billed(prices)}",
        meter_ids=tuple(existing.id for existing in meters),
        since=max(map(_stopped_at, meters)),
        remedy=_accepting(prices, names.desired)
        if names.desired
        else remedy.declaration_line(shown, prices),
    )


def _unserved(names: MeterMatch, change: Change) -> tuple[Price, ...]:
    """The prices that a meter found inactive leaves unserved: they are told of with it."""
    wanted = names.desired is not None and names.desired.status == Status.ACTIVE
    if names.active or not wanted or change.action is Action.CREATE:
        return ()
    return tuple(
        p for p in change.prices if change.existing is None or p.meter == change.existing.id
    )


def _accepting(prices: Iterable[Price], desired: MeterConfig) -> str:
    """The consent that stands there already, and to these prices."""
    return remedy.accepts_line([*desired.accepted_prices, *(price.id for price in prices)])


def _stopped_at(meter: ExistingMeter) -> int:
    return meter.status_transitions.deactivated_at or meter.updated
