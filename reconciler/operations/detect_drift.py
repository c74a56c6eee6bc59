"""The audit of an account: read both sides, name what differs, ask the events who did it.

Its requests: the listing of meters, the account, the metered prices once over the whole
account, and events only where they could explain something.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from ..diagnostics.codes import drift as rules
from ..diagnostics.codes import guards
from ..diagnostics.diagnostic import Diagnostic, Rule
from ..diagnostics.errors import Exit
from ..drift.attribution import REACH, askable, attribute
from ..drift.exemptions import exempt, run_out
from ..drift.findings import Known, inspect
from ..drift.remediation import Commands
from ..model.change import Severity, weight
from ..model.match import MeterMatch, match_meters
from ..model.meter import Unreadable
from ..model.price import by_meter
from ..model.project import Project
from ..planning.guards import check
from ..planning.scope import EVERYTHING, Scope, in_scope
from ..planning.warnings import partial
from ..report.exit_code import exit_code_for_drift
from ..report.report import AccountReport, ReportedChange
from ..stripe.client import readable
from ..timestamps import date
from .session import Session
from .snapshot import guard_input, take_snapshot

_HIDES_NOTHING = (rules.EXEMPTION_EXPIRED.code, guards.ACCOUNT_UNREADABLE.code)


def detect_drift(
    project: Project,
    session: Session,
    scope: Scope = EVERYTHING,
    *,
    fail_on: Severity = Severity.LOW,
    jobs: Mapping[str, str] = MappingProxyType({}),
    path: str | None = None,
) -> AccountReport:
    """Everything that differs under each name, the worst first; only ever sends GETs.

    The exit code is CHANGES for findings as bad as `fail_on`, else FAILED where prices are
    unreadable; REFUSED on the wrong account or mode, where nothing is compared. `jobs` names
    who made a plan, by plan_id; `path` is how commands for the reader name the project (else
    by its root). Raises what `make_plan` raises.
    """
    existing = session.meters.list_all()
    snapshot, scope = take_snapshot(session, (), existing), scope.within(project)
    changes: tuple[ReportedChange, ...] = ()
    _, diagnostics = check((), guard_input(session.account, snapshot))
    if exit_code_for_drift((), diagnostics, fail_on) is not Exit.REFUSED:
        names = in_scope(match_meters(session.account.declared, existing), scope)
        changes, found = _judged(names, session, jobs, path or project.root)
        diagnostics += found
    diagnostics += (partial(),) if scope.narrowed else ()
    exit_code = exit_code_for_drift(changes, diagnostics, fail_on)
    complete = all(said.code in _HIDES_NOTHING for said in diagnostics)
    return AccountReport(
        account=snapshot.account,
        exit_code=exit_code,
        changes=changes,
        diagnostics=diagnostics,
        complete=complete,
    )


def _judged(
    names: tuple[MeterMatch, ...], session: Session, jobs: Mapping[str, str], path: str
) -> tuple[tuple[ReportedChange, ...], tuple[Diagnostic, ...]]:
    """The lines of all names, the worst first; what has run out, and what may not be read."""
    account, now = session.account, int(session.clock.now())
    diagnostics = run_out(account.ignore, date(now))
    prices = session.prices.all()
    if isinstance(prices, Unreadable):
        diagnostics, prices = (*diagnostics, _unread(rules.PRICES_UNREADABLE, prices)), ()
    known = Known(
        commands=Commands(path, account), policy=account.policy, prices=by_meter(prices), now=now
    )
    found = (exempt(inspect(each, known), account.ignore, date(now)) for each in names)
    changes = sorted(found, key=lambda it: (-weight(it.change.severity), it.change.event_name))
    on_result = _attributed(tuple(changes), session, now, jobs)
    if isinstance(on_result, Unreadable):
        diagnostics = (*diagnostics, _unread(rules.EVENTS_UNREADABLE, on_result))
        on_result = attribute(tuple(changes), None, now, jobs)
    return on_result, diagnostics


def _attributed(
    changes: tuple[ReportedChange, ...], session: Session, now: int, jobs: Mapping[str, str]
) -> tuple[ReportedChange, ...] | Unreadable:
    """The lines with what the events tell of them; none is read where none can tell anything."""
    events = session.events.all(since=now - REACH) if askable(changes, now) else None
    return readable("rak_event_read", lambda: attribute(changes, events, now, jobs))


def _unread(rule: Rule, what: Unreadable) -> Diagnostic:
    return rule(f"{rule.title} (permission: {what.permission})")
