"""Compare the configuration with the account, and make a plan."""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Iterator, Mapping
from types import MappingProxyType

from msgspec import Struct
from msgspec.structs import replace

from .._version import __version__
from ..diagnostics.codes.planning import ALERTS_UNREADABLE
from ..diagnostics.diagnostic import Diagnostic
from ..model.change import Change
from ..model.match import match_meters
from ..model.meter import Unreadable
from ..model.price import Price
from ..model.project import Project
from ..model.snapshot import Snapshot
from ..planning.diagnose import report_unreadable
from ..planning.diff import decide
from ..planning.guards import check
from ..planning.plan import Plan, Target, seal, sort_for_apply
from ..planning.renames import mark_renames
from ..planning.scope import EVERYTHING, Scope, note_partial, select_in_scope
from ..planning.warnings import plan_warnings
from ..report.exit_code import exit_code_for_plan
from ..report.report import AccountReport, ReportedChange
from .session import Session
from .snapshot import take_snapshot


class Planned(Struct, frozen=True):
    """A plan, its report, and the changes that were found applied already.

    `already` maps their event_names to the id of the active meter, or to None where none is to
    be active. `prices` are those that were read to decide, by event_name.
    """

    plan: Plan
    report: AccountReport
    already: Mapping[str, str | None] = {}
    prices: Mapping[str, tuple[Price, ...] | Unreadable] = {}


def make_plan(
    project: Project, session: Session, scope: Scope = EVERYTHING, commit: str | None = None
) -> Planned:
    """Read the account, compare it with the configuration, and apply the guards. Write nothing.

    Raises AuthError if the key is missing or rejected, ServiceError if the account cannot be
    read, StoppedError after a stop signal.
    """
    existing = session.list_meters()
    scope = scope.narrow_to(project)
    names = select_in_scope(match_meters(session.account.declared, existing), scope)
    snapshot = take_snapshot(session, names, existing)
    decided = (decide(each, snapshot.prices, session.account.policy) for each in names)
    marked = mark_renames(sort_for_apply(decided), snapshot.taken_at)
    changes, refusals = check(add_alerts(marked, snapshot), session.account, snapshot)
    plan = Plan(
        account=snapshot.account,
        target=Target.of(session.account),
        changes=changes,
        listed=tuple(sorted(meter.id for meter in existing)),
        commit=commit,
        created_at=snapshot.taken_at,
        nonce=secrets.token_hex(16),
        tool_version=__version__,
        complete=not scope.narrowed,
    )
    planned = report_plan(seal(plan), (*refusals, *session.report_rate()), snapshot)
    report = replace(planned.report, identified=session.account.is_identified)
    return replace(planned, report=report)


def report_plan(
    plan: Plan,
    refusals: tuple[Diagnostic, ...],
    snapshot: Snapshot,
    already: Mapping[str, str | None] = MappingProxyType({}),
) -> Planned:
    """Return a plan with its report."""
    warnings = plan_warnings(plan.changes, snapshot.taken_at, snapshot.unreadable)
    diagnostics = (*refusals, *warnings, *(() if plan.complete else (note_partial(),)))
    if snapshot.alerts_unreadable:
        diagnostics += (report_unreadable(ALERTS_UNREADABLE, snapshot.alerts_unreadable),)
    report = AccountReport(
        account=plan.account,
        exit_code=exit_code_for_plan(plan.changes, diagnostics),
        changes=tuple(ReportedChange(change) for change in plan.changes),
        diagnostics=diagnostics,
        complete=plan.complete and snapshot.alerts_unreadable is None,
        plan_id=plan.plan_id,
        plan_hash=plan.plan_hash,
    )
    return Planned(plan, report, already, dict(_list_known_prices(plan, snapshot)))


def add_alerts(changes: Iterable[Change], snapshot: Snapshot) -> tuple[Change, ...]:
    """Return the changes with the billing alerts on the meters that they deactivate, or would."""
    return tuple(_add_alerts(each, snapshot) for each in changes)


def _add_alerts(change: Change, snapshot: Snapshot) -> Change:
    if change.existing is None:
        return change
    alerts = snapshot.alerts.get(change.existing.id, ())
    return change if change.alerts == alerts else replace(change, alerts=alerts)


def _list_known_prices(
    plan: Plan, snapshot: Snapshot
) -> Iterator[tuple[str, tuple[Price, ...] | Unreadable]]:
    """Yield the event_names of which every meter's prices were read, with these prices."""
    for change in plan.changes if snapshot.priced else ():
        ids = [meter.id for meter in change.existing_meters]
        if ids and snapshot.priced.issuperset(ids):
            found = tuple(price for id_ in ids for price in snapshot.prices.get(id_, ()))
            yield change.event_name, snapshot.unreadable or found
