"""Read both sides, compare them, apply the guards."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from .._version import __version__
from ..diagnostics.diagnostic import Problem
from ..model.change import Change
from ..model.match import namesakes
from ..model.project import Project
from ..planning.diff import decide
from ..planning.guards import check
from ..planning.plan import Plan, Target, in_order, seal
from ..planning.scope import EVERYTHING, Scope, in_scope
from ..planning.warnings import partial, remarks
from ..report.exit_code import after_plan
from ..report.report import AccountReport, Line
from .session import Session
from .snapshot import Looked, look, situation


@dataclass(frozen=True, slots=True)
class Planned:
    """A plan, what is said about it, and which of its lines were found done already.

    `already` has their event_names, each with the id of the meter that stands as wanted, if one
    is to stand.
    """

    plan: Plan
    report: AccountReport
    already: Mapping[str, str | None] = field(default_factory=dict)


def make_plan(
    project: Project, session: Session, scope: Scope = EVERYTHING, commit: str | None = None
) -> Planned:
    """Read both sides, compare them, judge the difference. Writes nothing.

    Raises AuthError when the key is missing or refused, ServiceError when the account cannot
    be read, StoppedError after a stop signal.
    """
    live = session.meters.live()
    scope = scope.within(project)
    names = in_scope(namesakes(session.account.declared, live), scope)
    seen = look(session, names, live)
    decided = (decide(each, seen.prices, session.account.policy) for each in names)
    changes, refusals = check(in_order(decided), situation(session.account, seen))
    plan = Plan(
        account=seen.account,
        target=Target.of(session.account),
        changes=changes,
        listed=tuple(sorted(meter.id for meter in live)),
        configuration=project.digest,
        commit=commit,
        created_at=int(session.clock.now()),
        nonce=secrets.token_hex(16),
        tool_version=__version__,
        complete=not scope.narrowed,
    )
    return reviewed(seal(plan), changes, refusals, seen)


def reviewed(
    plan: Plan,
    changes: tuple[Change, ...],
    refusals: tuple[Problem, ...],
    seen: Looked,
    already: Mapping[str, str | None] = MappingProxyType({}),
) -> Planned:
    """A plan with the lines that guards have marked, and the report that says so."""
    said = remarks(changes, seen.unreadable)
    problems = (*refusals, *said, *(() if plan.complete else (partial(),)))
    report = AccountReport(
        account=plan.account,
        exit_code=after_plan(changes, problems),
        lines=tuple(Line(change) for change in changes),
        problems=problems,
        complete=plan.complete,
        plan_id=plan.plan_id,
        plan_hash=plan.plan_hash,
    )
    return Planned(plan, report, already)
