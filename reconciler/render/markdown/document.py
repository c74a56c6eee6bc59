"""Markdown for the comment on a pull request: GitHub's dialect, and short enough whatever happens.

What is refused or would stop a meter comes first and is left out last: where not everything fits,
texts are shortened before a line that matters is dropped, and the comment says that it is not
whole.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from ...report.report import Report, ReportedChange
from ..view import Place, every_place, risky, told
from . import frame
from .rows import Budget, row, size

LIMIT = 65_000
"""Bytes of UTF-8; GitHub refuses a comment of more than 65,536 characters."""

_ROOMS = (
    Budget(row=6000, name=300, place=300, text=1200, diagnostics=200, accounts=50),
    Budget(row=900, name=160, place=80, text=300, diagnostics=60, accounts=20),
    Budget(row=300, name=90, place=0, text=80, diagnostics=5, accounts=5),
)


@dataclass(frozen=True, slots=True)
class _Comment:
    """A comment, and the lines that it has no place for."""

    text: str
    hidden: list[ReportedChange]


def render(report: Report) -> str:
    """The report as one comment; it begins with a hidden marker for each account."""
    places = every_place(report)
    for room in _ROOMS:
        comment = _fitted(report, places, room)
        if size(comment.text) <= LIMIT and not any(map(risky, comment.hidden)):
            break
    return comment.text


def _fitted(report: Report, places: list[Place], room: Budget) -> _Comment:
    """As many rows as fit, from the top, in a frame that takes its room beforehand."""
    shown = [place for place in places if told(place.line)]
    lines = [place.line for place in shown]
    quiet = [place.line for place in places if not told(place.line)]
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


def _rows(shown: list[Place], report: Report, room: Budget, left: int) -> Iterator[str]:
    for place in shown:
        written = row(place, room, several=len(report.accounts) > 1)
        left -= _size([written])
        if left < 0:
            return
        yield written


def _size(lines: Iterable[str]) -> int:
    return sum(size(line) + 1 for line in lines)
