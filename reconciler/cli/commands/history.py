"""`history`: what the journal tells; of one meter, a time line with Stripe's events and commits."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from ...config import load
from ...diagnostics.codes import drift, service
from ...diagnostics.codes import journal as rules
from ...diagnostics.diagnostic import Diagnostic, Level
from ...diagnostics.errors import AuthError, Exit, worst
from ...drift.attribution import REACH
from ...history import journal
from ...history.declarations import changes
from ...history.runs import about, parse_runs
from ...history.timeline import AccountEvent, timeline
from ...model.meter import Unreadable
from ...model.project import Account, AccountRef
from ...operations.session import Session
from ...operations.snapshot import account_mismatch_warnings, take_snapshot
from ...render import Document
from ...report.history import History
from ...stripe.client import readable
from ..accounts import for_each_account, select_accounts
from ..arguments import Parser, ProjectOptions, add_project_options
from ..context import PLAIN, Command, Context, open_session


@dataclass(frozen=True, slots=True, kw_only=True)
class HistoryOptions(ProjectOptions):
    """Which meter, by its event_name; None for all of them."""

    meter: str | None = None


def _options(parser: Parser) -> None:
    add_project_options(parser)
    parser.add_argument(
        "--meter",
        metavar="NAME",
        help="the time line of this event_name: the journal, Stripe's events, commits",
    )


def _history(options: HistoryOptions, context: Context) -> Document:
    project = load(options.path)
    entries, diagnostics = journal.read(Path(project.root) / ".reconciler", context.clock)
    runs = parse_runs(entries)
    if options.account:
        names = {account.name for account in select_accounts(project, options.account)}
        runs = tuple(run for run in runs if run.account.name in names)
    failed = any(diagnostic.level is Level.ERROR for diagnostic in diagnostics)
    on_result = History(
        runs=runs,
        diagnostics=(*project.diagnostics, *diagnostics),
        own_exit=Exit.FAILED if failed else Exit.DONE,
    )
    if options.meter is None:
        return on_result
    return _of_one(
        options.meter, on_result, project.root, select_accounts(project, options.account), context
    )


def _of_one(
    meter: str, on_result: History, root: str, accounts: tuple[Account, ...], context: Context
) -> History:
    """The same of one meter, with its time line; only the events need a key."""
    runs = tuple(about(on_result.runs, meter))
    commits, uncommitted = changes(root, meter)
    heard = for_each_account(
        accounts, context, lambda account: _listened(account, meter, context), _failed
    )
    return replace(
        on_result,
        runs=runs,
        meter=meter,
        timeline=timeline(runs, [event for one in heard for event in one.events], commits),
        diagnostics=(
            *on_result.diagnostics,
            *uncommitted,
            *(p for one in heard for p in one.diagnostics),
        ),
        own_exit=worst([on_result.own_exit, *(one.exit_code for one in heard)]),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Listened:
    """What the events of one account tell of a meter, or what kept them from being read."""

    events: tuple[AccountEvent, ...] = ()
    diagnostics: tuple[Diagnostic, ...] = ()
    exit_code: Exit = Exit.DONE


def _listened(account: Account, meter: str, context: Context) -> _Listened:
    """The events of 30 days; without a key or the permission a remark, and the run goes on.

    So it does without the events of another account than is configured, which tell nothing.
    A missing key is no failure here: the rest of the time line is worth having on a machine
    that rightly holds none. A key that is there and not accepted is one, and ends in 6.
    """
    since = int(context.clock.now()) - REACH
    try:
        with open_session(account, context) as session:
            if elsewhere := account_mismatch_warnings(account, take_snapshot(session, (), ())):
                return _Listened(diagnostics=elsewhere)
            on_result = readable("rak_event_read", lambda: tuple(_events(session, meter, since)))
    except AuthError as error:
        (diagnostic, *_) = error.diagnostics
        if diagnostic.code != service.KEY_MISSING.code:
            raise
        return _Listened(diagnostics=(rules.EVENTS_WITHOUT_KEY(diagnostic.message),))
    if isinstance(on_result, Unreadable):
        rule = drift.EVENTS_UNREADABLE
        message = f"account {account.name!r}: {rule.title} (permission: {on_result.permission})"
        return _Listened(diagnostics=(rule(message),))
    return _Listened(events=on_result)


def _events(session: Session, meter: str, since: int) -> Iterator[AccountEvent]:
    for event in session.events.all(since=since):
        if event.object.get("event_name") == meter:
            yield session.account.name, event


def _failed(account: AccountRef, diagnostics: tuple[Diagnostic, ...], exit_code: Exit) -> _Listened:
    named = (replace(p, message=f"account {account.name!r}: {p.message}") for p in diagnostics)
    return _Listened(diagnostics=tuple(named), exit_code=exit_code)


COMMAND = Command(
    HistoryOptions,
    "Tell from the journal of this project who applied what and when, and what came of it.\n"
    "With --meter: one time line of the journal, the account's events of the last 30 days and\n"
    "the git commits that changed the declaration. The journal and the commits need no key.",
    _options,
    _history,
    PLAIN,
)
