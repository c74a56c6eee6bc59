"""Workflow annotations of GitHub Actions: one command a line, errors first.

GitHub shows ten annotations of a level and step, so what is to be read first stands first.
Source: "Workflow commands for GitHub Actions", setting a notice, warning or error message.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from ..diagnostics.diagnostic import Level, Location, Problem
from ..model.finding import Finding
from ..report.report import AccountReport, Line, Report
from .escape import clean
from .summary import PARTIAL, called, counted, verdict
from .view import (
    LEVEL,
    Place,
    advised,
    doer,
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
    notes = [_of_problem(problem) for problem in report.problems]
    for account in report.accounts:
        notes.extend(_account(account, report.verb))
    notes.sort(key=lambda note: _ORDER.index(note[0]))
    return "".join(f"{_command(*note)}\n" for note in notes)


def escape(text: str) -> str:
    """A message as it stands behind the `::` of a command."""
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def escape_property(text: str) -> str:
    """A value as it stands in the list of a command's properties."""
    return escape(text).replace(":", "%3A").replace(",", "%2C")


def _command(level: Level, title: str, message: str, where: Location | None) -> str:
    properties = [*_place(where), ("title", clean(title))]
    listed = ",".join(f"{name}={escape_property(text)}" for name, text in properties)
    said = "\n".join(map(clean, message.split("\n")))
    return f"::{_COMMAND[level]} {listed}::{escape(said)}"


def _place(where: Location | None) -> Iterator[tuple[str, str]]:
    """Our ends are exclusive, GitHub's are not; it takes columns on a single line only."""
    if where is None:
        return
    yield "file", clean(where.file.removeprefix("./"))
    if not where.line:
        return
    yield "line", str(where.line)
    last = where.end_line - (where.end_column == 1) if where.end_line else where.line
    if last > where.line:
        yield "endLine", str(last)
    elif where.column:
        yield "col", str(where.column)
        yield "endLine", str(where.line)
        yield "endColumn", str(max(where.column, where.end_column - 1))


def _of_problem(problem: Problem) -> Note:
    hint = f"\n{problem.hint}" if problem.hint else ""
    name = f" {problem.event_name}" if problem.event_name else ""
    return problem.level, f"{problem.code}{name}", f"{problem.message}{hint}", problem.where


def _account(account: AccountReport, verb: str) -> Iterator[Note]:
    """The lines of an account, what is said of it, and one sentence that sums it up."""
    told_of = (place for place in places(account) if told(place.line))
    shown = sorted(told_of, key=lambda place: rank(place.line))
    of_lines = {problem for place in shown for problem in place.said}
    for place in shown:
        yield from _line(place)
    yield from (_of_problem(problem) for problem in account.problems if problem not in of_lines)
    _, sentence = verdict(account, verb)
    numbers = ", ".join(counted(account.lines, verb))
    said = [sentence, "" if account.complete else PARTIAL, numbers]
    yield Level.INFO, f"{verb} {called(account.account)}", " ".join(filter(None, said)), None


def _line(place: Place) -> Iterator[Note]:
    line, change = place.line, place.line.change
    yield from (_finding(line, finding) for finding in line.findings)
    yield from map(_of_problem, place.said)
    if line.outcome and line.outcome.error:
        error = line.outcome.error
        yield _of_problem(replace(error, where=error.where or change.where))
    elif change.action.writes and not line.findings and not halted(line):
        fields = [
            f"{field.path}: {value(field.before)} -> {value(field.after)}"
            for field in field_rows(change)
        ]
        done = f" ({line.outcome.status})" if line.outcome else ""
        title = f"{change.action} {change.event_name}{done}"
        yield Level.INFO, title, "\n".join([why(change), *fields]), change.where


def _finding(line: Line, finding: Finding) -> Note:
    where = line.change.where
    title = f"{finding.code} {finding.severity}: {line.change.event_name}"
    if finding.exemption:
        until = exempted(finding.exemption)
        return Level.INFO, title, f"{finding.message}\n{until}", where
    by = doer(finding.attribution) if finding.attribution else ""
    said = "\n".join(part for part in (finding.message, by, advised(finding)) if part)
    return LEVEL[finding.severity], title, said, where
