"""Do the same work on the accounts of a run, side by side, and show how it goes."""

from __future__ import annotations

from contextlib import suppress
from functools import partial

from msgspec.structs import replace

from ...diagnostics.diagnostic import Diagnostic
from ...fleet.engine import Event, Fleet, Progress
from ...fleet.listener import Listener
from ...fleet.work import Surroundings, Work, work_safely
from ...model.project import Account, Project
from ...operations.session import Network
from ...render import prepare_report
from ...report.report import AccountReport, Report, ReportedChange
from ..context import Context
from ..errors import trace
from ..progress import AccountProgress, ChangeProgress, show_reading
from .parts import Part

_STOPPING = "Stopping: finishing changes in progress. Interrupt again to quit now."


class FleetRun(Listener):
    """One command on the accounts of a project.

    Accounts that are worked on in order are so in the thread of the run, where a signal raises
    KeyboardInterrupt until the first request that writes. Side by side, other threads work:
    their messages are shown by the thread of the run, which also handles signals.
    """

    def __init__(
        self,
        context: Context,
        project: Project,
        part: Part,
        work: Work,
        concurrency: int,
    ) -> None:
        self.context = context
        self._project = project
        self._part = part
        self._work = work
        self._changes: dict[str, ChangeProgress] = {}
        self._accounts = AccountProgress(context.console, context.clock)
        self._network = Network(context.clock, concurrency)
        self._around = Surroundings(
            environ=context.environ,
            clock=context.clock,
            stopped=context.stop,
            network=self._network,
            listener=self,
            ahead=context.ahead.sessions,
        )
        self._fleet = Fleet(
            part.accounts,
            self._work_on,
            concurrency=concurrency,
            stopped=context.stop,
            on_change=self._show_accounts,
        )

    def run(self, groups: tuple[tuple[str, ...], ...] = ()) -> tuple[AccountReport, ...]:
        """Return one report for each account, in their order."""
        prepare_report(self.context.output.format)
        stop = self.context.stop
        if len(self._part.order) > 1:
            stop.complete = self._complete
        stop.is_writing = lambda: self._fleet.is_writing
        stop.defer(self._wake)
        with self._network:
            reports = self._fleet.run(groups)
        self.context.console.clear_status()
        return reports

    def show_progress(self, account: str, text: str) -> None:
        """Show what is being read, unless several accounts are."""
        if self._is_in_order:
            show_reading(self.context.console, account, text)

    def begin_writing(self, account: str, changes: int) -> None:
        """Let signals pass from now on, until the account has its result.

        Of 0 changes, nothing is shown: how many there are is not known here.
        """
        self._fleet.begin_writing(account)
        stop, console = self.context.stop, self.context.console
        if self._is_in_order:
            with suppress(Exception):  # a line that cannot be drawn must not end an apply
                if changes:
                    self._changes[account] = ChangeProgress(console, account, changes)
            stop.defer(lambda: console.warn(_STOPPING))

    def end_writing(self, account: str) -> None:
        """Remove the progress of an account; nothing has to be finished for a signal any more."""
        if self._is_in_order:
            self.context.stop.defer(self._wake)
        if self._changes.pop(account, None):
            with suppress(Exception):
                self.context.console.clear_status()

    def show_result(self, account: str, change: ReportedChange) -> None:
        """Show what became of a change, unless several accounts are applied."""
        self.context.stop.losses.pop(account, None)
        if shown := self._changes.get(account):
            shown.show_result(change)

    def begin_replacement(self, account: str, loss: Diagnostic) -> None:
        """Keep what the second signal has to report."""
        self.context.stop.losses[account] = loss

    def trace(self, error: BaseException) -> None:
        """Show the traceback of an error, where that is wanted."""
        self._call(partial(trace, error, self.context.output, self.context.console))

    @property
    def _is_in_order(self) -> bool:
        return not self._fleet.is_side_by_side

    def _call(self, event: Event) -> None:
        """Do something in the thread of the run."""
        if self._is_in_order:
            event()
        else:
            self._fleet.post(event)

    def _work_on(self, account: Account) -> AccountReport:
        try:
            return work_safely(self._begin, self._project, account, self._around)
        finally:
            if self._is_in_order:
                self.context.stop.defer(self._wake)

    def _begin(self, project: Project, account: Account, around: Surroundings) -> AccountReport:
        if self._is_in_order:
            self.context.stop.raise_on_signal()
        if error := self.context.unlisted.get(account.name):
            raise error
        return self._work(project, account, around)

    def _complete(self, report: Report) -> Report:
        """Return a report with what is known of the accounts of the run."""
        return self._part.complete(replace(report, accounts=self._fleet.progress.collect()))

    def _wake(self) -> None:
        """Handle the first signal in the thread of the run."""
        self._fleet.post(self._announce_stop)

    def _announce_stop(self) -> None:
        if self._fleet.is_writing:
            self.context.console.warn(_STOPPING)

    def _show_accounts(self, progress: Progress) -> None:
        if len(progress.accounts) > 1:
            with suppress(Exception):  # a line that cannot be drawn must not end a run
                self._accounts.show(progress)
