"""Text for an audit: under each name what was found, since when, by whom, and what to do."""

from __future__ import annotations

from collections.abc import Iterator

from ...model.change import Severity
from ...model.finding import Finding
from ...planning.warnings import priced
from ...report.report import AccountReport
from ...report.report import Line as ReportLine
from ...timestamps import utc
from ..escape import clean
from ..summary import PARTIAL, counted, verdict
from ..view import advice, doer, exempted, undated, unnamed
from .styled import WIDTH, Ink, Line, Word, wrapped

_COLOUR = {
    Severity.NONE: Ink.FAINT,
    Severity.LOW: Ink.CYAN,
    Severity.HIGH: Ink.YELLOW,
    Severity.REVENUE: Ink.RED,
}
_INDENT = " " * 8


def found(report: AccountReport) -> Iterator[Line]:
    """Every line with a finding, exempt ones too; blank lines before each."""
    for line in report.lines:
        if line.findings:
            yield ()
            yield from _block(line)


def total(report: AccountReport) -> Iterator[Line]:
    """What the audit comes to, and in numbers."""
    _, sentence = verdict(report, "drift")
    yield from wrapped(f"{sentence} {', '.join(counted(report.lines, 'drift'))}", "", "  ")
    if not report.complete:
        yield (Word(PARTIAL, Ink.YELLOW),)


def _block(line: ReportLine) -> Iterator[Line]:
    change = line.change
    word = "ignored" if line.ignored else str(change.severity)
    name, place = clean(change.event_name), clean(str(change.where or ""))
    gap = " " * max(2, WIDTH - 8 - len(name) - len(place))
    sign = Word(f"{word:<8}", _COLOUR[change.severity])
    yield (sign, Word(name, Ink.BOLD), gap, Word(place, Ink.FAINT))
    for finding in line.findings:
        yield from _finding(finding)
    if more := unnamed(change.prices, (finding.message for finding in line.findings)):
        yield from wrapped(f"prices: {', '.join(map(priced, more))}", _INDENT)


def _finding(finding: Finding) -> Iterator[Line]:
    deeper = _INDENT + "  "
    yield from wrapped(f"{finding.kind} {finding.code}: {finding.message}", _INDENT, deeper)
    if (since := undated(finding)) is not None:
        yield (deeper, Word("since: ", Ink.FAINT), utc(since))
    if finding.attribution:
        yield from wrapped(f"who: {doer(finding.attribution)}", deeper, deeper + "  ")
    if finding.exemption:
        yield from wrapped(exempted(finding.exemption), deeper, deeper + "  ")
    elif finding.remedy:
        how = Word(f"{advice(finding)}: ", Ink.FAINT)
        yield (deeper, how, finding.remedy)  # never wrapped: to be copied
