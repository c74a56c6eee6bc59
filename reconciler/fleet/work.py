"""Work on one account: what `plan`, `apply` and `drift` do, here or in another process.

The options of each can be pickled, and a key is looked up by the name of its variable where the
work is done: it is never part of a task.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from functools import partial

from msgspec import Struct, field
from msgspec.structs import replace

from ..clock import Clock, Stopped, SystemClock, never
from ..diagnostics.diagnostic import Diagnostic
from ..diagnostics.errors import Exit
from ..diagnostics.explain_error import explain_error
from ..model.finding import Severity
from ..model.project import Account, AccountRef, Project
from ..operations.make_plan import make_plan
from ..operations.read_dependants import show_prices
from ..operations.session import Network, Session, connect
from ..planning.scope import EVERYTHING, Scope
from ..report.report import AccountReport
from ..stripe.errors import ServerError
from .listener import Listener


class Surroundings(Struct, frozen=True, kw_only=True):
    """What is at hand where the work is done: keys, a clock, and what its accounts share."""

    environ: Mapping[str, str] = field(default_factory=lambda: os.environ)
    clock: Clock = field(default_factory=SystemClock)
    stopped: Stopped = never
    network: Network | None = None
    listener: Listener = field(default_factory=Listener)
    ahead: dict[str, Session] = {}

    def __repr__(self) -> str:  # without the environment, which holds keys
        return "Surroundings()"

    def open_session(self, account: Account) -> AbstractContextManager[Session]:
        """Open a session with an account; raise what `connect` raises.

        One that has begun to read its account already is closed by who began it.
        """
        if session := self.ahead.pop(account.name, None):
            session.account = account
            return nullcontext(session)

        return connect(
            account,
            environ=self.environ,
            clock=self.clock,
            stopped=self.stopped,
            on_progress=partial(self.listener.show_progress, account.name),
            network=self.network,
        )


Work = Callable[[Project, Account, Surroundings], AccountReport]
"""What is done with each account. It raises only as long as it has written nothing."""


class PlanOptions(Struct, frozen=True, kw_only=True):
    """How to plan: `prices` shows those of all meters, `marks_changes` makes the exit code 2."""

    scope: Scope = EVERYTHING
    commit: str | None = None
    prices: bool = False
    marks_changes: bool = False


def plan_account(
    options: PlanOptions, project: Project, account: Account, around: Surroundings
) -> AccountReport:
    """Plan, and write nothing to the account."""
    with around.open_session(account) as session:
        planned = make_plan(project, session, options.scope, options.commit)
        report = show_prices(planned, session, every=options.prices)
    around.listener.keep_plan(planned)
    return mark_changes(report, detailed=options.marks_changes)


def mark_changes(report: AccountReport, *, detailed: bool) -> AccountReport:
    """Return the report with exit code CHANGES where it has changes, is good, and it is wanted."""
    if report.exit_code not in (Exit.DONE, Exit.CHANGES):
        return report
    changes = any(each.change.action.writes for each in report.changes)
    return replace(report, exit_code=Exit.CHANGES if changes and detailed else Exit.DONE)


class DriftOptions(Struct, frozen=True, kw_only=True):
    """How to detect drift; `jobs` and `path` are those of `detect_drift`."""

    scope: Scope = EVERYTHING
    fail_on: Severity = Severity.LOW
    sample_usage: int = 0
    jobs: Mapping[str, str] = {}
    path: str | None = None


def check_account(
    options: DriftOptions, project: Project, account: Account, around: Surroundings
) -> AccountReport:
    """Detect drift, and write nothing to the account."""
    from ..operations.detect_drift import detect_drift  # a plan does without

    with around.open_session(account) as session:
        return detect_drift(
            project,
            session,
            options.scope,
            fail_on=options.fail_on,
            sample_usage=options.sample_usage,
            jobs=options.jobs,
            path=options.path,
        )


def work_safely(
    work: Work, project: Project, account: Account, around: Surroundings
) -> AccountReport:
    """Do the work; return the report of an account that failed instead of raising."""
    try:
        return work(project, account, around)
    except (Exception, KeyboardInterrupt) as error:
        around.listener.trace(error)
        return report_failure(account, error, around.environ)


def report_failure(
    account: Account, error: BaseException, environ: Mapping[str, str]
) -> AccountReport:
    """Return the report of an account on which the work ended before anything was written."""
    diagnostics, exit_code = explain_failure(error, environ)
    return AccountReport(
        account=AccountRef(account.name),
        exit_code=exit_code,
        diagnostics=diagnostics,
        complete=False,
    )


def explain_failure(
    error: BaseException, environ: Mapping[str, str]
) -> tuple[tuple[Diagnostic, ...], Exit]:
    """Return the diagnostics and the exit code of an error before anything was written."""
    diagnostics, exit_code = explain_error(error, environ)
    if not isinstance(error, ServerError):  # else only the summary of the text formats says so
        return diagnostics, exit_code
    first, *more = diagnostics
    return (replace(first, message=f"{first.message}; nothing was changed"), *more), exit_code
