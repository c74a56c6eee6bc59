"""`history`: the runs in the journal; with --meter, a time line with events and commits."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

from msgspec.structs import replace

from ...config import load
from ...diagnostics.codes import drift, service
from ...diagnostics.codes import journal as rules
from ...diagnostics.diagnostic import Diagnostic, Level
from ...diagnostics.errors import AuthError, Exit, select_worst
from ...diagnostics.suggest import suggest
from ...history import journal
from ...history.declarations import find_commits
from ...history.runs import parse_runs, select_changes
from ...history.timeline import AccountEvent, AccountUsage, build_timeline
from ...model.event import REACH
from ...model.meter import Unreadable
from ...model.project import Account, AccountRef
from ...operations.session import Session
from ...operations.snapshot import check_account, take_snapshot
from ...render import Document
from ...report.history import History
from ...report.result import AccountResult
from ...stripe.client import read_if_permitted
from ..accounts import run_on_accounts, select_accounts, select_names, select_present
from ..arguments import ProjectOptions, option
from ..context import PLAIN, Command, Context, open_session


class HistoryOptions(ProjectOptions, frozen=True, kw_only=True):
    """The event_name to show; None for all runs."""

    meter: Annotated[
        str | None,
        option(
            "show one event_name: runs, Stripe's events, and commits whose lines name it",
            metavar="NAME",
        ),
    ] = None


def _show(options: HistoryOptions, context: Context) -> Document:
    project = load(options.path)
    entries, diagnostics = journal.read(Path(project.root) / ".reconciler", context.clock)
    runs = parse_runs(entries)
    total = len(runs)
    if options.account:
        names = select_names(project, (run.account.name for run in runs), options.account)
        runs = tuple(run for run in runs if run.account.name in names)
    failed = any(diagnostic.level is Level.ERROR for diagnostic in diagnostics)
    history = History(
        runs=runs,
        others=total - len(runs),
        diagnostics=(*project.diagnostics, *diagnostics),
        own_exit=Exit.FAILED if failed else Exit.DONE,
    )
    if options.meter is None:
        return history
    select = select_present if options.account else select_accounts
    accounts = select(project, options.account, context)
    return _narrow(options.meter, history, project.root, accounts, context)


def _narrow(
    meter: str, history: History, root: str, accounts: tuple[Account, ...], context: Context
) -> History:
    """Narrow the history to one meter and add its time line; only the events need a key."""
    runs = tuple(select_changes(history.runs, meter))
    commits, uncommitted = find_commits(root, meter)
    read = run_on_accounts(
        accounts, context, lambda account: _read_events(account, meter, context), _report_failure
    )
    moments = build_timeline(
        runs,
        [event for one in read for event in one.events],
        commits,
        [report for one in read for report in one.reports],
    )
    known = {change.event_name for run in history.runs for change in run.changes}
    known |= {desired.event_name for account in accounts for desired in account.declared}
    return replace(
        history,
        runs=runs,
        meter=meter,
        timeline=moments,
        similar=None if moments else suggest(meter, sorted(known - {meter})),
        diagnostics=(
            *history.diagnostics,
            *uncommitted,
            *(p for one in read for p in one.diagnostics),
        ),
        own_exit=select_worst([history.own_exit, *(one.exit_code for one in read)]),
    )


class _EventsRead(AccountResult, frozen=True, kw_only=True):
    """The events of one account about a meter, or why they could not be read.

    `reports` are those of usage that Stripe rejected.
    """

    events: tuple[AccountEvent, ...] = ()
    reports: tuple[AccountUsage, ...] = ()


def _read_events(account: Account, meter: str, context: Context) -> _EventsRead:
    """Read the events of 30 days; without a key or the permission, return a warning.

    Events of an account that is not the configured one are left out, with a warning. A missing
    key is no failure: a machine may rightly have none, and the rest of the time line needs none.
    A key that Stripe rejects is a failure, with exit code 6.
    """
    since, ref = int(context.clock.now()) - REACH, AccountRef(account.name)
    try:
        with open_session(account, context) as session:
            _, elsewhere = check_account(account, take_snapshot(session, (), ()))
            if elsewhere:
                said = tuple(replace(each, level=Level.WARNING) for each in elsewhere)
                return _EventsRead(account=ref, diagnostics=said)
            found = read_if_permitted(
                "rak_event_read",
                lambda: (
                    tuple(_select_events(session, meter, since)),
                    tuple(_select_reports(session, meter, since)),
                ),
            )
    except AuthError as error:
        (diagnostic, *_) = error.diagnostics
        if diagnostic.code != service.KEY_MISSING.code:
            raise
        return _EventsRead(account=ref, diagnostics=(rules.EVENTS_WITHOUT_KEY(diagnostic.message),))
    if isinstance(found, Unreadable):
        rule = drift.EVENTS_UNREADABLE
        message = f"account {account.name!r}: {rule.title} (permission: {found.permission})"
        return _EventsRead(account=ref, diagnostics=(rule(message),))
    events, reports = found
    return _EventsRead(account=ref, events=events, reports=reports)


def _select_events(session: Session, meter: str, since: int) -> Iterator[AccountEvent]:
    for event in session.events.all(since=since):
        if event.object.get("event_name") == meter:
            yield session.account.name, event


def _select_reports(session: Session, meter: str, since: int) -> Iterator[AccountUsage]:
    """Yield the reports of rejected usage of every meter of an event_name."""
    for existing in session.meters.list_all():
        if existing.event_name == meter:
            for report in session.usage_reports.all(since=since, meter_id=existing.id):
                yield session.account.name, report


def _report_failure(
    account: AccountRef, exit_code: Exit, diagnostics: tuple[Diagnostic, ...]
) -> _EventsRead:
    named = (replace(p, message=f"account {account.name!r}: {p.message}") for p in diagnostics)
    return _EventsRead(account=account, diagnostics=tuple(named), exit_code=exit_code)


COMMAND = Command(
    HistoryOptions,
    "Show from the journal of this project who applied what and when, and the results. "
    "With --meter: one timeline of runs, of Stripe's events of the last 30 days, and of git "
    "commits. Only the events need a key. Commits are those that add, change or remove a line "
    "with the event_name, as `git log -G` finds them: comments count, and a change of another "
    "line of the declaration does not. Merges are left out.",
    _show,
    PLAIN,
)
