"""Text for people, as wide as the terminal: what would happen, to what, and why."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from types import MappingProxyType

from ...diagnostics.diagnostic import Diagnostic, Level
from ...report.report import AccountReport, Report
from ...report.result import PlainText
from .. import Document
from ..labels import count, explain_incomplete
from .diagnostics import render_diagnostic
from .styled import WIDTH, Line, Span, Style, set_width, wrap_text, write_lines

Shown = Mapping[str, AccountReport]
"""The plans, by account, that are on the screen already."""

_NOTHING: Shown = MappingProxyType({})


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


def _render(document: Document, shown: Shown, *, verbose: bool) -> Iterator[Line]:
    """Yield the lines of a document; those of `validate` need no more than this module imports."""
    if isinstance(document, Report) and document.command == "validate":
        yield from _render_validation(document)
    elif isinstance(document, Report):
        from .report import render_report

        yield from render_report(document, shown, verbose=verbose)
    else:
        from .small import render_small

        yield from render_small(document, verbose=verbose)


def _render_validation(report: Report) -> Iterator[Line]:
    for diagnostic in report.diagnostics:
        yield from render_diagnostic(diagnostic)
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
