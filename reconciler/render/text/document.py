"""Text for people, in 80 columns: what would happen, to what, and why; it decides nothing."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from types import MappingProxyType

from ...diagnostics.codes import planning
from ...diagnostics.diagnostic import Level, Problem
from ...diagnostics.errors import Exit
from ...model.change import Action
from ...report.documents import Glossary, Inventory, Serving
from ...report.history import History
from ...report.report import AccountReport, Outcome, OutcomeStatus, Report
from ...report.report import Line as ReportLine
from .. import Document
from ..escape import clean
from ..summary import PARTIAL, Tone, called, count, outcomes, planned, verdict
from ..view import of_nobody, places
from . import styled as ink
from .drift import found, total
from .history import past, timeline
from .plan import block
from .styled import Ink, Line, Word, wrapped
from .tables import codes, meters

Shown = Mapping[str, AccountReport]
"""The plans, by account, that whoever reads this has on the screen already."""

_NOTHING: Shown = MappingProxyType({})
_LEVEL = {Level.ERROR: Ink.RED, Level.WARNING: Ink.YELLOW, Level.INFO: Ink.CYAN}
_TONE = {
    Tone.GOOD: Ink.GREEN,
    Tone.NEWS: Ink.CYAN,
    Tone.WARNING: Ink.YELLOW,
    Tone.BAD: Ink.RED,
}
_JUDGED = ("plan", "apply", "drift")


def render(document: Document, shown: Shown = _NOTHING) -> str:
    """The document without colours."""
    return ink.plain(lines(document, shown))


def coloured(document: Document, shown: Shown = _NOTHING) -> str:
    """The document for a terminal."""
    return ink.coloured(lines(document, shown))


def lines(document: Document, shown: Shown = _NOTHING) -> Iterator[Line]:
    """The document line by line; of a plan that is `shown` only what became of it."""
    match document:
        case Report():
            yield from _report(document, shown)
        case Inventory():
            yield from _inventory(document)
        case History():
            yield from _history(document)
        case Serving(url=url, api_key=api_key):
            yield from _said(document.problems)
            yield (f"Emulating Stripe at {url} (key: {api_key}); Ctrl-C ends it",)
        case Glossary(rules=rules):
            yield from codes(rules)
            yield from _said(document.problems)


def _report(report: Report, shown: Shown) -> Iterator[Line]:
    for problem in report.problems:
        yield from problem_lines(problem)
    if report.verb == "validate":
        yield from _validated(report)
        return
    for n, account in enumerate(report.accounts):
        if n or report.problems:
            yield ()
        yield from _account(report.verb, account, shown.get(account.account.name))
    if report.verb in _JUDGED and not report.accounts and report.exit_code is not Exit.USAGE:
        yield ()
        yield from _verdict(report, report.verb)
    for problem in report.losses:
        yield ()
        yield from problem_lines(problem)


def _validated(report: Report) -> Iterator[Line]:
    errors = sum(problem.level is Level.ERROR for problem in report.problems)
    if errors:
        yield ()
        yield (Word(f"Not valid: {count(errors, 'error')}.", Ink.RED),)
        return
    found = f"Valid: {count(report.declared or 0, 'meter')} declared"
    names = ", ".join(account.account.name for account in report.accounts)
    yield from wrapped(f"{found} for {names}." if names else f"{found}.", "", "  ")
    if not report.complete and report.accounts:
        yield (Word(PARTIAL, Ink.YELLOW),)


def _account(verb: str, report: AccountReport, shown: AccountReport | None) -> Iterator[Line]:
    yield (Word(f"{verb.capitalize()} for {called(report.account)}", Ink.BOLD),)
    if verb == "drift":
        yield from _audited(report)
        return
    if shown and not outcomes(report.lines):
        yield from _said(problem for problem in report.problems if problem not in shown.problems)
        yield ()
        yield from _verdict(report, verb)
        return
    told = [at for at in places(report) if at.line.change.action is not Action.UNCHANGED]
    for place in told:
        yield ()
        yield from block(place)
    yield from _said(of_nobody(report, (place.line for place in told)))
    if report.lines or report.plan_hash or report.exit_code is not Exit.DONE:
        yield ()
        yield from _summary(report, verb)


def _audited(report: AccountReport) -> Iterator[Line]:
    yield from found(report)
    yield from _said(report.problems)
    if report.lines or report.exit_code is not Exit.DONE:
        yield ()
        yield from total(report)


def _said(problems: Iterable[Problem]) -> Iterator[Line]:
    for problem in problems:
        if problem.code != planning.PARTIAL.code:  # said with the numbers, which it limits
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


def _summary(report: AccountReport, verb: str) -> Iterator[Line]:
    """The verdict where it is not plain that all is well, and the numbers."""
    if report.exit_code is not Exit.DONE:
        yield from _verdict(report, verb)
    if ended := outcomes(report.lines):
        yield from wrapped(f"Apply: {', '.join(ended)}.", "", "  ")
    for hint in dict.fromkeys(filter(None, map(_skipped, report.lines))):
        yield from wrapped(f"hint: {hint}", "  ", "    ")
    yield from wrapped(_planned(report), "", "  ")
    if not report.complete and report.lines:
        yield (Word(PARTIAL, Ink.YELLOW),)
    if report.plan_hash:
        yield (Word(f"plan_hash {report.plan_hash}", Ink.FAINT),)


def _verdict(report: Report | AccountReport, verb: str) -> Iterator[Line]:
    tone, sentence = verdict(report, verb)
    for line in wrapped(sentence, "", "  "):
        yield (Word(str(line[0]), _TONE[tone]),)


def _skipped(line: ReportLine) -> str | None:
    """What to do about a line that was not tried; many lines share it."""
    match line.outcome:
        case Outcome(status=OutcomeStatus.SKIPPED, error=Problem(hint=hint)):
            return hint
    return None


def _planned(report: AccountReport) -> str:
    asked, besides = planned(report.lines)
    done = report.exit_code is Exit.DONE
    head = f"Plan: {', '.join(asked)}." if asked else "Nothing to do." if done else ""
    rest = f"{', '.join(besides)}." if besides else ""
    return f"{head} {rest}".strip()


def _inventory(inventory: Inventory) -> Iterator[Line]:
    for problem in inventory.problems:
        yield from problem_lines(problem)
    for n, account in enumerate(inventory.accounts):
        if n or inventory.problems:
            yield ()
        yield (Word(f"Meters of {called(account.account)}", Ink.BOLD),)
        if account.total is not None:
            yield from meters(account.meters, account.total)
        yield from _said(account.problems)
    if inventory.narrowed:
        yield ()
        yield (Word(PARTIAL, Ink.YELLOW),)


def _history(history: History) -> Iterator[Line]:
    for problem in history.problems:
        yield from problem_lines(problem)
        yield ()
    yield from past(history) if history.timeline is None else timeline(history)
