"""Text for people, as wide as the terminal: what would happen, to what, and why."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from types import MappingProxyType

from ...diagnostics.codes import planning
from ...diagnostics.diagnostic import Diagnostic, Level
from ...diagnostics.errors import Exit
from ...model.change import Action
from ...report.documents import DiagnosticList, EmulatorInfo, Inventory
from ...report.history import History
from ...report.report import AccountReport, ChangeResult, Report, ResultStatus
from ...report.report import ReportedChange as ReportLine
from .. import Document
from ..escape import clean
from ..summary import PARTIAL, Tone, called, count, planned, results, verdict
from ..view import places, unattached
from . import styled as ink
from .drift import found, total
from .excerpt import excerpt
from .history import past, timeline
from .plan import block
from .styled import ReportedChange, Span, Style, wrapped
from .tables import codes, meters

Shown = Mapping[str, AccountReport]
"""The plans, by account, that whoever reads this has on the screen already."""

_NOTHING: Shown = MappingProxyType({})
_LEVEL = {Level.ERROR: Style.RED, Level.WARNING: Style.YELLOW, Level.INFO: Style.CYAN}
_TONE = {
    Tone.GOOD: Style.GREEN,
    Tone.NEWS: Style.CYAN,
    Tone.WARNING: Style.YELLOW,
    Tone.BAD: Style.RED,
}
_JUDGED = ("plan", "apply", "drift")


def render(document: Document, shown: Shown = _NOTHING, width: int = ink.WIDTH) -> str:
    """The document without colours, for a terminal of `width` columns."""
    with ink.columns(width):
        return ink.plain(lines(document, shown))


def coloured(document: Document, shown: Shown = _NOTHING, width: int = ink.WIDTH) -> str:
    """The document with colours, for a terminal of `width` columns."""
    with ink.columns(width):
        return ink.coloured(lines(document, shown))


def lines(document: Document, shown: Shown = _NOTHING) -> Iterator[ReportedChange]:
    """The document line by line; of a plan that is `shown` only what became of it."""
    match document:
        case Report():
            yield from _report(document, shown)
        case Inventory():
            yield from _inventory(document)
        case History():
            yield from _history(document)
        case EmulatorInfo(url=url, api_key=api_key):
            yield from _said(document.diagnostics)
            yield (f"Emulating Stripe at {url} (key: {api_key}); Ctrl-C ends it",)
        case DiagnosticList(rules=rules):
            yield from codes(rules)
            yield from _said(document.diagnostics)


def _report(report: Report, shown: Shown) -> Iterator[ReportedChange]:
    for diagnostic in report.diagnostics:
        yield from diagnostic_lines(diagnostic)
    if report.command == "validate":
        yield from _validated(report)
        return
    for n, account in enumerate(report.accounts):
        if n or report.diagnostics:
            yield ()
        yield from _account(report.command, account, shown.get(account.account.name))
    if report.command in _JUDGED and not report.accounts and report.exit_code is not Exit.USAGE:
        yield ()
        yield from _verdict(report, report.command)
    for diagnostic in report.losses:
        yield ()
        yield from diagnostic_lines(diagnostic)


def _validated(report: Report) -> Iterator[ReportedChange]:
    errors = sum(diagnostic.level is Level.ERROR for diagnostic in report.diagnostics)
    if errors:
        yield ()
        yield (Span(f"Not valid: {count(errors, 'error')}.", Style.RED),)
        return
    found = f"Valid: {count(report.declared or 0, 'meter')} declared"
    names = ", ".join(account.account.name for account in report.accounts)
    yield from wrapped(f"{found} for {names}." if names else f"{found}.", "", "  ")
    if not report.complete and report.accounts:
        yield (Span(PARTIAL, Style.YELLOW),)


def _account(
    command: str, report: AccountReport, shown: AccountReport | None
) -> Iterator[ReportedChange]:
    yield (Span(f"{command.capitalize()} for {called(report.account)}", Style.BOLD),)
    if command == "drift":
        yield from _audited(report)
        return
    if shown and not results(report.changes):
        yield from _said(
            diagnostic for diagnostic in report.diagnostics if diagnostic not in shown.diagnostics
        )
        yield ()
        yield from _verdict(report, command)
        return
    told = [at for at in places(report) if at.line.change.action is not Action.UNCHANGED]
    for place in told:
        yield ()
        yield from block(place)
    yield from _said(unattached(report, (place.line for place in told)))
    if report.changes or report.plan_hash or report.exit_code is not Exit.DONE:
        yield ()
        yield from _summary(report, command)


def _audited(report: AccountReport) -> Iterator[ReportedChange]:
    yield from found(report)
    yield from _said(report.diagnostics)
    if report.changes or report.exit_code is not Exit.DONE:
        yield ()
        yield from total(report)


def _said(diagnostics: Iterable[Diagnostic]) -> Iterator[ReportedChange]:
    for diagnostic in diagnostics:
        if diagnostic.code != planning.PARTIAL.code:  # said with the numbers, which it limits
            yield ()
            yield from diagnostic_lines(diagnostic)


def diagnostic_lines(diagnostic: Diagnostic) -> Iterator[ReportedChange]:
    """A problem as a compiler would say it; of what is only good to know, just the message."""
    if diagnostic.level is Level.INFO:
        yield from wrapped(diagnostic.message, "", "    ")
        return
    place = f"{diagnostic.location}: " if diagnostic.location else ""
    head = clean(f"{place}{diagnostic.level} {diagnostic.code}: ")  # in one piece, for grep
    first, *rest = wrapped(diagnostic.message, head, "    ")
    yield _lit(str(first[0]), f"{diagnostic.level} {diagnostic.code}", _LEVEL[diagnostic.level])
    yield from rest
    yield from excerpt(diagnostic, _LEVEL[diagnostic.level])
    if diagnostic.hint:
        yield from wrapped(f"hint: {diagnostic.hint}", "    ")


def _lit(text: str, part: str, colour: Style) -> ReportedChange:
    """The text with one part of it in colour."""
    before, found, after = text.partition(part)
    return (before, Span(found, colour), after)


def _summary(report: AccountReport, command: str) -> Iterator[ReportedChange]:
    """The verdict where it is not plain that all is well, and the numbers."""
    if report.exit_code is not Exit.DONE:
        yield from _verdict(report, command)
    if ended := results(report.changes):
        yield from wrapped(f"Apply: {', '.join(ended)}.", "", "  ")
    for hint in dict.fromkeys(filter(None, map(_skipped, report.changes))):
        yield from wrapped(f"hint: {hint}", "  ", "    ")
    yield from wrapped(_planned(report), "", "  ")
    if not report.complete and report.changes:
        yield (Span(PARTIAL, Style.YELLOW),)
    if report.plan_hash:
        yield (Span(f"plan_hash {report.plan_hash}", Style.FAINT),)


def _verdict(report: Report | AccountReport, command: str) -> Iterator[ReportedChange]:
    tone, sentence = verdict(report, command)
    for line in wrapped(sentence, "", "  "):
        yield (Span(str(line[0]), _TONE[tone]),)


def _skipped(line: ReportLine) -> str | None:
    """What to do about a line that was not tried; many lines share it."""
    match line.result:
        case ChangeResult(status=ResultStatus.SKIPPED, error=Diagnostic(hint=hint)):
            return hint
    return None


def _planned(report: AccountReport) -> str:
    asked, besides = planned(report.changes)
    done = report.exit_code is Exit.DONE
    head = f"Plan: {', '.join(asked)}." if asked else "Nothing to do." if done else ""
    rest = f"{', '.join(besides)}." if besides else ""
    return f"{head} {rest}".strip()


def _inventory(inventory: Inventory) -> Iterator[ReportedChange]:
    for diagnostic in inventory.diagnostics:
        yield from diagnostic_lines(diagnostic)
    for n, account in enumerate(inventory.accounts):
        if n or inventory.diagnostics:
            yield ()
        yield (Span(f"Meters of {called(account.account)}", Style.BOLD),)
        if account.total is not None:
            yield from meters(account.meters, account.total)
        yield from _said(account.diagnostics)
    if inventory.narrowed:
        yield ()
        yield (Span(PARTIAL, Style.YELLOW),)


def _history(history: History) -> Iterator[ReportedChange]:
    for diagnostic in history.diagnostics:
        yield from diagnostic_lines(diagnostic)
        yield ()
    yield from past(history) if history.timeline is None else timeline(history)
