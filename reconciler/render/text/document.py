"""Text for people, as wide as the terminal: what would happen, to what, and why."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from types import MappingProxyType

from ...diagnostics.diagnostic import Diagnostic, Effect, Level
from ...diagnostics.errors import Exit
from ...report.comparison import Comparison
from ...report.documents import CommandResult, PlainText
from ...report.report import AccountReport, ChangeResult, Report, ReportedChange, ResultStatus
from .. import Document, Structured
from ..sum_up import sum_up
from ..summary import Headline, Tone, count, describe_account, explain_incomplete, title_run
from ..view import AccountView, build_view
from .comparison import render_comparison
from .diagnostics import render_diagnostic, render_diagnostics
from .items import render_items
from .small import render_small
from .styled import WIDTH, Line, Span, Style, set_width, wrap_text, write_lines

Shown = Mapping[str, AccountReport]
"""The plans, by account, that are on the screen already."""

_NOTHING: Shown = MappingProxyType({})
_TONE = {
    Tone.GOOD: Style.GREEN,
    Tone.NEWS: Style.CYAN,
    Tone.WARNING: Style.YELLOW,
    Tone.BAD: Style.RED,
}
_COMPARED = ("plan", "apply", "drift")


def render(
    document: Document,
    shown: Shown = _NOTHING,
    width: int = WIDTH,
    *,
    verbose: bool = False,
    colours: bool = False,
) -> str:
    """Return the document for a terminal of `width` columns; of a `shown` plan only its results.

    Many unmanaged or ignored meters are one line unless `verbose`.
    """
    if isinstance(document, PlainText):
        return document.text
    with set_width(width):
        return write_lines(_render(document, shown, verbose=verbose), colours=colours)


def render_messages(
    diagnostics: Iterable[Diagnostic], width: int = WIDTH, *, colours: bool = False
) -> str:
    """Return diagnostics alone, for standard error."""
    with set_width(width):
        lines = (line for each in diagnostics for line in render_diagnostic(each))
        return write_lines(lines, colours=colours)


def _render(document: Structured, shown: Shown, *, verbose: bool) -> Iterator[Line]:
    if isinstance(document, Report):
        yield from _render_report(document, shown, verbose=verbose)
    elif isinstance(document, Comparison):
        yield from render_comparison(document, verbose=verbose)
    else:
        yield from render_small(document if verbose else _sum_up_accounts(document))


def _sum_up_accounts(document: CommandResult) -> CommandResult:
    accounts = (
        replace(account, diagnostics=tuple(sum_up(account.diagnostics)))
        for account in document.accounts
    )
    return replace(document, accounts=tuple(accounts))


def _render_report(report: Report, shown: Shown, *, verbose: bool) -> Iterator[Line]:
    for diagnostic in report.diagnostics:
        yield from render_diagnostic(diagnostic)
    if report.command == "validate":
        yield from _render_validation(report)
        return
    view = build_view(report, verbose=verbose)
    for n, account in enumerate(view.accounts):
        if n or report.diagnostics:
            yield ()
        named = describe_account(account.report.account)
        yield (Span(f"{title_run(report.command)} for {named}", Style.BOLD),)
        yield from _render_account(account, shown.get(account.name), verbose=verbose)
    if report.command in _COMPARED and not report.accounts and report.exit_code is not Exit.USAGE:
        yield from _render_headline(view.headline)
    for diagnostic in report.losses:
        yield ()
        yield from render_diagnostic(diagnostic)


def _render_validation(report: Report) -> Iterator[Line]:
    errors = sum(diagnostic.level is Level.ERROR for diagnostic in report.diagnostics)
    if errors:
        yield ()
        yield (Span(f"Not valid: {count(errors, 'error')}.", Style.RED),)
        return
    found = f"Valid: {count(report.declared or 0, 'meter')} declared"
    names = ", ".join(account.account.name for account in report.accounts)
    yield from wrap_text(f"{found} for {names}." if names else f"{found}.", "", "  ")
    if report.accounts and (why := explain_incomplete(report)):
        yield (Span(why, Style.YELLOW),)


def _render_account(
    view: AccountView, shown: AccountReport | None, *, verbose: bool
) -> Iterator[Line]:
    report = view.report
    if shown and not any(change.result for change in report.changes):
        new = (each for each in report.diagnostics if each not in shown.diagnostics)
        yield from render_diagnostics(new)
        yield from _render_headline(view.headline)
        return
    whole = [each for each in view.unattached if each.effect is Effect.ACCOUNT]
    yield from render_diagnostics(whole)
    yield from render_items((item for item in view.items if item.shown), verbose=verbose)
    yield from render_diagnostics(each for each in view.unattached if each not in whole)
    if view.items or report.plan_hash or report.exit_code is not Exit.DONE:
        yield from _render_headline(view.headline)
        for hint in dict.fromkeys(filter(None, map(_find_hint, report.changes))):
            yield from wrap_text(f"hint: {hint}", "  ", "    ")
        if report.plan_hash:
            yield (Span(f"plan_hash {report.plan_hash}", Style.FAINT),)


def _render_headline(headline: Headline) -> Iterator[Line]:
    yield ()
    for line in wrap_text(headline.verdict, "", "  "):
        yield (Span(str(line[0]), _TONE[headline.tone]),)
    if headline.counts:
        yield from wrap_text(f"{headline.counts}.", "", "  ")
    for note in headline.notes:
        yield (Span(note, Style.YELLOW),)


def _find_hint(reported: ReportedChange) -> str | None:
    """Return what to do about a change that was not tried; many changes share it."""
    match reported.result:
        case ChangeResult(status=ResultStatus.SKIPPED, error=Diagnostic(hint=hint)):
            return hint
    return None
