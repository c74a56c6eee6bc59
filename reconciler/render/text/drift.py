"""Text for drift: under each event_name what was found, since when, by whom, and what to do."""

from __future__ import annotations

from collections.abc import Iterator

from ...model.change import Risk
from ...model.finding import Finding
from ...report.report import AccountReport
from ..escape import clean
from ..view import UNATTRIBUTED, Group, Item, facts, grouped, items, remedy, unattributed
from .styled import ReportedChange, Span, Style, current_width, wrapped

_COLOUR = {
    Risk.NONE: Style.FAINT,
    Risk.LOW: Style.CYAN,
    Risk.HIGH: Style.YELLOW,
    Risk.REVENUE: Style.RED,
}
_INDENT = " " * 8


def found(report: AccountReport, *, verbose: bool) -> Iterator[ReportedChange]:
    """Yield every item with findings, ignored ones too; a blank line before each."""
    shown = [item for item in items(report) if item.shown]
    for entry in shown if verbose else grouped(shown):
        yield ()
        yield from _group(entry) if isinstance(entry, Group) else _block(entry)
    if unattributed(report.entries):
        yield ()
        yield (Span(UNATTRIBUTED, Style.FAINT),)


def _word(item: Item) -> Span:
    word = "ignored" if item.ignored else str(item.degree)
    return Span(f"{word:<8}", _COLOUR[item.degree])


def _group(group: Group) -> Iterator[ReportedChange]:
    said = f"{len(group.items):,} {group.label}: {', '.join(group.examples)}"
    first, *rest = wrapped(f"{said} and {group.rest:,} more (-v lists all)", _INDENT)
    yield (_word(group.items[0]), str(first[0]).removeprefix(_INDENT))
    yield from rest


def _block(item: Item) -> Iterator[ReportedChange]:
    name, location = clean(item.event_name), clean(str(item.location or ""))
    gap = " " * max(2, current_width() - 8 - len(name) - len(location))
    yield (_word(item), Span(name, Style.BOLD), gap, Span(location, Style.FAINT))
    for finding in item.findings:
        yield from _finding(finding)


def _finding(finding: Finding) -> Iterator[ReportedChange]:
    deeper = _INDENT + "  "
    yield from wrapped(f"{finding.kind} {finding.code}: {finding.message}", _INDENT, deeper)
    for fact in facts(finding):
        said = fact.text if fact.label == "ignored" else f"{fact.label}: {fact.text}"
        yield from wrapped(said, deeper, deeper + "  ")
    if how := remedy(finding):
        yield (deeper, Span(f"{how[0]}: ", Style.FAINT), how[1])  # never wrapped: to be copied
