"""Workflow annotations of GitHub Actions: one command per line, errors first.

GitHub shows ten annotations of a level and step, so the most important come first.
Source: "Workflow commands for GitHub Actions", setting a notice, warning or error message.
"""

from __future__ import annotations

from collections.abc import Iterator

from msgspec.structs import replace

from ..diagnostics.diagnostic import Diagnostic, Level, Location
from ..diagnostics.shorten import shorten
from ..model.finding import Finding
from ..report.report import Report
from .escape import clean
from .facts import LEVEL, describe_finding
from .labels import describe_account
from .places import AS_GIVEN, Base
from .view import AccountView, Group, Item, build_view, group_items

_COMMAND = {Level.ERROR: "error", Level.WARNING: "warning", Level.INFO: "notice"}
_ORDER = list(_COMMAND)
_LONGEST = 3_900  # the runner cuts a message at 4,096 characters and does not say so

Note = tuple[Level, str, str, Location | None]
"""Level, title, message and location."""


def render(report: Report, base: Base = AS_GIVEN) -> str:
    """Return the report as workflow commands, for the log of a job."""
    notes = [_note_diagnostic(diagnostic, base) for diagnostic in report.diagnostics]
    for account in build_view(report).accounts:
        notes.extend(_note_account(account, report.command, base))
    notes.sort(key=lambda note: _ORDER.index(note[0]))
    return "".join(f"{_format_command(*note)}\n" for note in notes)


def escape(text: str) -> str:
    """Escape a message, the part of a command after the second `::`."""
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def escape_property(text: str) -> str:
    """Escape a value in the list of a command's properties."""
    return escape(text).replace(":", "%3A").replace(",", "%2C")


def _format_command(level: Level, title: str, message: str, location: Location | None) -> str:
    properties = [*_list_properties(location), ("title", clean(title))]
    listed = ",".join(f"{name}={escape_property(text)}" for name, text in properties)
    said = "\n".join(map(clean, shorten(message, _LONGEST).split("\n")))
    return f"::{_COMMAND[level]} {listed}::{escape(said)}"


def _list_properties(location: Location | None) -> Iterator[tuple[str, str]]:
    """Yield a location: GitHub's ends are inclusive, and it takes columns on a single line only."""
    if location is None:
        return
    yield "file", clean(location.file)
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


def _note_diagnostic(diagnostic: Diagnostic, base: Base) -> Note:
    diagnostic = base.relate_diagnostic(diagnostic)
    hint = f"\n{diagnostic.hint}" if diagnostic.hint else ""
    name = f" {shorten(diagnostic.event_name)}" if diagnostic.event_name else ""
    return (
        diagnostic.level,
        f"{diagnostic.code}{name}",
        f"{diagnostic.message}{hint}",
        diagnostic.location,
    )


def _note_account(view: AccountView, command: str, base: Base) -> Iterator[Note]:
    """Yield the items of an account, its other diagnostics, and its verdict."""
    for entry in group_items(item for item in view.items if item.shown):
        yield from _note_group(entry) if isinstance(entry, Group) else _note_item(entry, base)
    yield from (_note_diagnostic(diagnostic, base) for diagnostic in view.unattached)
    title = f"{command} {describe_account(view.report.account)}"
    yield Level.INFO, title, str(view.headline), None


def _note_group(group: Group) -> Iterator[Note]:
    """Yield a note on many items of the same kind."""
    first = group.items[0]
    levels = [*map(_find_level, first.findings), *(said.level for said in first.diagnostics)]
    if levels:
        yield min(levels, key=_ORDER.index), group.title, group.listing, None


def _find_level(finding: Finding) -> Level:
    return Level.INFO if finding.exemption else LEVEL[finding.severity]


def _note_item(item: Item, base: Base) -> Iterator[Note]:
    location = base.relate(item.location)
    for finding in item.findings:
        title = f"{finding.code} {finding.severity}: {item.name}"
        yield _find_level(finding), title, describe_finding(finding), location
    for diagnostic in item.diagnostics:
        if diagnostic.event_name:  # a diagnostic of the whole plan is noted once
            yield _note_diagnostic(diagnostic, base)
    if item.error:
        error = replace(item.error, location=item.error.location or item.location)
        yield _note_diagnostic(error, base)
    elif item.change and item.change.action.writes and not item.incomplete:
        done = f" ({item.result.status})" if item.result else ""
        title = f"{item.change.action} {item.name}{done}"
        yield Level.INFO, title, item.text, location
