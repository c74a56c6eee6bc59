"""Markdown for the comment on a pull request: GitHub's dialect, within its limit of length.

Blocked, refused and risky changes come first and are left out last: where not everything fits,
texts are shortened before an item that matters is left out, and the comment says so.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from ...report.comparison import Comparison
from ...report.report import Report
from ..view import Group, Item, View, build_view, group_items
from . import comparison, frame
from .rows import Budget, measure, render_group, render_row

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


def render(report: Report | Comparison) -> str:
    """Return the report as one comment; it begins with a hidden marker for each account."""
    if isinstance(report, Comparison):
        return comparison.render(report, LIMIT)
    view = build_view(report)
    for budget in _BUDGETS:
        comment = _fit(view, budget)
        if measure(comment.text) <= LIMIT and not any(item.must_read for item in comment.hidden):
            break
    return comment.text


def _fit(view: View, budget: Budget) -> _Comment:
    """Return as many rows as fit, from the top, in a frame whose size is deducted first."""
    shown = group_items(view.shown)
    top, head = list(frame.render_top(view, budget)), list(frame.render_head(view))
    spare = [*frame.render_warning(view.shown, view), *frame.render_more(view.shown)]
    spare += frame.fold_quiet(view, budget, 0)
    end = list(frame.render_end(view, budget))
    left = LIMIT - _measure_lines([*top, *head, *spare, *end])
    rows = list(_render_rows(shown, view, budget, left))
    hidden = list(_flatten(shown[len(rows) :]))
    short = bool(hidden) or budget is not _BUDGETS[0] or frame.is_cut(view, budget)
    text = [
        *top,
        *(frame.render_warning(hidden, view) if short else ()),
        *([*head, *rows, *frame.render_more(hidden), ""] if rows else ()),
        *frame.fold_quiet(view, budget, left - _measure_lines(rows)),
        *end,
    ]
    return _Comment("".join(f"{line}\n" for line in text), hidden)


def _flatten(shown: Iterable[Item | Group]) -> Iterator[Item]:
    for entry in shown:
        yield from entry.items if isinstance(entry, Group) else (entry,)


def _render_rows(shown: list[Item | Group], view: View, budget: Budget, left: int) -> Iterator[str]:
    for entry in shown:
        if isinstance(entry, Group):
            row = render_group(entry, budget)
        else:
            row = render_row(entry, budget, several=view.has_several)
        left -= measure(row) + 1
        if left < 0:
            return
        yield row


def _measure_lines(lines: Iterable[str]) -> int:
    return sum(measure(line) + 1 for line in lines)
