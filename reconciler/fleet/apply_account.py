"""Apply to one account: plan or take a saved plan, let it be confirmed, apply, keep a journal."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, ExitStack
from functools import partial
from pathlib import Path

from msgspec import Struct
from msgspec.structs import replace

from .._version import __version__
from ..diagnostics.codes import guards, usage
from ..diagnostics.diagnostic import Diagnostic, Location
from ..diagnostics.errors import Exit
from ..diagnostics.explain_error import explain_error
from ..execution.protocol import NULL_JOURNAL, Journal
from ..history import ci, journal
from ..model.project import Account, Project
from ..operations.apply_plan import (
    OnRefused,
    apply_plan,
    find_refusal,
    select_changes,
    skip_changes,
)
from ..operations.make_plan import Planned, make_plan
from ..operations.revalidate import StalePlanError, revalidate
from ..operations.session import Session
from ..planning.plan import Plan
from ..planning.scope import EVERYTHING, Scope
from ..report.difference import compare_plans
from ..report.history import PastRun
from ..report.report import AccountReport, ReportedChange
from .work import Surroundings

_HOW_TO_COMPARE = (
    "review the new plan, and apply it with its hash; `--approved FILE`, the approved plan as "
    "`plan --save FILE` wrote it, shows what differs"
)
_CANCELLED = 'Cancelled: the answer was not "yes".'


class ApplyOptions(Struct, frozen=True, kw_only=True):
    """How to apply: a `saved` plan instead of a new one, only the `expected` plan_hash.

    Both are by account; the only saved plan is also that of an account of another name, for which
    it is refused. `approved` are the plans that were expected, read from `approved_file`, or why it
    has none.
    """

    scope: Scope = EVERYTHING
    commit: str | None = None
    saved: Mapping[str, Plan] = {}
    expected: Mapping[str, str] | None = None
    approved: Mapping[str, Plan] | Diagnostic | None = None
    approved_file: str = ""
    on_refused: OnRefused = OnRefused.ABORT
    keeps_journal: bool = True


def apply_account(
    options: ApplyOptions, project: Project, account: Account, around: Surroundings
) -> AccountReport:
    """Apply to one account; raise ReconcilerError as long as nothing was written."""
    with around.open_session(account) as session:
        try:
            if saved := options.saved:
                own = saved.get(account.name) or next(iter(saved.values()))
                planned = revalidate(own, session)
            else:
                planned = make_plan(project, session, options.scope, options.commit)
        except StalePlanError as error:
            return error.report
        if unapproved := _check_expected(planned, account, options):
            return unapproved
        try:
            return _Run(options, project, account.name, planned, session, around).confirm()
        except KeyboardInterrupt:  # none is raised from the first request that writes on
            message = "interrupted before the first request: nothing was written"
            return _end(planned, Exit.INTERRUPTED, usage.INTERRUPTED(message))


def _check_expected(
    planned: Planned, account: Account, options: ApplyOptions
) -> AccountReport | None:
    """Return the report of a plan that `--expect` does not approve; None if it does.

    A plan without changes needs no approval: the job that applied it may run again.
    """
    if options.expected is None or find_refusal(planned.report) or not _has_changes(planned):
        return None
    found, expected = planned.plan.plan_hash, options.expected[account.name]
    if not account.is_identified:
        message = f"account {account.name!r} has no `account_id`: --expect approves nothing"
        return _refuse(planned, guards.NO_ACCOUNT_ID(message), "`account_id` is not configured")
    if found != expected:
        message = f"planning gives plan_hash {found}, not the expected {expected}"
        why = f"the plan_hash {found} is not the expected one"
        hint = "" if options.approved else _HOW_TO_COMPARE
        refused = _refuse(planned, guards.UNEXPECTED_PLAN(message, hint=hint), why)
        return _compare(refused, planned.plan, expected, options)
    return None


def _compare(
    refused: AccountReport, plan: Plan, expected: str, options: ApplyOptions
) -> AccountReport:
    """Add what differs from the approved plan: that file, if it has the expected hash."""
    if options.approved is None:
        return refused
    if isinstance(options.approved, Diagnostic):
        return replace(refused, diagnostics=(*refused.diagnostics, options.approved))
    plans = options.approved
    approved = plans.get(plan.target.name) or next(iter(plans.values()))
    if approved.plan_hash != expected:
        message = f"its plan_hash is {approved.plan_hash}, not the expected {expected}"
        said = guards.NOT_COMPARED(message, Location(options.approved_file))
        return replace(refused, diagnostics=(*refused.diagnostics, said))
    return replace(refused, differences=compare_plans(approved, plan))


class _Run(Struct, frozen=True):
    """One plan that is applied to one account."""

    options: ApplyOptions
    project: Project
    name: str
    planned: Planned
    session: Session
    around: Surroundings

    def confirm(self) -> AccountReport:
        """Apply the plan if it is confirmed, or has no changes."""
        on_refused = self.options.on_refused
        sent = select_changes(self.planned, on_refused)
        if not sent:
            return apply_plan(self.planned, self.session, on_refused=on_refused)
        if not self.around.listener.confirm(self.planned):
            return _end(self.planned, Exit.FAILED, usage.CANCELLED(_CANCELLED))
        return self._write(len(sent))

    def _write(self, changes: int) -> AccountReport:
        listener, name = self.around.listener, self.name
        listener.begin_writing(
            name, changes
        )  # a run in the journal has an end, unless it is killed
        with ExitStack() as stack:
            show = partial(listener.show_result, name)
            try:
                keeps = self.options.keeps_journal
                kept = stack.enter_context(self._open_journal()) if keeps else None
                report = self._apply_safely(
                    kept or NULL_JOURNAL, [kept.record_result, show] if kept else [show]
                )
            finally:
                listener.end_writing(name)
            if not kept:
                return report
            kept.end(report.exit_code)
            return replace(report, diagnostics=report.diagnostics + kept.report_losses())

    def _apply_safely(
        self, journal: Journal, listeners: list[Callable[[ReportedChange], None]]
    ) -> AccountReport:
        """Apply; report an unexpected error as a partial apply, since requests may be out."""
        listener = self.around.listener

        def notify(change: ReportedChange) -> None:
            for each in listeners:
                try:
                    each(change)
                except Exception as error:  # one that fails must not keep the next from its call
                    listener.trace(error)

        try:
            return apply_plan(
                self.planned,
                self.session,
                on_refused=self.options.on_refused,
                journal=journal,
                on_result=notify,
                on_replacement=partial(listener.begin_replacement, self.name),
            )
        except Exception as error:
            listener.trace(error)
            diagnostics, _ = explain_error(error, self.around.environ)
            return _end(self.planned, Exit.PARTIAL, *diagnostics)

    def _open_journal(self) -> AbstractContextManager[journal.FileJournal]:
        plan, environ = self.planned.plan, self.around.environ
        run = PastRun(
            account=plan.account,
            plan_id=plan.plan_id,
            plan_hash=plan.plan_hash,
            commit=plan.commit,
            user=ci.find_user(environ),
            job=ci.find_job(environ),
            tool_version=__version__,
        )
        return journal.open_journal(Path(self.project.root) / ".reconciler", run, self.around.clock)


def _end(planned: Planned, exit_code: Exit, *diagnostics: Diagnostic) -> AccountReport:
    report = planned.report
    return replace(report, exit_code=exit_code, diagnostics=(*report.diagnostics, *diagnostics))


def _has_changes(planned: Planned) -> bool:
    """Whether there is something to approve."""
    return any(change.action.writes for change in planned.plan.changes)


def _refuse(planned: Planned, refusal: Diagnostic, why: str) -> AccountReport:
    """Return the report of a plan that is not approved: its error, and a result of each change."""
    report = skip_changes(planned.report, why, refusal.hint)
    return replace(report, exit_code=Exit.REFUSED, diagnostics=(refusal, *report.diagnostics))
