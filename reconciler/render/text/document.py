"""Text for people, in 80 columns: what would happen, to what, and why; it decides nothing."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from ...inventory import Inventory
from ...model import AccountRef, Action
from ...past.history import History
from ...problem import Level, Problem
from ...report import AccountReport, OutcomeStatus, Report
from ...serving import Serving
from .. import Document
from ..clean import clean
from . import ink
from .changes import block
from .findings import found, total
from .ink import Ink, Line, Word, wrapped
from .past import past, timeline
from .tables import codes, meters

_LEVEL = {Level.ERROR: Ink.RED, Level.WARNING: Ink.YELLOW, Level.INFO: Ink.CYAN}


def render(document: Document) -> str:
    """The document without colours."""
    return ink.plain(lines(document))


def coloured(document: Document) -> str:
    """The document for a terminal."""
    return ink.coloured(lines(document))


def lines(document: Document) -> Iterator[Line]:
    """The document line by line."""
    match document:
        case Report():
            yield from _report(document)
        case Inventory():
            yield from _inventory(document)
        case History():
            yield from _history(document)
        case Serving(url=url, api_key=api_key):
            yield (f"Emulating Stripe at {url} (key: {api_key}); Ctrl-C ends it",)
        case rules:
            yield from codes(rules)


def _report(report: Report) -> Iterator[Line]:
    for problem in report.problems:
        yield from problem_lines(problem)
    if report.verb == "validate":
        yield from _validated(report)
        return
    for n, account in enumerate(report.accounts):
        if n or report.problems:
            yield ()
        yield from _account(report.verb, account)


def _validated(report: Report) -> Iterator[Line]:
    errors = sum(problem.level is Level.ERROR for problem in report.problems)
    if errors:
        yield ()
        yield (Word(f"Not valid: {_count(errors, 'error')}.", Ink.RED),)
        return
    found = f"Valid: {_count(report.declared or 0, 'meter')} declared"
    names = ", ".join(account.account.name for account in report.accounts)
    yield from wrapped(f"{found} for {names}." if names else f"{found}.", "", "  ")
    if not report.complete and report.accounts:
        yield (Word("Partial: only a part of the project was read.", Ink.YELLOW),)


def _account(verb: str, report: AccountReport) -> Iterator[Line]:
    yield (Word(f"{verb.capitalize()} for {_called(report.account)}", Ink.BOLD),)
    if verb == "drift":
        yield from _audited(report)
        return
    shown = [line for line in report.lines if line.change.action is not Action.UNCHANGED]
    for line in shown:
        yield ()
        yield from block(line, report.problems)
    told = {line.change.event_name for line in shown}
    yield from _said(problem for problem in report.problems if problem.event_name not in told)
    if report.lines or report.plan_hash:
        yield ()
        yield from _summary(report)


def _audited(report: AccountReport) -> Iterator[Line]:
    yield from found(report)
    yield from _said(report.problems)
    if report.lines:
        yield ()
        yield from total(report)


def _called(account: AccountRef) -> str:
    modes = {None: "mode unknown", True: "LIVE mode", False: "test mode"}
    return f"{account.name} ({account.id or 'account id unknown'}, {modes[account.livemode]})"


def _said(problems: Iterable[Problem]) -> Iterator[Line]:
    for problem in problems:
        yield ()
        yield from problem_lines(problem)


def problem_lines(problem: Problem) -> Iterator[Line]:
    """A problem as a compiler would say it; of what is only good to know, just the message."""
    if problem.level is Level.INFO:
        yield from wrapped(problem.message, "", "    ")
        return
    place = f"{problem.where}: " if problem.where else ""
    head = clean(f"{place}{problem.level} {problem.code}: ")  # in one piece, for grep
    first, *rest = wrapped(problem.message, head, "    ")
    yield _lit(str(first[0]), f"{problem.level} {problem.code}", _LEVEL[problem.level])
    yield from rest
    if problem.hint:
        yield from wrapped(f"hint: {problem.hint}", "    ")


def _lit(text: str, part: str, colour: Ink) -> Line:
    """The text with one part of it in colour."""
    before, found, after = text.partition(part)
    return (before, Word(found, colour), after)


def _summary(report: AccountReport) -> Iterator[Line]:
    if any(line.outcome for line in report.lines):
        yield from wrapped(f"Apply: {_outcomes(report)}.", "", "  ")
    yield from wrapped(_planned(report), "", "  ")
    if not report.complete:
        yield (Word("Partial: absence was not judged, undeclared meters are left.", Ink.YELLOW),)
    if report.plan_hash:
        yield (Word(f"plan_hash {report.plan_hash}", Ink.FAINT),)


def _outcomes(report: AccountReport) -> str:
    found = [line.outcome.status for line in report.lines if line.outcome]
    return ", ".join(f"{found.count(s)} {s}" for s in OutcomeStatus if s in found)


_ASKED = (
    (Action.CREATE, "to create"),
    (Action.REACTIVATE, "to reactivate"),
    (Action.UPDATE, "to update"),
    (Action.REPLACE, "to replace"),
    (Action.DEACTIVATE, "to deactivate"),
)
_BESIDES = ("blocked", "refused", "unmanaged", "unchanged", "ignored")


def _planned(report: AccountReport) -> str:
    counts = report.summary()
    asked = [f"{counts[action]} {words}" for action, words in _ASKED if counts[action]]
    besides = [f"{counts[word]} {word}" for word in _BESIDES if counts[word]]
    idle = "Nothing can be done as it stands." if counts["blocked"] else "Nothing to do."
    head = f"Plan: {', '.join(asked)}." if asked else idle
    return f"{head} {', '.join(besides)}." if besides else head


def _inventory(inventory: Inventory) -> Iterator[Line]:
    for problem in inventory.problems:
        yield from problem_lines(problem)
    for n, account in enumerate(inventory.accounts):
        if n or inventory.problems:
            yield ()
        yield (Word(f"Meters of {_called(account.account)}", Ink.BOLD),)
        yield from meters(account.meters)
        yield from _said(account.problems)


def _history(history: History) -> Iterator[Line]:
    for problem in history.problems:
        yield from problem_lines(problem)
        yield ()
    yield from past(history) if history.timeline is None else timeline(history)


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
