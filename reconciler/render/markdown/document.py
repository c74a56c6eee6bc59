"""Markdown for the comment on a pull request: GitHub's dialect, within its limit of length.

Blocked, refused and risky changes come first and are left out last: where not everything fits,
texts are shortened before an item that matters is left out, and the comment says so.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from ...report.report import Report
from ..view import Group, Item, all_items, grouped
from . import frame
from .rows import Budget, group_row, row, size

LIMIT = 65_000
"""Bytes of UTF-8; GitHub refuses a comment of more than 65,536 characters."""

_BUDGETS = (
    Budget(row=6000, name=300, place=300, text=1200, diagnostics=200, accounts=50),
    Budget(row=900, name=160, place=80, text=300, diagnostics=60, accounts=20),
    Budget(row=300, name=90, place=0, text=80, diagnostics=5, accounts=5),
)


@dataclass(frozen=True, slots=True)
class _Comment:
    """A comment, and the items that do not fit."""

    text: str
    hidden: list[Item]


def render(report: Report) -> str:
    """Return the report as one comment; it begins with a hidden marker for each account."""
    items = all_items(report)
    for budget in _BUDGETS:
        comment = _fitted(report, items, budget)
        if size(comment.text) <= LIMIT and not any(item.must_read for item in comment.hidden):
            break
    return comment.text


def _fitted(report: Report, items: list[Item], budget: Budget) -> _Comment:
    """Return as many rows as fit, from the top, in a frame whose size is deducted first."""
    shown = grouped(item for item in items if item.shown)
    quiet = [item for item in items if not item.shown]
    every = list(_flat(shown))
    top, head = list(frame.top(report, budget)), list(frame.head(report))
    spare = [*frame.missing(every, report), *frame.more(every)]
    spare += frame.folded(quiet, report, budget, 0)
    end = list(frame.end(report, budget))
    left = LIMIT - _size([*top, *head, *spare, *end])
    rows = list(_rows(shown, report, budget, left))
    hidden = list(_flat(shown[len(rows) :]))
    short = bool(hidden) or budget is not _BUDGETS[0] or frame.cut(report, budget)
    text = [
        *top,
        *(frame.missing(hidden, report) if short else ()),
        *([*head, *rows, *frame.more(hidden), ""] if rows else ()),
        *frame.folded(quiet, report, budget, left - _size(rows)),
        *end,
    ]
    return _Comment("".join(f"{line}\n" for line in text), hidden)


def _flat(shown: Iterable[Item | Group]) -> Iterator[Item]:
    for entry in shown:
        yield from entry.items if isinstance(entry, Group) else (entry,)


def _rows(shown: list[Item | Group], report: Report, budget: Budget, left: int) -> Iterator[str]:
    for entry in shown:
        if isinstance(entry, Group):
            written = group_row(entry, budget)
        else:
            written = row(entry, budget, several=len(report.accounts) > 1)
        left -= _size([written])
        if left < 0:
            return
        yield written


def _size(lines: Iterable[str]) -> int:
    return sum(size(line) + 1 for line in lines)
