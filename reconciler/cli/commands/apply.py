"""`apply`: plan (or load a saved plan), confirm, apply, verify, and keep a journal."""

from __future__ import annotations

import os
from collections.abc import Mapping
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Self

from ..._version import __version__
from ...config import load
from ...diagnostics.codes import guards, usage
from ...diagnostics.diagnostic import Diagnostic, Location
from ...diagnostics.errors import ConfigError, Exit, RefusedError, UsageError
from ...execution.protocol import NULL_JOURNAL, Journal
from ...history import ci, journal
from ...model.change import Action
from ...model.project import Account, AccountRef, Project
from ...operations.apply_plan import (
    OnRefused,
    apply_plan,
    find_refusal,
    select_changes,
    skip_changes,
)
from ...operations.make_plan import Planned, make_plan
from ...operations.revalidate import StalePlanError, revalidate
from ...operations.session import Session
from ...planning.plan import Plan
from ...planning.scope import Scope
from ...render import Document
from ...render.escape import clean
from ...report.difference import compare_plans
from ...report.history import PastRun
from ...report.report import AccountReport, ReportedChange
from .. import files
from ..accounts import build_report, build_scope, select_accounts
from ..arguments import flag, option
from ..context import Command, Context, open_session
from ..errors import explain_error, trace
from ..fleet.expected_hashes import read_expected
from ..fleet.parts import FleetOptions, take_part
from ..fleet.saved_plans import load_plans
from ..output import show_preview
from ..progress import OnResult, progress

_STOPPING = "Stopping: finishing changes in progress. Interrupt again to quit now."
_CANCELLED = 'Cancelled: the answer was not "yes".'


@dataclass(frozen=True, slots=True, kw_only=True)
class ApplyOptions(FleetOptions):
    """Which plan to apply, whether to ask first, and what to do about refused changes."""

    yes: bool = flag("apply without asking for confirmation")
    plan: str | None = option(
        "apply exactly this saved plan, or each plan in this folder, without asking",
        metavar="FILE",
    )
    expect: str | None = option(
        "apply only if the new plan has this plan_hash; with several accounts a FILE.json: "
        '{"account": "plan_hash", …}',
        metavar="HASH",
    )
    approved: str | None = option(
        "with --expect: the saved plan, or folder of plans, that was approved, to show what "
        "differs; never applied",
        metavar="FILE",
    )
    skip_refused: bool = flag("apply the remaining changes; still exits 3")
    no_journal: bool = flag("do not keep a journal in .reconciler/")

    def writes(self) -> tuple[tuple[str, int], ...]:
        """Return the reports; raise UsageError for one in place of a plan that is read."""
        written = FleetOptions.writes(self)
        for plan, what in ((self.plan, "plan to apply"), (self.approved, "approved plan")):
            if plan and any(files.is_same_file(plan, file) for file, _ in written):
                raise UsageError(usage.PROTECTED_FILE(f"{plan} is the {what}"))
        return written

    def read_environment(self, environ: Mapping[str, str]) -> Self:
        """Return the options; a saved plan says itself which account it is for."""
        return self if self.plan else FleetOptions.read_environment(self, environ)


def _apply(options: ApplyOptions, context: Context) -> Document:
    if not (options.yes or options.plan or context.console.interactive):
        raise UsageError(usage.NO_TERMINAL("apply needs a terminal, --yes or --plan FILE"))
    if options.plan and options.only:
        message = "--only cannot narrow a saved plan"
        raise UsageError(usage.BAD_OPTIONS(message, hint=_HELP))
    if options.approved and options.expect is None:
        message = "--approved needs --expect: it shows what differs from the expected plan"
        raise UsageError(usage.BAD_OPTIONS(message, hint=_HELP))
    saved = load_plans(options.plan) if options.plan else {}
    approved = _read_approved(options.approved) if options.approved else None
    project = load(options.path)
    if saved:  # PATH only finds the project: the plan has its changes
        project = replace(project, selected=None)
    accounts = _select_accounts(project, options.account, saved)
    if len(accounts) > 1 and len(saved) == 1:
        message = "--plan FILE takes one account"
        raise UsageError(usage.BAD_OPTIONS(message, hint=_HELP))
    part = take_part(options, "apply", project, accounts)
    names = [account.name for account in part.accounts]
    commit, unknown = (None, ()) if options.plan else ci.find_commit(project.root, context.environ)
    run = _Run(
        options=options,
        context=context,
        project=project,
        commit=commit,
        scope=build_scope(accounts, options.only),
        saved=saved,
        expected=read_expected(options.expect, names, (a.name for a in project.accounts)),
        approved=approved,
    )
    report = build_report("apply", project, part.accounts, context, run.apply_to, unknown)
    return part.complete(report)


