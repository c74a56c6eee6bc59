"""The reports of plan, apply and drift as text."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from ...diagnostics.diagnostic import Diagnostic, Effect
from ...diagnostics.errors import Exit
from ...report.report import AccountReport, ChangeResult, Report, ReportedChange, ResultStatus
from ..fleet.groups import has_many
from ..labels import describe_account, title_run
from ..summary import Headline, Tone, describe_part
from ..view import AccountView, build_view
from .diagnostics import render_diagnostic, render_diagnostics
from .fleet import render_fleet
from .items import render_items
from .styled import Line, Span, Style, wrap_text

_TONE = {
    Tone.GOOD: Style.GREEN,
    Tone.NEWS: Style.CYAN,
    Tone.WARNING: Style.YELLOW,
    Tone.BAD: Style.RED,
}
_COMPARED = ("plan", "apply", "drift")


def render_report(
    report: Report, shown: Mapping[str, AccountReport], *, verbose: bool
) -> Iterator[Line]:
    """Yield a report of plan, apply or drift; of a `shown` plan only its results."""
    for diagnostic in report.diagnostics:
        yield from render_diagnostic(diagnostic)
    view = build_view(report, verbose=verbose)
    folded = has_many(view) and not verbose
    if folded:
        yield from ((),) if report.diagnostics else ()
        yield from render_fleet(view)
    for n, account in enumerate(() if folded else view.accounts):
        if n or report.diagnostics:
            yield ()
        named = describe_account(account.report.account)
        yield (Span(f"{title_run(report.command)} for {named}", Style.BOLD),)
        yield from _render_account(account, shown.get(account.name), verbose=verbose)
    counted = report.command in _COMPARED and report.exit_code is not Exit.USAGE
    if folded or (counted and (has_many(view) or not report.accounts)):
        yield from _render_headline(view.headline)
    elif part := describe_part(report):
        yield from ((), (Span(part, Style.YELLOW),))
    for diagnostic in report.losses:
        yield ()
        yield from render_diagnostic(diagnostic)


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
