"""`apply`: plan (or load a saved plan), confirm, apply, verify, and keep a journal."""

from __future__ import annotations

from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass, replace
from pathlib import Path

from ..._version import __version__
from ...config import load
from ...diagnostics.codes import guards, usage
from ...diagnostics.diagnostic import Diagnostic
from ...diagnostics.errors import Exit, UsageError
from ...execution.protocol import NULL_JOURNAL, Journal
from ...history import ci, journal
from ...model.project import Account, AccountRef, Project
from ...operations.apply_plan import OnRefused, apply_plan
from ...operations.make_plan import Planned, make_plan
from ...operations.revalidate import StalePlanError, revalidate
from ...operations.session import Session
from ...planning import plan_file
from ...planning.plan import Plan
from ...planning.scope import Scope
from ...render import Document
from ...render.escape import clean
from ...report.report import AccountReport, Report, ReportedChange
from .. import files
from ..accounts import failed_report, for_each_account, scope_for, select_accounts
from ..arguments import ScopedOptions, option
from ..context import Command, Context, open_session
from ..errors import explain_error
from ..progress import OnResult, progress

_STOPPING = "Stopping: finishing changes in progress. Interrupt again to quit now."
_CANCELLED = 'Cancelled: the answer was not "yes".'


@dataclass(frozen=True, slots=True, kw_only=True)
class ApplyOptions(ScopedOptions):
    """Which plan to apply, whether to ask first, and what to do about refused changes."""

    yes: bool = option(False, "apply without asking for confirmation")
    plan: str | None = option(
        None, "apply exactly this saved plan, without asking", metavar="FILE"
    )
    expect: str | None = option(
        None, "apply only if the new plan has this plan_hash", metavar="HASH"
    )
    skip_refused: bool = option(False, "apply the remaining changes; still exits 3")
    no_journal: bool = option(False, "do not keep a journal in .reconciler/")

    def writes(self) -> tuple[tuple[str, int], ...]:
        """Return the reports; raise UsageError for one in place of the plan to apply."""
        written = ScopedOptions.writes(self)
        if self.plan and any(files.same(self.plan, file) for file, _ in written):
            raise UsageError(usage.PROTECTED_FILE(f"{self.plan} is the plan to apply"))
        return written


def _apply(options: ApplyOptions, context: Context) -> Document:
    if not (options.yes or options.plan or context.console.interactive):
        raise UsageError(usage.NO_TERMINAL("apply needs a terminal, --yes or --plan FILE"))
    if options.plan and options.only:
        message = "--only cannot narrow a saved plan"
        raise UsageError(usage.BAD_OPTIONS(message, hint=_HELP))
    project = load(options.path)
    accounts = select_accounts(project, options.account)
    if len(accounts) > 1 and (options.plan or options.expect):
        message = "--plan and --expect take one account"
        raise UsageError(usage.BAD_OPTIONS(message, hint=_HELP))
    commit, unknown = (None, ()) if options.plan else ci.commit(project.root, context.environ)
    run = _Run(
        context=context,
        project=project,
        commit=commit,
        scope=scope_for(accounts, options.only),
        saved=plan_file.loads(files.read(options.plan), options.plan) if options.plan else None,
        expected=options.expect,
        on_refused=OnRefused.SKIP if options.skip_refused else OnRefused.ABORT,
        asks=not (options.yes or options.plan),
        keeps_journal=not options.no_journal,
    )
    return Report(
        command="apply",
        accounts=for_each_account(accounts, context, run.apply_to, failed_report),
        diagnostics=(*project.diagnostics, *unknown),
    )


