"""Detect drift: read both sides, find what differs, and attribute it by the events.

It requests the listing of meters, the account, the active metered prices of the whole account
once, archived ones and billing alerts only of meters where they matter, the reports of rejected
usage, samples of usage where they are wanted, subscriptions to the prices that bill lost usage, and
events only where they could explain a finding.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from types import MappingProxyType

from msgspec import Struct
from msgspec.structs import replace

from ..diagnostics.codes import drift as rules
from ..diagnostics.codes.planning import ALERTS_UNREADABLE
from ..diagnostics.diagnostic import Diagnostic
from ..diagnostics.errors import Exit
from ..drift.attribution import attribute, needs_events
from ..drift.exemptions import exempt, report_expired
from ..drift.findings import DriftInput, inspect, rank
from ..drift.rejected_usage import report_without_meter
from ..drift.remediation import Commands
from ..drift.usage_sample import WINDOW, describe_sampling, list_sampled
from ..model.alert import AlertsByMeter
from ..model.change import Action, Change
from ..model.event import REACH
from ..model.finding import DriftEntry, Severity
from ..model.match import MeterMatch, match_meters
from ..model.meter import ExistingMeter, Unreadable
from ..model.price import PricesByLookupKey, PricesByMeter
from ..model.project import Account, Project
from ..model.snapshot import Snapshot
from ..model.usage import RejectedUsage, UsageReport, UsageSample, UsageSampling, sum_reports
from ..planning.diagnose import report_unreadable
from ..planning.diff import decide, list_price_dependencies
from ..planning.guards import check
from ..planning.lookalikes import warn_of_lookalikes
from ..planning.renames import mark_renames
from ..planning.scope import EVERYTHING, Scope, note_partial, select_in_scope
from ..planning.warnings import warn_of_rename, warn_of_unknown_fields
from ..report.exit_code import exit_code_for_drift
from ..report.report import AccountReport
from ..stripe.client import read_if_permitted, run_concurrently
from ..timestamps import format_date
from .read_dependants import read_alerts, read_deadlines, read_prices
from .session import Session
from .snapshot import take_snapshot


def detect_drift(
    project: Project,
    session: Session,
    scope: Scope = EVERYTHING,
    *,
    fail_on: Severity = Severity.LOW,
    sample_usage: int = 0,
    jobs: Mapping[str, str] = MappingProxyType({}),
    path: str | None = None,
) -> AccountReport:
    """Return what differs under each event_name, the worst first; sends only GETs.

    The exit code is CHANGES for findings as bad as `fail_on`, else DENIED where prices are
    unreadable; REFUSED for the wrong account or mode, where nothing is compared. `sample_usage`
    is how many customers of each meter are sampled at most. `jobs` gives the job or user who made
    a plan, by plan_id; `path` is the project's path in suggested commands (default: its root).
    Raises what `make_plan` raises.
    """
    existing, found = session.list_meters(), _Found()
    snapshot, scope = take_snapshot(session, (), existing), scope.narrow_to(project)
    _, diagnostics = check((), session.account, snapshot)
    refused = exit_code_for_drift((), diagnostics, fail_on) is Exit.REFUSED
    if not refused:
        names = select_in_scope(match_meters(session.account.declared, existing), scope)
        commands = Commands(path or project.root, session.account)
        read = _read(names, session, snapshot.taken_at, sample_usage)
        whole = not scope.narrowed
        found = _find_entries(names, read, session, snapshot, jobs, commands, whole=whole)
    diagnostics += found.said
    diagnostics += session.report_rate()
    diagnostics += (note_partial(),) if scope.narrowed else ()
    return AccountReport(
        account=snapshot.account,
        exit_code=exit_code_for_drift(found.entries, diagnostics, fail_on),
        entries=found.entries,
        diagnostics=diagnostics,
        complete=not (refused or found.unread or scope.narrowed),
        sampling=found.sampling,
    )


class _Found(Struct, frozen=True, kw_only=True):
    """All entries, the worst first, what else is to be said, and whether anything is unread."""

    entries: tuple[DriftEntry, ...] = ()
    said: tuple[Diagnostic, ...] = ()
    unread: bool = False
    sampling: UsageSampling | None = None


class _Read(Struct, frozen=True, kw_only=True):
    """What was read besides the meters: prices; rejected usage and alerts by meter id; samples."""

    prices: tuple[PricesByMeter, PricesByLookupKey] | Unreadable
    usage: dict[str, RejectedUsage] | Unreadable
    alerts: AlertsByMeter | Unreadable
    sampling: UsageSampling | Unreadable | None

    @property
    def sampled(self) -> UsageSampling | None:
        """The samples, if some were wanted and the key may read them."""
        return None if isinstance(self.sampling, Unreadable) else self.sampling

    def report_unread(self) -> Iterator[Diagnostic]:
        """Yield a diagnostic for each part that the key may not read."""
        parts = (
            (rules.PRICES_UNREADABLE, self.prices),
            (rules.USAGE_UNREADABLE, self.usage),
            (ALERTS_UNREADABLE, self.alerts),
            (rules.SAMPLE_UNREADABLE, self.sampling),
        )
        for rule, part in parts:
            if isinstance(part, Unreadable):
                yield report_unreadable(rule, part)


def _read(names: tuple[MeterMatch, ...], session: Session, now: int, most: int) -> _Read:
    prices = read_prices(session, names)
    usage = _read_usage(session, now)
    return _Read(
        prices=prices,
        usage=usage,
        alerts=read_alerts(session, names),
        sampling=_sample_usage(names, prices, session, now, most) if most else None,
    )


def _sample_usage(
    names: tuple[MeterMatch, ...],
    prices: tuple[PricesByMeter, PricesByLookupKey] | Unreadable,
    session: Session,
    now: int,
    most: int,
) -> UsageSampling | Unreadable:
    """Sample the usage of up to `most` customers of each meter, of several meters at once."""
    if isinstance(prices, Unreadable):
        return prices
    by_meter, before = prices[0], session.count_requests()
    end = now - now % 60
    start, meters = end - WINDOW, list_sampled(names)
    session.on_progress(f"sampling the usage of {len(meters):,} meters")

    def sample(meter: ExistingMeter) -> UsageSample:
        active = (price.id for price in by_meter.get(meter.id, ()) if price.active)
        return session.usage_sampler.sample(meter, active, most, start, end)

    found = read_if_permitted(
        "rak_billing_meter_event_read", lambda: run_concurrently(sample, meters.values())
    )
    if isinstance(found, Unreadable):
        return found
    return UsageSampling(
        most=most,
        start=start,
        end=end,
        requests=session.count_requests() - before,
        samples=dict(zip(meters, found, strict=True)),
    )


def _warn(names: tuple[MeterMatch, ...], renames: list[Diagnostic]) -> list[Diagnostic]:
    """Return the warnings about unknown fields and similar event_names, with those of renames."""
    named = {one.event_name for one in renames}
    return [
        *(one for each in names for one in warn_of_unknown_fields(each.event_name, each.meters)),
        *renames,
        *(one for one in warn_of_lookalikes(names) if one.event_name not in named),
    ]


def _decide(
    names: tuple[MeterMatch, ...],
    read: _Read,
    account: Account,
    snapshot: Snapshot,
    commands: Commands,
) -> tuple[tuple[Change, ...], DriftInput]:
    """Return the changes that a plan would have, and what their findings depend on."""
    denied = read.prices if isinstance(read.prices, Unreadable) else None
    in_use, expected = ({}, None) if isinstance(read.prices, Unreadable) else read.prices
    every = tuple(decide(each, in_use, account.policy) for each in names)
    changes = mark_renames(every, snapshot.taken_at)
    needing = (each for each in names if list_price_dependencies(each, account.policy))
    needs_prices = frozenset(each.event_name for each in needing)
    seen = replace(snapshot, prices=in_use, unreadable=denied, needs_prices=needs_prices)
    return changes, DriftInput(
        commands=commands,
        policy=account.policy,
        prices=in_use,
        now=snapshot.taken_at,
        refused=_list_refused(changes, account, seen),
        expected=expected,
        rejected={} if isinstance(read.usage, Unreadable) else read.usage,
        alerts={} if isinstance(read.alerts, Unreadable) else read.alerts,
        samples=read.sampled.samples if read.sampled else {},
    )


def _find_entries(
    names: tuple[MeterMatch, ...],
    read: _Read,
    session: Session,
    snapshot: Snapshot,
    jobs: Mapping[str, str],
    commands: Commands,
    *,
    whole: bool,
) -> _Found:
    account, now = session.account, snapshot.taken_at
    unreadable = tuple(read.report_unread())
    sampling = read.sampled
    changes, known = _decide(names, read, account, snapshot, commands)
    inspected = _inspect_all(names, changes, known, account)
    entries = read_deadlines(session, inspected, known.prices, now)
    attributed = _attribute_by_events(entries, session, now, jobs)
    if isinstance(attributed, Unreadable):
        unreadable = (*unreadable, report_unreadable(rules.EVENTS_UNREADABLE, attributed))
        attributed = attribute(entries, None, now, jobs)
    said = _warn(names, [said for change in changes for said in warn_of_rename(change)])
    if whole:
        said += report_without_meter(known.rejected.get(""), account, changes, now)
    said += [*report_expired(account.ignore, format_date(now)), *unreadable]
    said += [describe_sampling(sampling)] if sampling else []
    return _Found(entries=attributed, said=tuple(said), unread=bool(unreadable), sampling=sampling)


def _read_usage(session: Session, now: int) -> dict[str, RejectedUsage] | Unreadable:
    """Return the rejected usage by meter id; that of no meter has an empty one."""
    window = min(session.account.policy.usage_window, REACH)
    if not window:
        return {}
    reports = read_if_permitted(
        "rak_event_read", lambda: list(session.usage_reports.all(since=now - window))
    )
    if isinstance(reports, Unreadable):
        return reports
    by_meter: dict[str, list[UsageReport]] = {}
    for each in reports:
        by_meter.setdefault(each.meter_id or "", []).append(each)
    summed = {meter_id: sum_reports(some, window) for meter_id, some in by_meter.items()}
    return {meter_id: usage for meter_id, usage in summed.items() if usage}


def _inspect_all(
    names: tuple[MeterMatch, ...], changes: tuple[Change, ...], known: DriftInput, account: Account
) -> tuple[DriftEntry, ...]:
    today = format_date(known.now)
    found = (
        exempt(inspect(each, change, known), account.ignore, today)
        for each, change in zip(names, changes, strict=True)
    )
    return tuple(sorted(found, key=rank))


def _list_refused(
    changes: tuple[Change, ...], account: Account, snapshot: Snapshot
) -> frozenset[str]:
    """Return the event_names whose change the suggested command would not apply.

    One is applied on its own; undeclared meters are only deactivated with everything else.
    """
    every, _ = check(changes, account, snapshot)
    aborted = any(each.refused_by or each.action is Action.BLOCKED for each in every)
    return frozenset(
        each.event_name
        for each in changes
        if each.action.writes
        and (check((each,), account, snapshot)[0][0].refused_by if each.desired else aborted)
    )


def _attribute_by_events(
    entries: tuple[DriftEntry, ...], session: Session, now: int, jobs: Mapping[str, str]
) -> tuple[DriftEntry, ...] | Unreadable:
    """Attribute the findings; events are read only where they could explain one."""
    events = session.events.all(since=now - REACH) if needs_events(entries, now) else None
    return read_if_permitted("rak_event_read", lambda: attribute(entries, events, now, jobs))
