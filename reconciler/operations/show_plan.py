"""Report a saved plan as it was made, from its file alone."""

from __future__ import annotations

from collections.abc import Iterator

from ..diagnostics.catalogue import CATALOGUE
from ..diagnostics.codes import applying
from ..diagnostics.diagnostic import Diagnostic, Effect, Rule
from ..model.change import Change
from ..planning.diagnose import diagnose
from ..planning.plan import Plan
from ..planning.scope import note_partial
from ..planning.warnings import plan_warnings
from ..report.report import AccountReport, ReportedChange
from ..timestamps import format_time


def show_plan(plan: Plan) -> AccountReport:
    """Return the report of a saved plan. What has changed since is unknown; `apply` checks it."""
    diagnostics = (
        _describe_origin(plan),
        *_list_refusals(plan.changes),
        *plan_warnings(plan.changes, plan.created_at),
        *(() if plan.complete else (note_partial(),)),
    )
    return AccountReport(
        account=plan.account,
        changes=tuple(ReportedChange(change) for change in plan.changes),
        diagnostics=diagnostics,
        complete=plan.complete,
        plan_id=plan.plan_id,
        plan_hash=plan.plan_hash,
    )


def _describe_origin(plan: Plan) -> Diagnostic:
    made = f"this plan was made {format_time(plan.created_at)} by reconciler {plan.tool_version}"
    commit = f" for commit {plan.commit}" if plan.commit else ""
    return applying.SAVED_PLAN(f"{made}{commit}; the account may have changed since")


def _list_refusals(changes: tuple[Change, ...]) -> Iterator[Diagnostic]:
    """Yield why changes were refused: of each code, what it means; the details are not saved."""
    said: set[str] = set()
    for change in changes:
        for code in change.refused_by:
            rule = CATALOGUE.get(code) or Rule(code, "refused by a guard", "", "")
            if rule.effect is not Effect.ACCOUNT:
                yield diagnose(change, rule, f"{change.event_name!r}: {rule.title}")
            elif code not in said:
                said.add(code)
                yield rule(rule.title)
