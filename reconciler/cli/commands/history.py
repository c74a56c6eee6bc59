"""`history`: what the journal tells; of one meter, a time line with Stripe's events and commits."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from ...config import load
from ...diagnostics.codes import drift, service
from ...diagnostics.codes import journal as rules
from ...diagnostics.diagnostic import Level, Problem
from ...diagnostics.errors import AuthError, Exit, worst
from ...drift.attribution import REACH
from ...history import journal
from ...history.declarations import changes
from ...history.runs import about, recount
from ...history.timeline import Heard, timeline
from ...model.meter import Unreadable
from ...model.project import Account, AccountRef
from ...operations.session import Session
from ...operations.snapshot import look
from ...render import Document
from ...report.history import History
from ...stripe.client import readable
from ..accounts import chosen, each
from ..arguments import Parser, ProjectWords, project_words
from ..context import PLAIN, Stage, Verb
from ..reach import astray, reach


@dataclass(frozen=True, slots=True, kw_only=True)
class HistoryWords(ProjectWords):
    """Which meter, by its event_name; None for all of them."""

    meter: str | None = None


def _options(parser: Parser) -> None:
    project_words(parser)
    parser.add_argument(
        "--meter",
        metavar="NAME",
        help="the time line of this event_name: the journal, Stripe's events, commits",
    )


def _history(words: HistoryWords, stage: Stage) -> Document:
    project = load(words.path)
    entries, problems = journal.read(Path(project.root) / ".reconciler", stage.clock)
    runs = recount(entries)
    if words.account:
        names = {account.name for account in chosen(project, words.account)}
        runs = tuple(run for run in runs if run.account.name in names)
    failed = any(problem.level is Level.ERROR for problem in problems)
    told = History(
        runs=runs,
        problems=(*project.problems, *problems),
        own_exit=Exit.FAILED if failed else Exit.DONE,
    )
    if words.meter is None:
        return told
    return _of_one(words.meter, told, project.root, chosen(project, words.account), stage)


def _of_one(
    meter: str, told: History, root: str, accounts: tuple[Account, ...], stage: Stage
) -> History:
    """The same of one meter, with its time line; only the events need a key."""
    runs = tuple(about(told.runs, meter))
    commits, uncommitted = changes(root, meter)
    heard = each(accounts, stage, lambda account: _listened(account, meter, stage), _failed)
    return replace(
        told,
        runs=runs,
        meter=meter,
        timeline=timeline(runs, [event for one in heard for event in one.events], commits),
        problems=(*told.problems, *uncommitted, *(p for one in heard for p in one.problems)),
        own_exit=worst([told.own_exit, *(one.exit_code for one in heard)]),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Listened:
    """What the events of one account tell of a meter, or what kept them from being read."""

    events: tuple[Heard, ...] = ()
    problems: tuple[Problem, ...] = ()
    exit_code: Exit = Exit.DONE


def _listened(account: Account, meter: str, stage: Stage) -> _Listened:
    """The events of 30 days; without a key or the permission a remark, and the run goes on.

    So it does without the events of another account than is configured, which tell nothing.
    A missing key is no failure here: the rest of the time line is worth having on a machine
    that rightly holds none. A key that is there and not accepted is one, and ends in 6.
    """
    since = int(stage.clock.now()) - REACH
    try:
        with reach(account, stage) as session:
            if elsewhere := astray(account, look(session, (), ())):
                return _Listened(problems=elsewhere)
            told = readable("rak_event_read", lambda: tuple(_events(session, meter, since)))
    except AuthError as error:
        (problem, *_) = error.problems
        if problem.code != service.KEY_MISSING.code:
            raise
        return _Listened(problems=(rules.EVENTS_WITHOUT_KEY(problem.message),))
    if isinstance(told, Unreadable):
        rule = drift.EVENTS_UNREADABLE
        message = f"account {account.name!r}: {rule.title} (permission: {told.permission})"
        return _Listened(problems=(rule(message),))
    return _Listened(events=told)


def _events(session: Session, meter: str, since: int) -> Iterator[Heard]:
    for event in session.events.all(since=since):
        if event.object.get("event_name") == meter:
            yield session.account.name, event


def _failed(account: AccountRef, problems: tuple[Problem, ...], exit_code: Exit) -> _Listened:
    named = (replace(p, message=f"account {account.name!r}: {p.message}") for p in problems)
    return _Listened(problems=tuple(named), exit_code=exit_code)


VERB = Verb(
    HistoryWords,
    "Tell from the journal of this project who applied what and when, and what came of it.\n"
    "With --meter: one time line of the journal, the account's events of the last 30 days and\n"
    "the git commits that changed the declaration. The journal and the commits need no key.",
    _options,
    _history,
    PLAIN,
)
