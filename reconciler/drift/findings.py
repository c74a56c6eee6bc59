"""What differs under an event_name: how bad it is, since when, and what to do about it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TypedDict, Unpack

from ..model.change import Action, Change, Reason
from ..model.event import RESEND
from ..model.finding import DriftEntry, Finding, Kind, Remediation, Severity
from ..model.match import MeterMatch, has_same_settings
from ..model.meter import ExistingMeter, Status
from ..model.price import Price, PricesByMeter, select_unaccepted
from ..model.project import MeterConfig, Policy
from ..planning.diff import decide
from ..timestamps import format_duration
from . import remediation
from .remediation import Commands


@dataclass(frozen=True, slots=True, kw_only=True)
class DriftInput:
    """What drift detection needs besides the meters: prices in use, policy, now (Unix seconds).

    `commands` makes the commands that remediate a finding.
    """

    commands: Commands
    policy: Policy
    prices: PricesByMeter
    now: int


def inspect(names: MeterMatch, known: DriftInput) -> DriftEntry:
    """Return the drift entry of one event_name, its worst finding first."""
    meters = (*names.active, *names.inactive)
    prices = tuple(price for meter in meters for price in known.prices.get(meter.id, ()))
    change = replace(decide(names, known.prices, known.policy), prices=prices)
    return DriftEntry(
        event_name=names.event_name,
        location=names.desired.location if names.desired else None,
        meters=meters,
        prices=prices,
        findings=worst_first(_findings(names, change, known)),
    )


def worst_first(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """Return the findings by severity, exempt ones last."""
    return tuple(sorted(findings, key=lambda f: (bool(f.exemption), -f.severity.weight)))


def rank(entry: DriftEntry) -> tuple[int, bool, bool, str]:
    """Order entries: by severity, lost revenue on active prices first, then by name."""
    weight = entry.severity.weight if entry.severity else 0
    priced = any(finding.prices for finding in entry.findings if not finding.exemption)
    return -weight, not priced, not entry.findings, entry.event_name


def _findings(names: MeterMatch, change: Change, known: DriftInput) -> Iterator[Finding]:
    match names:
        case MeterMatch(active=(_, _, *_)):
            yield _two_active(names, change, known)
        case MeterMatch(desired=MeterConfig(status=Status.ACTIVE), active=()):
            yield _without_active(names, change, known)
        case MeterMatch(desired=MeterConfig() as desired, active=(existing,)):
            yield from _not_as_declared(desired, existing, change, known)
        case MeterMatch(desired=None, active=(existing,)):
            yield _undeclared(existing, change, known)
    yield from _prices_on_inactive(names, change)


def _found(kind: Kind, severity: Severity, message: str, **rest: Unpack[_More]) -> Finding:
    return Finding(kind=kind, code=kind.rule.code, severity=severity, message=message, **rest)


class _More(TypedDict, total=False):
    """The optional fields of a finding."""

    meter_ids: tuple[str, ...]
    since: int | None
    resend_until: int | None
    prices: tuple[Price, ...]
    remediation: Remediation | None


def _without_active(names: MeterMatch, change: Change, known: DriftInput) -> Finding:
    """The event_name is declared active, and has no active meter."""
    if not names.inactive:
        message = f"{names.event_name!r} is declared active, but no meter has this event_name"
        command = known.commands.apply(names.event_name)
        return _found(Kind.MISSING, Severity.REVENUE, message, remediation=command)
    last = names.inactive[0]
    since = _deactivated_at(last)
    made_anew = change.action is Action.CREATE
    which = f"{last.id}, which differs," if made_anew else last.id
    deadline = since + RESEND
    return _found(
        Kind.MISSING if made_anew else Kind.INACTIVE,
        Severity.REVENUE,
        f"{names.event_name!r} is declared active, but {which} has been inactive for "
        f"{format_duration(known.now - since)}; usage sent since then is lost",
        meter_ids=(last.id,),
        prices=_unserved(names, change),
        since=since,
        resend_until=deadline if known.now < deadline else None,
        remediation=_way_back(names, change, known),
    )


def _way_back(names: MeterMatch, change: Change, known: DriftInput) -> Remediation:
    """Return how an event_name without an active meter gets one again."""
    desired = change.desired
    if desired is None or change.action is not Action.BLOCKED:
        return known.commands.apply(change.event_name)
    priced = {price.meter for price in change.prices}
    pointed = [m for m in names.inactive if m.id in priced and m.id not in desired.retires]
    if change.reason == Reason.PRICES_ON_OTHER_METER:
        return remediation.adopt_settings(pointed[0], desired.meter)
    given_up = [*desired.retires, *(meter.id for meter in pointed)]
    return remediation.retire_meters(given_up, "  # leave out the one to keep")


def _not_as_declared(
    desired: MeterConfig, existing: ExistingMeter, change: Change, known: DriftInput
) -> Iterator[Finding]:
    """The event_name has one active meter and a declaration."""
    if desired.status != Status.ACTIVE:
        yield _running(desired, existing, change, known)
    if change.action in (Action.BLOCKED, Action.REPLACE) and not has_same_settings(existing, desired.meter):
        yield _differs(desired, existing, change, known)
    if desired.status == Status.ACTIVE and existing.display_name != desired.meter.display_name:
        stuck = change.action is Action.BLOCKED
        yield _found(
            Kind.RENAMED,
            Severity.LOW,
            f"the display_name of {existing.id} is {existing.display_name!r}, "
            f"declared is {desired.meter.display_name!r}",
            meter_ids=(existing.id,),
            since=existing.updated,
            remediation=remediation.adopt_name(existing)
            if stuck
            else known.commands.apply(change.event_name),
        )


def _running(
    desired: MeterConfig, existing: ExistingMeter, change: Change, known: DriftInput
) -> Finding:
    open_ = select_unaccepted(known.prices.get(existing.id, ()), desired)
    consent = remediation.retire_meters([*desired.retires, existing.id])
    return _found(
        Kind.RUNNING,
        Severity.LOW,
        f"{change.event_name!r} is declared inactive, but {existing.id} is active and counts usage",
        meter_ids=(existing.id,),
        prices=open_,
        since=existing.updated,
        remediation=consent if change.action is Action.BLOCKED else _way_on(desired, open_, known),
    )


def _differs(
    desired: MeterConfig, existing: ExistingMeter, change: Change, known: DriftInput
) -> Finding:
    fields = ", ".join(
        f"{field.path} is {_said(field.before)}, declared is {_said(field.after)}"
        for field in change.fields
        if field.path != "display_name"
    )
    open_ = select_unaccepted(known.prices.get(existing.id, ()), desired)
    adopted = remediation.adopt_settings(existing, desired.meter)
    return _found(
        Kind.DIFFERS,
        Severity.HIGH,
        f"{existing.id} differs in fields that cannot be updated: {fields}",
        meter_ids=(existing.id,),
        prices=open_,
        since=existing.created,
        remediation=adopted if change.action is Action.BLOCKED else _way_on(desired, open_, known),
    )


def _way_on(desired: MeterConfig, open_: Sequence[Price], known: DriftInput) -> Remediation:
    """Return how the declared deactivation is made: prices in use have to be accepted first."""
    return _accepting(open_, desired) if open_ else known.commands.apply(desired.event_name)


def _said(value: object) -> str:
    return "not set" if value is None else repr(value)


def _two_active(names: MeterMatch, change: Change, known: DriftInput) -> Finding:
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
        f"counts usage is not known",
        meter_ids=ids,
        prices=prices,
        since=max(existing.created for existing in names.active),
        remediation=known.commands.deactivate(spare),
    )


def _undeclared(existing: ExistingMeter, change: Change, known: DriftInput) -> Finding:
    prices = known.prices.get(existing.id, ())
    leaves = change.action is Action.DEACTIVATE and not prices
    return _found(
        Kind.PRICE_ON_UNDECLARED if prices else Kind.UNMANAGED,
        Severity.HIGH if prices else Severity.LOW,
        f"{existing.id} is active, and no file declares {change.event_name!r}",
        meter_ids=(existing.id,),
        prices=prices,
        since=existing.created,
        remediation=known.commands.apply() if leaves else remediation.declare(existing),
    )


def _prices_on_inactive(names: MeterMatch, change: Change) -> Iterator[Finding]:
    covered = _unserved(names, change)
    off = {existing.id: existing for existing in names.inactive}
    open_ = [price for price in change.prices if price.meter in off and price not in covered]
    prices = select_unaccepted(open_, names.desired)
    if not prices:
        return
    meters = [off[id_] for id_ in dict.fromkeys(price.meter for price in prices)]
    shown = next(iter(names.active), meters[0])
    yield _found(
        Kind.PRICE_ON_INACTIVE,
        Severity.REVENUE,
        f"{names.event_name!r} has active prices on an inactive meter, which counts no usage",
        meter_ids=tuple(existing.id for existing in meters),
        prices=prices,
        since=max(map(_deactivated_at, meters)),
        remediation=_accepting(prices, names.desired)
        if names.desired
        else remediation.declare(shown, prices),
    )


def _unserved(names: MeterMatch, change: Change) -> tuple[Price, ...]:
    """Return the prices on a meter found inactive: its own finding has them."""
    wanted = names.desired is not None and names.desired.status == Status.ACTIVE
    if names.active or not wanted or change.action is Action.CREATE:
        return ()
    return tuple(
        p for p in change.prices if change.existing is None or p.meter == change.existing.id
    )


def _accepting(prices: Iterable[Price], desired: MeterConfig) -> Remediation:
    """Return the consent given already, extended to these prices."""
    return remediation.accept_prices([*desired.accepted_prices, *(price.id for price in prices)])


def _deactivated_at(meter: ExistingMeter) -> int:
    return meter.status_transitions.deactivated_at or meter.updated