_HELP = "see `reconciler apply --help`"
_HOW_TO_COMPARE = (
    "review the new plan, and apply it with its hash; `--approved FILE`, the approved plan as "
    "`plan --save FILE` wrote it, shows what differs"
)


def _read_approved(path: str) -> Mapping[str, Plan] | Diagnostic:
    """Return the approved plans by account; of a file that is none, only a warning."""
    if not os.path.isdir(path):
        files.read(path, files.SAVED_PLAN)
    try:
        return load_plans(path)
    except ConfigError as error:
        return guards.NOT_COMPARED(error.diagnostics[0].message, Location(path))


def _select_accounts(
    project: Project, patterns: tuple[str, ...], saved: Mapping[str, Plan]
) -> tuple[Account, ...]:
    """Return the accounts of the run: those of the saved plans; raise RefusedError without them."""
    if not saved:
        return select_accounts(project, patterns)
    known = {account.name for account in project.accounts}
    for name in saved:
        if name not in known:
            message = f"the plan is for another account: the project has no account {name!r}"
            raise RefusedError(guards.FOREIGN_PLAN(message))
    chosen = select_accounts(project, patterns or tuple(saved))
    return tuple(account for account in chosen if account.name in saved) or chosen


@dataclass(frozen=True, slots=True, kw_only=True)
class _Run:
    """What all accounts of one apply share."""

    options: ApplyOptions
    context: Context
    project: Project
    commit: str | None
    scope: Scope
    saved: Mapping[str, Plan]
    expected: Mapping[str, str] | None
    approved: Mapping[str, Plan] | Diagnostic | None

    @property
    def on_refused(self) -> OnRefused:
        """What to do about refused changes."""
        return OnRefused.SKIP if self.options.skip_refused else OnRefused.ABORT

    def apply_to(self, account: Account) -> AccountReport:
        """Apply to one account; raise ReconcilerError as long as nothing was written."""
        with open_session(account, self.context) as session:
            try:
                planned = self._plan(session)
            except StalePlanError as error:
                return error.report
            if unapproved := self._check_expected(planned, account):
                return unapproved
            try:
                return self._confirm(planned, session)
            except KeyboardInterrupt:  # none is raised from the first request that writes on
                message = "interrupted before the first request: nothing was written"
                return _end(planned, Exit.INTERRUPTED, usage.INTERRUPTED(message))

    def _check_expected(self, planned: Planned, account: Account) -> AccountReport | None:
        """Return the report of a plan that `--expect` does not approve; None if it does.

        A plan without changes needs no approval: the job that applied it may run again.
        """
        if self.expected is None or find_refusal(planned.report) or not _has_changes(planned):
            return None
        found, expected = planned.plan.plan_hash, self.expected[account.name]
        if not account.is_identified:
            message = f"account {account.name!r} has no `account_id`: --expect approves nothing"
            return _refuse(planned, guards.NO_ACCOUNT_ID(message), "`account_id` is not configured")
        if found != expected:
            message = f"planning gives plan_hash {found}, not the expected {expected}"
            why = f"the plan_hash {found} is not the expected one"
            hint = "" if self.approved else _HOW_TO_COMPARE
            refused = _refuse(planned, guards.UNEXPECTED_PLAN(message, hint=hint), why)
            return self._compare(refused, planned.plan, expected)
        return None

    def _compare(self, refused: AccountReport, plan: Plan, expected: str) -> AccountReport:
        """Add what differs from the approved plan: that file, if it has the expected hash."""
        if self.approved is None:
            return refused
        if isinstance(self.approved, Diagnostic):
            return replace(refused, diagnostics=(*refused.diagnostics, self.approved))
        plans = self.approved
        approved = plans.get(plan.target.name) or next(iter(plans.values()))
        if approved.plan_hash != expected:
            message = f"its plan_hash is {approved.plan_hash}, not the expected {expected}"
            said = guards.NOT_COMPARED(message, Location(str(self.options.approved)))
            return replace(refused, diagnostics=(*refused.diagnostics, said))
        return replace(refused, differences=compare_plans(approved, plan))

    def _plan(self, session: Session) -> Planned:
        if self.saved:
            return revalidate(self._find_saved(session.account.name), session)
        return make_plan(self.project, session, self.scope, self.commit)

    def _find_saved(self, name: str) -> Plan:
        """Return the plan of an account; of another one where only that is saved: it is refused."""
        return self.saved.get(name) or next(iter(self.saved.values()))

    def _confirm(self, planned: Planned, session: Session) -> AccountReport:
        if not select_changes(planned, self.on_refused):
            return apply_plan(planned, session, on_refused=self.on_refused)
        if not (self.options.yes or self.saved):
            show_preview(planned.report, self.context.output, self.context.console)
            if not self._ask(planned.report.account):
                return _end(planned, Exit.FAILED, usage.CANCELLED(_CANCELLED))
        return self._write(planned, session)

    def _ask(self, account: AccountRef) -> bool:
        """Ask for a yes; a `y` is probably meant as one, and is asked once more."""
        console = self.context.console
        answer = console.ask(_format_question(account))
        if answer.lower() == "y":
            answer = console.ask("Please type 'yes' in full to apply: ")
        return answer == "yes"

    def _write(self, planned: Planned, session: Session) -> AccountReport:
        console, name = self.context.console, planned.report.account.name
        sent = select_changes(planned, self.on_refused)
        with ExitStack() as stack:
            wanted = not self.options.no_journal
            kept = stack.enter_context(self._open_journal(planned.plan)) if wanted else None
            show = stack.enter_context(progress(console, name, len(sent)))
            losses = self.context.stop.losses
            listeners = [kept.record_result, show] if kept else [show]
            listeners.append(lambda _: losses.clear())
            self.context.stop.defer(lambda: console.warn(_STOPPING))
            report = self._apply_safely(planned, session, kept or NULL_JOURNAL, listeners)
            self.context.stop.defer()
            if not kept:
                return report
            kept.end(report.exit_code)
            return replace(report, diagnostics=report.diagnostics + kept.report_losses())

    def _apply_safely(
        self, planned: Planned, session: Session, journal: Journal, listeners: list[OnResult]
    ) -> AccountReport:
        """Apply; report an unexpected error as a partial apply, since requests may be out."""

        def notify(change: ReportedChange) -> None:
            for listener in listeners:
                try:
                    listener(change)
                except Exception as error:  # one that fails must not keep the next from its call
                    trace(error, self.context.output, self.context.console)

        try:
            return apply_plan(
                planned,
                session,
                on_refused=self.on_refused,
                journal=journal,
                on_result=notify,
                on_replacement=self.context.stop.losses.append,
            )
        except Exception as error:
            trace(error, self.context.output, self.context.console)
            diagnostics, _ = explain_error(error, self.context.environ)
            return _end(planned, Exit.PARTIAL, *diagnostics)

    def _open_journal(self, plan: Plan) -> AbstractContextManager[journal.FileJournal]:
        run = PastRun(
            account=plan.account,
            plan_id=plan.plan_id,
            plan_hash=plan.plan_hash,
            commit=plan.commit,
            user=ci.find_user(self.context.environ),
            job=ci.find_job(self.context.environ),
            tool_version=__version__,
        )
        return journal.open_journal(
            Path(self.project.root) / ".reconciler", run, self.context.clock
        )


def _end(planned: Planned, exit_code: Exit, *diagnostics: Diagnostic) -> AccountReport:
    report = planned.report
    return replace(report, exit_code=exit_code, diagnostics=(*report.diagnostics, *diagnostics))


def _has_changes(planned: Planned) -> bool:
    """Whether there is something to approve."""
    actions = [change.action for change in planned.plan.changes]
    return any(action.writes or action is Action.BLOCKED for action in actions)


def _refuse(planned: Planned, refusal: Diagnostic, why: str) -> AccountReport:
    """Return the report of a plan that is not approved: its error, and a result of each change."""
    report = skip_changes(planned.report, why, refusal.hint)
    return replace(report, exit_code=Exit.REFUSED, diagnostics=(refusal, *report.diagnostics))


def _format_question(account: AccountRef) -> str:
    modes = {True: "LIVE mode", False: "test mode", None: "mode unknown"}
    mode = modes[account.livemode]
    return f"\nApply this plan to {clean(account.name)} ({mode})? Only 'yes' will be accepted: "


COMMAND = Command(
    ApplyOptions,
    "Plan, show the plan, ask for confirmation, apply it and verify the account. A plan "
    "with a blocked or refused change writes nothing, unless --skip-refused is given.",
    _apply,
)
