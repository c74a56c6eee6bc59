"""One apply on one account: planned or revived, agreed to, carried out, written down."""

from __future__ import annotations

from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass, replace
from pathlib import Path

from ..._version import __version__
from ...diagnostics.codes import guards, usage
from ...diagnostics.diagnostic import Diagnostic
from ...diagnostics.errors import Exit
from ...execution.protocol import NULL_JOURNAL, Journal
from ...history import ci as origin
from ...history import journal
from ...model.project import Account, AccountRef, Project
from ...operations.apply_plan import OnRefused, apply_plan
from ...operations.make_plan import Planned, make_plan
from ...operations.revalidate import StalePlanError, revalidate
from ...operations.session import Session
from ...planning.plan import Plan
from ...planning.scope import Scope
from ...render.escape import clean
from ...report.report import AccountReport, ReportedChange
from ..context import Context
from ..errors import explained
from ..progress import Told, progress
from ..reach import open_session

_WAIT = "stopping: what has begun is finished, nothing else is begun; again to end at once"


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """What an apply was asked for. Without `asks` it was agreed to beforehand."""

    context: Context
    project: Project
    commit: str | None
    scope: Scope
    saved: Plan | None
    expected: str | None
    on_refused: OnRefused
    asks: bool
    keeps_journal: bool

    def on(self, account: Account) -> AccountReport:
        """Do it on one account; raises ReconcilerError as long as nothing was written."""
        with open_session(account, self.context) as session:
            try:
                planned = self._planned(session)
            except StalePlanError as error:
                return error.report
            if self.expected and planned.plan.plan_hash != self.expected:
                return _ended(planned, Exit.REFUSED, _unexpected(planned, self.expected))
            try:
                return self._agreed_upon(planned, session)
            except KeyboardInterrupt:  # from the first request on, a signal raises none
                said = usage.INTERRUPTED(
                    "interrupted before the first request: nothing was written"
                )
                return _ended(planned, Exit.INTERRUPTED, said)

    def _agreed_upon(self, planned: Planned, session: Session) -> AccountReport:
        if not self._writes(planned):
            return apply_plan(planned, session, on_refused=self.on_refused)
        if self.asks:
            self.context.preview(planned.report)
            if self.context.console.ask(_question(planned.report.account)) != "yes":
                return _ended(planned, Exit.FAILED, usage.DECLINED("declined at the prompt"))
        return self._carried_out(planned, session)

    def _planned(self, session: Session) -> Planned:
        if self.saved:
            return revalidate(self.saved, session)
        return make_plan(self.project, session, self.scope, self.commit)

    def _writes(self, planned: Planned) -> bool:
        """Whether carrying the plan out sends anything."""
        halted = planned.report.exit_code is not Exit.DONE and self.on_refused is OnRefused.ABORT
        return not halted and bool(_open(planned))

    def _carried_out(self, planned: Planned, session: Session) -> AccountReport:
        console, name = self.context.console, planned.report.account.name
        with ExitStack() as stack:
            kept = stack.enter_context(self._journal(planned.plan)) if self.keeps_journal else None
            shows = stack.enter_context(progress(console, name, len(_open(planned))))
            hears = [kept.result, shows] if kept else [shows]
            self.context.stop.only_told(lambda: console.warn(_WAIT))
            report = self._safely(planned, session, kept or NULL_JOURNAL, hears)
            self.context.stop.only_told()
            if not kept:
                return report
            kept.end(report.exit_code)
            return replace(report, diagnostics=report.diagnostics + kept.lost())

    def _safely(
        self, planned: Planned, session: Session, journal: Journal, hears: list[Told]
    ) -> AccountReport:
        """From here on something may have been written, whatever error comes."""

        def on_result(line: ReportedChange) -> None:
            for hear in hears:
                try:
                    hear(line)
                except Exception as error:  # one that fails must not keep the next from hearing
                    self.context.trace(error)

        try:
            return apply_plan(
                planned, session, on_refused=self.on_refused, journal=journal, on_result=on_result
            )
        except Exception as error:
            self.context.trace(error)
            diagnostics, _ = explained(error, self.context.environ)
            return _ended(planned, Exit.PARTIAL, *diagnostics)

    def _journal(self, plan: Plan) -> AbstractContextManager[journal.FileJournal]:
        run = journal.Header(
            plan_id=plan.plan_id,
            plan_hash=plan.plan_hash,
            account=plan.account.name,
            account_id=plan.account.id,
            livemode=plan.account.livemode,
            commit=plan.commit,
            user=origin.user(self.context.environ),
            job=origin.job(self.context.environ),
            tool_version=__version__,
        )
        return journal.opened(Path(self.project.root) / ".reconciler", run, self.context.clock)


def _open(planned: Planned) -> list[ReportedChange]:
    """The lines that are still to be sent."""
    return [
        line
        for line in planned.report.changes
        if line.change.action.writes
        and not line.change.refused_by
        and line.change.event_name not in planned.already
    ]


def _unexpected(planned: Planned, expected: str) -> Diagnostic:
    found = planned.plan.plan_hash
    return guards.UNEXPECTED_PLAN(f"planning gives plan_hash {found}, not the expected {expected}")


def _ended(planned: Planned, exit_code: Exit, *said: Diagnostic) -> AccountReport:
    report = planned.report
    return replace(report, exit_code=exit_code, diagnostics=(*report.diagnostics, *said))


def _question(account: AccountRef) -> str:
    mode = "LIVE" if account.livemode else "test"
    return f"\nApply this to {clean(account.name)} ({mode} mode)? Only yes is taken for yes: "
