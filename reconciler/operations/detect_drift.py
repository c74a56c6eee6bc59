"""Detect drift: read both sides, find what differs, and attribute it by the events.

It requests the listing of meters, the account, the active metered prices of the whole account
once, archived ones and billing alerts only of meters where they matter, the reports of rejected
usage, subscriptions only to the prices that bill lost usage, and events only where they could
explain a finding.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from types import MappingProxyType

from ..diagnostics.codes import drift as rules
from ..diagnostics.diagnostic import Diagnostic, Rule
from ..diagnostics.errors import Exit
from ..drift.attribution import REACH, attribute, needs_events
from ..drift.exemptions import exempt, report_expired
from ..drift.findings import DriftInput, inspect, rank
from ..drift.rejected_usage import report_without_meter
from ..drift.remediation import Commands
from ..model.change import Action, Change
from ..model.finding import DriftEntry, Severity
from ..model.match import MeterMatch, match_meters
from ..model.meter import Unreadable
from ..model.project import Account, Project
from ..model.snapshot import Snapshot
from ..model.usage import RejectedUsage, UsageReport, sum_reports
from ..planning.alerts import report_unreadable_alerts
from ..planning.diff import decide, list_price_dependencies
from ..planning.guards import check
from ..planning.lookalikes import warn_of_lookalikes
from ..planning.renames import mark_renames
from ..planning.scope import EVERYTHING, Scope, select_in_scope
from ..planning.warnings import note_partial, warn_of_rename, warn_of_unknown_fields
from ..report.exit_code import exit_code_for_drift
from ..report.report import AccountReport
from ..stripe.client import read_if_permitted
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
    jobs: Mapping[str, str] = MappingProxyType({}),
    path: str | None = None,
) -> AccountReport:
    """Return what differs under each event_name, the worst first; sends only GETs.

    The exit code is CHANGES for findings as bad as `fail_on`, else DENIED where prices are
    unreadable; REFUSED for the wrong account or mode, where nothing is compared. `jobs` gives
    the job or user who made a plan, by plan_id; `path` is the project's path in suggested
    commands (default: its root). Raises what `make_plan` raises.
    """
    existing = session.meters.list_all()
    snapshot, scope = take_snapshot(session, (), existing), scope.narrow_to(project)
    entries: tuple[DriftEntry, ...] = ()
    unreadable: tuple[Diagnostic, ...] = ()
    _, diagnostics = check((), session.account, snapshot)
    refused = exit_code_for_drift((), diagnostics, fail_on) is Exit.REFUSED
    if not refused:
        names = select_in_scope(match_meters(session.account.declared, existing), scope)
        commands = Commands(path or project.root, session.account)
        entries, renames, unreadable = _find_entries(
            names, session, snapshot, jobs, commands, whole=not scope.narrowed
        )
        today = format_date(snapshot.taken_at)
        diagnostics += (*_warn(names, renames), *report_expired(session.account.ignore, today))
        diagnostics += unreadable
    diagnostics += session.report_rate()
    diagnostics += (note_partial(),) if scope.narrowed else ()
    return AccountReport(
        account=snapshot.account,
        exit_code=exit_code_for_drift(entries, diagnostics, fail_on),
        entries=entries,
        diagnostics=diagnostics,
        complete=not (refused or unreadable or scope.narrowed),
    )


def _warn(names: tuple[MeterMatch, ...], renames: tuple[Diagnostic, ...]) -> Iterator[Diagnostic]:
    for each in names:
        yield from warn_of_unknown_fields(each.event_name, each.meters)
    yield from renames
    named = {one.event_name for one in renames}
    yield from (one for one in warn_of_lookalikes(names) if one.event_name not in named)


def _find_entries(
    names: tuple[MeterMatch, ...],
    session: Session,
    snapshot: Snapshot,
    jobs: Mapping[str, str],
    commands: Commands,
    *,
    whole: bool,
) -> tuple[tuple[DriftEntry, ...], tuple[Diagnostic, ...], tuple[Diagnostic, ...]]:
    """Return all entries, the worst first, what else is to be said, and what could not be read."""
    account, now = session.account, snapshot.taken_at
    found, usage = read_prices(session, names), _read_usage(session, now)
    unreadable = tuple(_report_unread(found, usage, alerts := read_alerts(session, names)))
    denied = found if isinstance(found, Unreadable) else None
    in_use, expected = ({}, None) if isinstance(found, Unreadable) else found
    rejected = {} if isinstance(usage, Unreadable) else usage
    changes = mark_renames(tuple(decide(each, in_use, account.policy) for each in names), now)
    needing = (each for each in names if list_price_dependencies(each, account.policy))
    needs_prices = frozenset(each.event_name for each in needing)
    seen = replace(snapshot, prices=in_use, unreadable=denied, needs_prices=needs_prices)
    known = DriftInput(
        commands=commands,
        policy=account.policy,
        prices=in_use,
        now=now,
        refused=_list_refused(changes, account, seen),
        expected=expected,
        rejected=rejected,
        alerts={} if isinstance(alerts, Unreadable) else alerts,
    )
    inspected = _inspect_all(names, changes, known, account)
    entries = read_deadlines(session, inspected, in_use, now)
    attributed = _attribute_by_events(entries, session, now, jobs)
    if isinstance(attributed, Unreadable):
        unreadable = (*unreadable, _report_unreadable(rules.EVENTS_UNREADABLE, attributed))
        attributed = attribute(entries, None, now, jobs)
    said = [said for change in changes for said in warn_of_rename(change)]
    if whole:
        said += report_without_meter(rejected.get(""), account, changes, now)
    return attributed, tuple(said), unreadable


def _report_unread(prices: object, usage: object, alerts: object) -> Iterator[Diagnostic]:
    if isinstance(prices, Unreadable):
        yield _report_unreadable(rules.PRICES_UNREADABLE, prices)
    if isinstance(usage, Unreadable):
        yield _report_unreadable(rules.USAGE_UNREADABLE, usage)
    if isinstance(alerts, Unreadable):
        yield report_unreadable_alerts(alerts)


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


def _report_unreadable(rule: Rule, what: Unreadable) -> Diagnostic:
    return rule(f"{rule.title} (permission: {what.permission})")
