"""Workflow annotations of GitHub Actions: one command a line, errors first.

GitHub shows ten annotations of a level and step, so the most important come first.
Source: "Workflow commands for GitHub Actions", setting a notice, warning or error message.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from ..diagnostics.diagnostic import Diagnostic, Level, Location
from ..model.change import Change
from ..model.finding import Finding
from ..report.report import AccountReport, Report
from .escape import clean
from .summary import called, counts, incomplete, verdict
from .view import LEVEL, Item, field_rows, finding_lines, items, reason_text, value

_COMMAND = {Level.ERROR: "error", Level.WARNING: "warning", Level.INFO: "notice"}
_ORDER = list(_COMMAND)

Note = tuple[Level, str, str, Location | None]
"""Level, title, message and location."""


def render(report: Report) -> str:
    """The report as workflow commands, for the log of a job."""
    notes = [_diagnostic(diagnostic) for diagnostic in report.diagnostics]
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


def _diagnostic(diagnostic: Diagnostic) -> Note:
    hint = f"\n{diagnostic.hint}" if diagnostic.hint else ""
    name = f" {diagnostic.event_name}" if diagnostic.event_name else ""
    return (
        diagnostic.level,
        f"{diagnostic.code}{name}",
        f"{diagnostic.message}{hint}",
        diagnostic.location,
    )


def _account(account: AccountReport, command: str) -> Iterator[Note]:
    """Yield the items of an account, its other diagnostics, and its verdict."""
    shown = [item for item in items(account) if item.shown]
    attached = {diagnostic for item in shown for diagnostic in item.diagnostics}
    attached |= {item.result.error for item in shown if item.result and item.result.error}
    for item in shown:
        yield from _item(item)
    for diagnostic in account.diagnostics:
        if diagnostic not in attached:
            yield _diagnostic(diagnostic)
    _, sentence = verdict(account, command)
    numbers = ", ".join(counts(account, command))
    said = [sentence, incomplete(account), numbers]
    yield Level.INFO, f"{command} {called(account.account)}", " ".join(filter(None, said)), None


def _item(item: Item) -> Iterator[Note]:
    yield from (_finding(item, finding) for finding in item.findings)
    yield from map(_diagnostic, item.diagnostics)
    if item.result and item.result.error:
        error = item.result.error
        yield _diagnostic(replace(error, location=error.location or item.location))
    elif item.change and item.change.action.writes and not item.incomplete:
        yield _change(item, item.change)


def _change(item: Item, change: Change) -> Note:
    fields = [
        f"{field.path}: {value(field.before)} -> {value(field.after)}"
        for field in field_rows(change)
    ]
    done = f" ({item.result.status})" if item.result else ""
    title = f"{change.action} {change.event_name}{done}"
    return Level.INFO, title, "\n".join([reason_text(change), *fields]), change.location


def _finding(item: Item, finding: Finding) -> Note:
    title = f"{finding.code} {finding.severity}: {item.event_name}"
    level = Level.INFO if finding.exemption else LEVEL[finding.severity]
    return level, title, "\n".join(finding_lines(finding)), item.location
