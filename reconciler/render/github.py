"""Workflow annotations of GitHub Actions: one command a line, errors first.

GitHub shows ten annotations of a level and step, so what is to be read first stands first.
Source: "Workflow commands for GitHub Actions", setting a notice, warning or error message.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from ..diagnostics.diagnostic import Diagnostic, Level, Location
from ..model.finding import Finding
from ..report.report import AccountReport, Report, ReportedChange
from .escape import clean
from .summary import PARTIAL, called, counted, verdict
from .view import (
    LEVEL,
    Place,
    advised,
    attribution_text,
    exempted,
    field_rows,
    halted,
    places,
    rank,
    told,
    value,
    why,
)

_COMMAND = {Level.ERROR: "error", Level.WARNING: "warning", Level.INFO: "notice"}
_ORDER = list(_COMMAND)

Note = tuple[Level, str, str, Location | None]
"""How bad, a title, a message, and where."""


def render(report: Report) -> str:
    """The report as workflow commands, for the log of a job."""
    notes = [_of_problem(diagnostic) for diagnostic in report.diagnostics]
    for account in report.accounts:
        notes.extend(_account(account, report.command))
    notes.sort(key=lambda note: _ORDER.index(note[0]))
    return "".join(f"{_command(*note)}\n" for note in notes)


def escape(text: str) -> str:
    """A message as it stands behind the `::` of a command."""
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def escape_property(text: str) -> str:
    """A value as it stands in the list of a command's properties."""
    return escape(text).replace(":", "%3A").replace(",", "%2C")


def _command(level: Level, title: str, message: str, location: Location | None) -> str:
    properties = [*_place(location), ("title", clean(title))]
    listed = ",".join(f"{name}={escape_property(text)}" for name, text in properties)
    said = "\n".join(map(clean, message.split("\n")))
    return f"::{_COMMAND[level]} {listed}::{escape(said)}"


def _place(location: Location | None) -> Iterator[tuple[str, str]]:
    """Our ends are exclusive, GitHub's are not; it takes columns on a single line only."""
    if location is None:
        return
    yield "file", clean(location.file.removeprefix("./"))
    if not location.line:
        return
    yield "line", str(location.line)
    last = location.end_line - (location.end_column == 1) if location.end_line else location.line
    if last > location.line:
        yield "endLine", str(last)
    elif location.column:
        yield "col", str(location.column)
        yield "endLine", str(location.line)
        yield "endColumn", str(max(location.column, location.end_column - 1))


def _of_problem(diagnostic: Diagnostic) -> Note:
    hint = f"\n{diagnostic.hint}" if diagnostic.hint else ""
    name = f" {diagnostic.event_name}" if diagnostic.event_name else ""
    return (
        diagnostic.level,
        f"{diagnostic.code}{name}",
        f"{diagnostic.message}{hint}",
        diagnostic.location,
    )


def _account(account: AccountReport, command: str) -> Iterator[Note]:
    """The lines of an account, what is said of it, and one sentence that sums it up."""
    told_of = (place for place in places(account) if told(place.line))
    shown = sorted(told_of, key=lambda place: rank(place.line))
    of_lines = {diagnostic for place in shown for diagnostic in place.said}
    for place in shown:
        yield from _line(place)
    yield from (
        _of_problem(diagnostic) for diagnostic in account.diagnostics if diagnostic not in of_lines
    )
    _, sentence = verdict(account, command)
    numbers = ", ".join(counted(account.changes, command))
    said = [sentence, "" if account.complete else PARTIAL, numbers]
    yield Level.INFO, f"{command} {called(account.account)}", " ".join(filter(None, said)), None


def _line(place: Place) -> Iterator[Note]:
    line, change = place.line, place.line.change
    yield from (_finding(line, finding) for finding in line.findings)
    yield from map(_of_problem, place.said)
    if line.result and line.result.error:
        error = line.result.error
        yield _of_problem(replace(error, location=error.location or change.location))
    elif change.action.writes and not line.findings and not halted(line):
        fields = [
            f"{field.path}: {value(field.before)} -> {value(field.after)}"
            for field in field_rows(change)
        ]
        done = f" ({line.result.status})" if line.result else ""
        title = f"{change.action} {change.event_name}{done}"
        yield Level.INFO, title, "\n".join([why(change), *fields]), change.location


def _finding(line: ReportedChange, finding: Finding) -> Note:
    location = line.change.location
    title = f"{finding.code} {finding.severity}: {line.change.event_name}"
    if finding.exemption:
        until = exempted(finding.exemption)
        return Level.INFO, title, f"{finding.message}\n{until}", location
    by = attribution_text(finding.attribution) if finding.attribution else ""
    said = "\n".join(part for part in (finding.message, by, advised(finding)) if part)
    return LEVEL[finding.severity], title, said, location
