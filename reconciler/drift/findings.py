"""The comparison of a plan, read as an audit: what is wrong, how bad, since when, what to do."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TypedDict, Unpack

from ..model.change import Action, Change, Reason, Severity, weight
from ..model.finding import Finding, Kind
from ..model.match import Namesakes, same
from ..model.meter import Live, Status
from ..model.price import Price, PricesByMeter, unaccepted
from ..model.project import Declared, Policy
from ..planning.diff import decide
from ..planning.warnings import billed
from ..report.report import Line
from ..timestamps import lasting, utc
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


def inspect(names: Namesakes, known: Known) -> Line:
    """The line of a name with everything found under it, the worst first."""
    change = decide(names, known.prices, known.policy)
    every = tuple(price for live in change.live for price in known.prices.get(live.id, ()))
    line = replace(change, prices=every)
    return weighed(Line(line, findings=tuple(_findings(names, line, known))))


def weighed(line: Line) -> Line:
    """The line as bad as the worst finding that counts; exempt ones stand last."""
    found = sorted(line.findings, key=lambda f: (bool(f.exemption), -weight(f.severity)))
    counted = [finding.severity for finding in found if not finding.exemption]
    change = replace(line.change, severity=counted[0] if counted else Severity.NONE)
    return replace(line, change=change, findings=tuple(found))


def _findings(names: Namesakes, change: Change, known: Known) -> Iterator[Finding]:
    match names:
        case Namesakes(active=(_, _, *_)):
            yield _two_active(names, change, known)
        case Namesakes(want=Declared(status=Status.ACTIVE), active=()):
            yield _stopped(names, change, known)
        case Namesakes(want=Declared() as want, active=(have,)):
            yield from _not_as_declared(want, have, change, known)
        case Namesakes(want=None, active=(have,)):
            yield _undeclared(have, change, known)
    yield from _prices_on_inactive(names, change)


def _found(kind: Kind, severity: Severity, message: str, **rest: Unpack[_More]) -> Finding:
    return Finding(kind=kind, code=kind.rule.code, severity=severity, message=message, **rest)


class _More(TypedDict, total=False):
    """What else a finding may say of itself."""

    meter_ids: tuple[str, ...]
    since: int | None
    resend_until: int | None
    remedy: str


def _stopped(names: Namesakes, change: Change, known: Known) -> Finding:
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


def _way_back(names: Namesakes, change: Change, known: Known) -> str:
    """How a name without an active meter gets one again."""
    want = change.want
    if want is None or change.action is not Action.BLOCKED:
        return known.commands.apply(change.event_name)
    priced = {price.meter for price in change.prices}
    pointed = [m for m in names.inactive if m.id in priced and m.id not in want.retires]
    if change.reason == Reason.PRICES_ON_OTHER_TWIN:
        return remedy.adopted_line(pointed[0], want.meter)
    given_up = [*want.retires, *(meter.id for meter in pointed)]
    return f"{remedy.retires_line(given_up)}  # leave out the one to keep"


def _outage(since: int, now: int) -> str:
    """Since when, how long, and until when what was lost may be sent again."""
    lost = f"since {utc(since)}, for {lasting(now - since)}; usage sent since then is lost"
    if now >= since + RESEND:
        return f"{lost}, and only that of the last 35 days can still be sent again"
    return (
        f"{lost}; the first of it may be sent again until {utc(since + RESEND)}, unless an "
        f"invoice that finalises earlier ends that sooner"
    )


def _not_as_declared(want: Declared, have: Live, change: Change, known: Known) -> Iterator[Finding]:
    """The name has one active meter and a declaration."""
    if want.status != Status.ACTIVE:
        yield _running(want, have, change, known)
    if change.action in (Action.BLOCKED, Action.REPLACE) and not same(have, want.meter):
        yield _differs(want, have, change, known)
    if want.status == Status.ACTIVE and have.display_name != want.meter.display_name:
        stuck = change.action is Action.BLOCKED
        yield _found(
            Kind.RENAMED,
            Severity.LOW,
            f"{have.id} is called {have.display_name!r}, declared is {want.meter.display_name!r}",
            meter_ids=(have.id,),
            since=have.updated,
            remedy=remedy.named_line(have) if stuck else known.commands.apply(change.event_name),
        )


def _running(want: Declared, have: Live, change: Change, known: Known) -> Finding:
    open_ = unaccepted(known.prices.get(have.id, ()), want)
    consent = remedy.retires_line([*want.retires, have.id])
    return _found(
        Kind.RUNNING,
        Severity.LOW,
        f"{change.event_name!r} is declared inactive, but {have.id} is active and counts usage"
        f"{billed(open_, have.id)}",
        meter_ids=(have.id,),
        since=have.updated,
        remedy=consent if change.action is Action.BLOCKED else _way_on(want, open_, known),
    )


def _differs(want: Declared, have: Live, change: Change, known: Known) -> Finding:
    fields = ", ".join(
        f"{field.path} is {_said(field.before)}, declared is {_said(field.after)}"
        for field in change.fields
        if field.path != "display_name"
    )
    open_ = unaccepted(known.prices.get(have.id, ()), want)
    adopted = remedy.adopted_line(have, want.meter)
    return _found(
        Kind.DIFFERS,
        Severity.HIGH,
        f"{have.id} differs where Stripe allows no change: {fields}",
        meter_ids=(have.id,),
        since=have.created,
        remedy=adopted if change.action is Action.BLOCKED else _way_on(want, open_, known),
    )


def _way_on(want: Declared, open_: Sequence[Price], known: Known) -> str:
    """How a meter is stopped that the files want stopped: its prices have to be accepted first."""
    return _accepting(open_, want) if open_ else known.commands.apply(want.event_name)


def _said(value: object) -> str:
    return "not set" if value is None else repr(value)


def _two_active(names: Namesakes, change: Change, known: Known) -> Finding:
    ids = tuple(live.id for live in names.active)
    prices = tuple(price for price in change.prices if price.meter in ids)
    priced = {price.meter for price in prices}
    spare = min(names.active, key=lambda live: (live.id in priced, -live.created, live.id))
    return _found(
        Kind.TWO_ACTIVE,
        Severity.HIGH if names.want or prices else Severity.LOW,
        f"{names.event_name!r} has {len(ids)} active meters, {', '.join(ids)}; which of them "
        f"counts usage is not known{billed(prices)}",
        meter_ids=ids,
        since=max(live.created for live in names.active),
        remedy=known.commands.deactivate(spare),
    )


def _undeclared(have: Live, change: Change, known: Known) -> Finding:
    prices = known.prices.get(have.id, ())
    leaves = change.action is Action.DEACTIVATE and not prices
    return _found(
        Kind.PRICE_ON_UNDECLARED if prices else Kind.UNMANAGED,
        Severity.HIGH if prices else Severity.LOW,
        f"{have.id} is active, and no file declares {change.event_name!r}{billed(prices, have.id)}",
        meter_ids=(have.id,),
        since=have.created,
        remedy=known.commands.apply() if leaves else remedy.declaration_line(have),
    )


def _prices_on_inactive(names: Namesakes, change: Change) -> Iterator[Finding]:
    told = _unserved(names, change)
    off = {live.id: live for live in names.inactive}
    open_ = [price for price in change.prices if price.meter in off and price not in told]
    prices = unaccepted(open_, names.want)
    if not prices:
        return
    meters = [off[id_] for id_ in dict.fromkeys(price.meter for price in prices)]
    shown = next(iter(names.active), meters[0])
    yield _found(
        Kind.PRICE_ON_INACTIVE,
        Severity.REVENUE,
        f"{names.event_name!r} has active prices on a meter that counts nothing{billed(prices)}",
        meter_ids=tuple(live.id for live in meters),
        since=max(map(_stopped_at, meters)),
        remedy=_accepting(prices, names.want)
        if names.want
        else remedy.declaration_line(shown, prices),
    )


def _unserved(names: Namesakes, change: Change) -> tuple[Price, ...]:
    """The prices that a meter found inactive leaves unserved: they are told of with it."""
    wanted = names.want is not None and names.want.status == Status.ACTIVE
    if names.active or not wanted or change.action is Action.CREATE:
        return ()
    return tuple(p for p in change.prices if change.have is None or p.meter == change.have.id)


def _accepting(prices: Iterable[Price], want: Declared) -> str:
    """The consent that stands there already, and to these prices."""
    return remedy.accepts_line([*want.accepted_prices, *(price.id for price in prices)])


def _stopped_at(meter: Live) -> int:
    return meter.status_transitions.deactivated_at or meter.updated