_HELP = "see `reconciler apply --help`"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Run:
    """The options of one apply, checked. With `asks` the plan has to be confirmed first."""

    context: Context
    project: Project
    commit: str | None
    scope: Scope
    saved: Plan | None
    expected: str | None
    on_refused: OnRefused
    asks: bool
    keeps_journal: bool

    def apply_to(self, account: Account) -> AccountReport:
        """Apply to one account; raise ReconcilerError as long as nothing was written."""
        with open_session(account, self.context) as session:
            try:
                planned = self._plan(session)
            except StalePlanError as error:
                return error.report
            if self.expected and planned.plan.plan_hash != self.expected:
                return _end(planned, Exit.REFUSED, _unexpected(planned, self.expected))
            try:
                return self._confirm(planned, session)
            except KeyboardInterrupt:  # none is raised from the first request that writes on
                message = "interrupted before the first request: nothing was written"
                return _end(planned, Exit.INTERRUPTED, usage.INTERRUPTED(message))

    def _plan(self, session: Session) -> Planned:
        if self.saved:
            return revalidate(self.saved, session)
        return make_plan(self.project, session, self.scope, self.commit)

    def _confirm(self, planned: Planned, session: Session) -> AccountReport:
        if not self._writes(planned):
            return apply_plan(planned, session, on_refused=self.on_refused)
        if self.asks:
            self.context.preview(planned.report)
            if not self._ask(planned.report.account):
                return _end(planned, Exit.FAILED, usage.CANCELLED(_CANCELLED))
        return self._write(planned, session)

    def _ask(self, account: AccountRef) -> bool:
        """Ask for a yes; a `y` is probably meant as one, and is asked once more."""
        console = self.context.console
        answer = console.ask(_question(account))
        if answer.lower() == "y":
            answer = console.ask("Please type 'yes' in full to apply: ")
        return answer == "yes"

    def _writes(self, planned: Planned) -> bool:
        """Whether applying the plan sends anything."""
        aborts = planned.report.exit_code is not Exit.DONE and self.on_refused is OnRefused.ABORT
        return not aborts and bool(_open_changes(planned))

    def _write(self, planned: Planned, session: Session) -> AccountReport:
        console, name = self.context.console, planned.report.account.name
        with ExitStack() as stack:
            kept = stack.enter_context(self._journal(planned.plan)) if self.keeps_journal else None
            show = stack.enter_context(progress(console, name, len(_open_changes(planned))))
            listeners = [kept.result, show] if kept else [show]
            self.context.stop.only_told(lambda: console.warn(_STOPPING))
            report = self._apply_safely(planned, session, kept or NULL_JOURNAL, listeners)
            self.context.stop.only_told()
            if not kept:
                return report
            kept.end(report.exit_code)
            return replace(report, diagnostics=report.diagnostics + kept.lost())

    def _apply_safely(
        self, planned: Planned, session: Session, journal: Journal, listeners: list[OnResult]
    ) -> AccountReport:
        """Apply; report an unexpected error as a partial apply, since requests may be out."""

        def on_result(change: ReportedChange) -> None:
            for listener in listeners:
                try:
                    listener(change)
                except Exception as error:  # one that fails must not keep the next from its call
                    self.context.trace(error)

        try:
            return apply_plan(
                planned, session, on_refused=self.on_refused, journal=journal, on_result=on_result
            )
        except Exception as error:
            self.context.trace(error)
            diagnostics, _ = explain_error(error, self.context.environ)
            return _end(planned, Exit.PARTIAL, *diagnostics)

    def _journal(self, plan: Plan) -> AbstractContextManager[journal.FileJournal]:
        run = journal.Header(
            plan_id=plan.plan_id,
            plan_hash=plan.plan_hash,
            account=plan.account.name,
            account_id=plan.account.id,
            livemode=plan.account.livemode,
            commit=plan.commit,
            user=ci.user(self.context.environ),
            job=ci.job(self.context.environ),
            tool_version=__version__,
        )
        return journal.opened(Path(self.project.root) / ".reconciler", run, self.context.clock)


def _open_changes(planned: Planned) -> list[ReportedChange]:
    """Return the changes that requests are still to be sent for."""
    return [
        change
        for change in planned.report.changes
        if change.change.action.writes
        and not change.change.refused_by
        and change.change.event_name not in planned.already
    ]


def _unexpected(planned: Planned, expected: str) -> Diagnostic:
    found = planned.plan.plan_hash
    return guards.UNEXPECTED_PLAN(f"planning gives plan_hash {found}, not the expected {expected}")


def _end(planned: Planned, exit_code: Exit, *diagnostics: Diagnostic) -> AccountReport:
    report = planned.report
    return replace(report, exit_code=exit_code, diagnostics=(*report.diagnostics, *diagnostics))


def _question(account: AccountRef) -> str:
    modes = {True: "LIVE mode", False: "test mode", None: "mode unknown"}
    mode = modes[account.livemode]
    return f"\nApply this plan to {clean(account.name)} ({mode})? Only 'yes' will be accepted: "


COMMAND = Command(
    ApplyOptions,
    "Plan, show the plan, ask for confirmation, apply it and verify the account. A plan with a blocked or refused change writes nothing, unless --skip-refused is given.",
    _apply,
)
