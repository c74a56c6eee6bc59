"""Markdown for the comment on a pull request: GitHub's dialect, and short enough whatever happens.

What costs most comes first and is left out last: where not everything fits, texts are
shortened before a line that matters is dropped, and the comment says that it is not whole.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from ...model import Severity
from ...report import AccountReport, Line, Report
from ..story import halted, rank, severity, told
from . import frame
from .rows import Room, row, size

LIMIT = 65_000
"""Bytes of UTF-8; GitHub refuses a comment of more than 65,536 characters."""

_ROOMS = (
    Room(row=6000, name=300, place=300, text=1200, problems=200, accounts=50),
    Room(row=900, name=160, place=80, text=300, problems=60, accounts=20),
    Room(row=300, name=90, place=0, text=80, problems=5, accounts=5),
)

Place = tuple[AccountReport, Line]
"""A line, and the account that it is of."""


@dataclass(frozen=True, slots=True)
class _Comment:
    """A comment, and the lines that it has no place for."""

    text: str
    hidden: list[Line]


def render(report: Report) -> str:
    """The report as one comment; it begins with a hidden marker for each account."""
    for room in _ROOMS:
        comment = _fitted(report, room)
        if size(comment.text) <= LIMIT and not any(map(_matters, comment.hidden)):
            break
    return comment.text


def _matters(line: Line) -> bool:
    return severity(line) in (Severity.REVENUE, Severity.HIGH) or halted(line)


def _fitted(report: Report, room: Room) -> _Comment:
    """As many rows as fit, worst first, in a frame that takes its room beforehand."""
    every = ((account, line) for account in report.accounts for line in account.lines)
    places = sorted(every, key=lambda place: rank(place[1]))
    shown = [place for place in places if told(place[1])]
    lines, quiet = [line for _, line in shown], [line for _, line in places if not told(line)]
    top, head = list(frame.top(report, room)), list(frame.head(report))
    spare = [*frame.missing(lines), *frame.more(lines), *frame.folded(quiet, report, room, 0)]
    end = list(frame.end(report, room))
    left = LIMIT - _size([*top, *head, *spare, *end])
    rows = list(_rows(shown, report, room, left))
    hidden = lines[len(rows) :]
    short = bool(hidden) or room is not _ROOMS[0] or frame.cut(report, room)
    text = [
        *top,
        *(frame.missing(hidden) if short else ()),
        *([*head, *rows, *frame.more(hidden), ""] if rows else ()),
        *frame.folded(quiet, report, room, left - _size(rows)),
        *end,
    ]
    return _Comment("".join(f"{line}\n" for line in text), hidden)


def _rows(shown: list[Place], report: Report, room: Room, left: int) -> Iterator[str]:
    for account, line in shown:
        whose = account.account.name if len(report.accounts) > 1 else ""
        written = row(line, account, whose, room)
        left -= _size([written])
        if left < 0:
            return
        yield written


def _size(lines: Iterable[str]) -> int:
    return sum(size(line) + 1 for line in lines)
