"""The audit of an account: read both sides, name what differs, ask the events who did it.

Its requests: the listing of meters, the account, the metered prices once over the whole
account, and events only where they could explain something.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from ..diagnostics.codes import drift as rules
from ..diagnostics.codes import guards
from ..diagnostics.diagnostic import Problem, Rule
from ..diagnostics.errors import Exit
from ..drift.attribution import REACH, askable, attribute
from ..drift.exemptions import exempt, run_out
from ..drift.findings import Known, inspect
from ..drift.remediation import Commands
from ..model.change import Severity, weight
from ..model.match import Namesakes, namesakes
from ..model.meter import Unreadable
from ..model.price import by_meter
from ..model.project import Project
from ..planning.guards import check
from ..planning.scope import EVERYTHING, Scope, in_scope
from ..planning.warnings import partial
from ..report.exit_code import after_audit
from ..report.report import AccountReport, Line
from ..stripe.client import readable
from ..timestamps import date
from .session import Session
from .snapshot import look, situation

_HIDES_NOTHING = (rules.EXEMPTION_EXPIRED.code, guards.ACCOUNT_UNREADABLE.code)


def audit(
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
    live = session.meters.live()
    seen, scope = look(session, (), live), scope.within(project)
    lines: tuple[Line, ...] = ()
    _, problems = check((), situation(session.account, seen))
    if after_audit((), problems, fail_on) is not Exit.REFUSED:
        names = in_scope(namesakes(session.account.declared, live), scope)
        lines, found = _judged(names, session, jobs, path or project.root)
        problems += found
    problems += (partial(),) if scope.narrowed else ()
    exit_code = after_audit(lines, problems, fail_on)
    complete = all(said.code in _HIDES_NOTHING for said in problems)
    return AccountReport(
        account=seen.account, exit_code=exit_code, lines=lines, problems=problems, complete=complete
    )


def _judged(
    names: tuple[Namesakes, ...], session: Session, jobs: Mapping[str, str], path: str
) -> tuple[tuple[Line, ...], tuple[Problem, ...]]:
    """The lines of all names, the worst first; what has run out, and what may not be read."""
    account, now = session.account, int(session.clock.now())
    problems = run_out(account.ignore, date(now))
    prices = session.prices.all()
    if isinstance(prices, Unreadable):
        problems, prices = (*problems, _unread(rules.PRICES_UNREADABLE, prices)), ()
    known = Known(
        commands=Commands(path, account), policy=account.policy, prices=by_meter(prices), now=now
    )
    found = (exempt(inspect(each, known), account.ignore, date(now)) for each in names)
    lines = sorted(found, key=lambda it: (-weight(it.change.severity), it.change.event_name))
    told = _attributed(tuple(lines), session, now, jobs)
    if isinstance(told, Unreadable):
        problems = (*problems, _unread(rules.EVENTS_UNREADABLE, told))
        told = attribute(tuple(lines), None, now, jobs)
    return told, problems


def _attributed(
    lines: tuple[Line, ...], session: Session, now: int, jobs: Mapping[str, str]
) -> tuple[Line, ...] | Unreadable:
    """The lines with what the events tell of them; none is read where none can tell anything."""
    events = session.events.all(since=now - REACH) if askable(lines, now) else None
    return readable("rak_event_read", lambda: attribute(lines, events, now, jobs))


def _unread(rule: Rule, what: Unreadable) -> Problem:
    return rule(f"{rule.title} (permission: {what.permission})")
