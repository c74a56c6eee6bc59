"""Text for people, as wide as the terminal: what would happen, to what, and why."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from types import MappingProxyType

from ...diagnostics.diagnostic import Diagnostic, Effect, Level
from ...diagnostics.errors import Exit
from ...report.checkup import Checkup
from ...report.comparison import Comparison
from ...report.documents import DiagnosticList, EmulatorInfo, Inventory, PlainText, Readiness
from ...report.history import History
from ...report.report import AccountReport, ChangeResult, Report, ReportedChange, ResultStatus
from .. import Document, Structured
from ..comparison import list_diagnostics
from ..escape import clean
from ..summary import Headline, Tone, count, describe_account, explain_incomplete, title_run
from ..view import AccountView, build_view
from .checks import conclude, render_checks
from .comparison import render_comparison
from .excerpt import render_excerpt
from .history import render_runs, render_timeline
from .items import render_items
from .styled import WIDTH, Line, Span, Style, set_width, wrap_text, write_lines
from .tables import render_meters, render_ready_meters, render_rules

Shown = Mapping[str, AccountReport]
"""The plans, by account, that are on the screen already."""

_NOTHING: Shown = MappingProxyType({})
_LEVEL = {Level.ERROR: Style.RED, Level.WARNING: Style.YELLOW, Level.INFO: Style.CYAN}
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


def _render(document: Structured, shown: Shown, *, verbose: bool) -> Iterator[Line]:
    match document:
        case Report():
            yield from _render_report(document, shown, verbose=verbose)
        case Inventory():
            yield from _render_inventory(document)
        case Readiness():
            yield from _render_readiness(document)
        case Comparison():
            yield from _render_comparison(document, verbose=verbose)
        case History():
            yield from _render_history(document)
        case Checkup():
            yield from _render_checkup(document)
        case EmulatorInfo() | DiagnosticList():
            yield from _render_info(document)


def _render_info(document: EmulatorInfo | DiagnosticList) -> Iterator[Line]:
    if isinstance(document, EmulatorInfo):
        yield from _render_diagnostics(document.diagnostics)
        yield (f"Emulating Stripe at {document.url} (key: {document.api_key}); Ctrl-C stops it",)
    else:
        yield from render_rules(document.rules)
        yield from _render_diagnostics(document.diagnostics)


def _render_report(report: Report, shown: Shown, *, verbose: bool) -> Iterator[Line]:
    for diagnostic in report.diagnostics:
        yield from render_diagnostic(diagnostic)
    if report.command == "validate":
        yield from _render_validation(report)
        return
    view = build_view(report)
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
        yield from _render_diagnostics(new)
        yield from _render_headline(view.headline)
        return
    whole = [each for each in view.unattached if each.effect is Effect.ACCOUNT]
    yield from _render_diagnostics(whole)
    yield from render_items((item for item in view.items if item.shown), verbose=verbose)
    yield from _render_diagnostics(each for each in view.unattached if each not in whole)
    if view.items or report.plan_hash or report.exit_code is not Exit.DONE:
        yield from _render_headline(view.headline)
        for hint in dict.fromkeys(filter(None, map(_find_hint, report.changes))):
            yield from wrap_text(f"hint: {hint}", "  ", "    ")
        if report.plan_hash:
            yield (Span(f"plan_hash {report.plan_hash}", Style.FAINT),)


def _render_diagnostics(diagnostics: Iterable[Diagnostic]) -> Iterator[Line]:
    for diagnostic in diagnostics:
        if diagnostic.effect is not Effect.SCOPE:  # stated with the counts, which it limits
            yield ()
            yield from render_diagnostic(diagnostic)


def render_diagnostic(diagnostic: Diagnostic) -> Iterator[Line]:
    """Yield a diagnostic as a compiler shows it; of an info only the message."""
    if diagnostic.level is Level.INFO:
        yield from wrap_text(diagnostic.message, "", "    ")
        return
    colour = _LEVEL[diagnostic.level]
    place = f"{diagnostic.location}: " if diagnostic.location else ""
    label = f"{diagnostic.level} {diagnostic.code}"
    head = clean(f"{place}{label}: ")  # in one piece, for grep
    first, *rest = wrap_text(diagnostic.message, head, "    ")
    before, found, after = str(first[0]).partition(label)
    yield (before, Span(found, colour), after)
    yield from rest
    yield from render_excerpt(diagnostic, colour)
    if diagnostic.hint:
        yield from wrap_text(f"hint: {diagnostic.hint}", "    ")


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


def _render_inventory(inventory: Inventory) -> Iterator[Line]:
    for diagnostic in inventory.diagnostics:
        yield from render_diagnostic(diagnostic)
    for n, account in enumerate(inventory.accounts):
        if n or inventory.diagnostics:
            yield ()
        yield (Span(f"Meters of {describe_account(account.account)}", Style.BOLD),)
        if account.total is not None:
            yield from render_meters(account.meters, account.total, account.prices)
        yield from _render_diagnostics(account.diagnostics)
    if inventory.narrowed:
        yield ()
        yield (Span("Partial list: only meters that match are shown.", Style.YELLOW),)


def _render_checkup(checkup: Checkup) -> Iterator[Line]:
    yield (Span("This machine and project", Style.BOLD),)
    yield from render_checks(checkup.checks)
    yield from _render_diagnostics(checkup.diagnostics)
    for account in checkup.accounts:
        yield ()
        yield (Span(f"Account {describe_account(account.account)}", Style.BOLD),)
        yield from render_checks(account.checks)
        yield from _render_diagnostics(account.diagnostics)
    yield ()
    yield conclude(checkup)


def _render_readiness(readiness: Readiness) -> Iterator[Line]:
    yield from _render_diagnostics(readiness.diagnostics)
    for n, account in enumerate(readiness.accounts):
        if n or readiness.diagnostics:
            yield ()
        yield (Span(f"Readiness of {describe_account(account.account)}", Style.BOLD),)
        yield from render_ready_meters(account.meters)
        yield from _render_diagnostics(account.diagnostics)
        if not account.meters:
            continue
        yield ()
        ready = sum(meter.ready for meter in account.meters)
        whole = ready == len(account.meters)
        verdict = f"Ready: {count(ready, 'meter')}." if whole else "Not ready: "
        verdict += "" if whole else f"{len(account.meters) - ready} of {len(account.meters)}."
        yield (Span(verdict, Style.GREEN if whole else Style.RED),)


def _render_comparison(document: Comparison, *, verbose: bool) -> Iterator[Line]:
    yield from render_comparison(document, verbose=verbose)
    for whose, diagnostic in list_diagnostics(document):
        yield ()
        named = f"account {whose!r}: {diagnostic.message}" if whose else diagnostic.message
        yield from render_diagnostic(replace(diagnostic, message=named))


def _render_history(history: History) -> Iterator[Line]:
    for diagnostic in history.diagnostics:
        yield from render_diagnostic(diagnostic)
        yield ()
    yield from render_runs(history) if history.timeline is None else render_timeline(history)
