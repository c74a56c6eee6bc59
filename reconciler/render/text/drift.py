"""Text for an audit: under each name what was found, since when, by whom, and what to do."""

from __future__ import annotations

from collections.abc import Iterator

from ...model.change import Severity
from ...model.finding import Finding
from ...planning.warnings import priced
from ...report.report import AccountReport
from ...report.report import ReportedChange as ReportLine
from ...timestamps import format_time
from ..escape import clean
from ..summary import PARTIAL, counted, verdict
from ..view import advice, attribution_text, exempted, undated, unnamed
from .styled import ReportedChange, Span, Style, current_width, wrapped

_COLOUR = {
    Severity.NONE: Style.FAINT,
    Severity.LOW: Style.CYAN,
    Severity.HIGH: Style.YELLOW,
    Severity.REVENUE: Style.RED,
}
_INDENT = " " * 8


def found(report: AccountReport) -> Iterator[ReportedChange]:
    """Every line with a finding, exempt ones too; blank lines before each."""
    for line in report.changes:
        if line.findings:
            yield ()
            yield from _block(line)


def total(report: AccountReport) -> Iterator[ReportedChange]:
    """What the audit comes to, and in numbers."""
    _, sentence = verdict(report, "drift")
    yield from wrapped(f"{sentence} {', '.join(counted(report.changes, 'drift'))}", "", "  ")
    if not report.complete:
        yield (Span(PARTIAL, Style.YELLOW),)


def _block(line: ReportLine) -> Iterator[ReportedChange]:
    change = line.change
    word = "ignored" if line.ignored else str(change.severity)
    name, place = clean(change.event_name), clean(str(change.location or ""))
    gap = " " * max(2, current_width() - 8 - len(name) - len(place))
    sign = Span(f"{word:<8}", _COLOUR[change.severity])
    yield (sign, Span(name, Style.BOLD), gap, Span(place, Style.FAINT))
    for finding in line.findings:
        yield from _finding(finding)
    if more := unnamed(change.prices, (finding.message for finding in line.findings)):
        yield from wrapped(f"prices: {', '.join(map(priced, more))}", _INDENT)


def _finding(finding: Finding) -> Iterator[ReportedChange]:
    deeper = _INDENT + "  "
    yield from wrapped(f"{finding.kind} {finding.code}: {finding.message}", _INDENT, deeper)
    if (since := undated(finding)) is not None:
        yield (deeper, Span("since: ", Style.FAINT), format_time(since))
    if finding.attribution:
        yield from wrapped(f"who: {attribution_text(finding.attribution)}", deeper, deeper + "  ")
    if finding.exemption:
        yield from wrapped(exempted(finding.exemption), deeper, deeper + "  ")
    elif finding.remedy:
        how = Span(f"{advice(finding)}: ", Style.FAINT)
        yield (deeper, how, finding.remedy)  # never wrapped: to be copied
