"""Markdown for the comment on a pull request: GitHub's dialect, within its limit of length.

Blocked, refused and risky changes come first and are left out last: where not everything fits,
texts are shortened before an item that matters is left out, and the comment says so.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from ...report.comparison import Comparison
from ...report.report import Report
from ..view import Group, Item, View, build_view, group_items
from . import comparison, frame
from .around import Around
from .rows import Budget, measure, render_group, render_row

LIMIT = 65_000
"""Bytes of UTF-8; GitHub refuses a comment of more than 65,536 characters."""

_BUDGETS = (
    Budget(row=6000, name=300, place=300, text=1200, diagnostics=200, accounts=50),
    Budget(row=900, name=160, place=80, text=300, diagnostics=60, accounts=20),
    Budget(row=300, name=90, place=0, text=80, diagnostics=5, accounts=5),
)


_FEW = 3  # routine changes that a posted comment does not fold


@dataclass(frozen=True, slots=True)
class Comment:
    """A comment, the items that do not fit, and whether anything was shortened or left out."""

    text: str
    hidden: list[Item]
    short: bool


def render(report: Report | Comparison) -> str:
    """Return the report as one comment; it begins with a hidden marker for each account."""
    if isinstance(report, Comparison):
        return comparison.render(report, LIMIT)
    return render_comment(report).text


def render_comment(report: Report, around: Around | None = None) -> Comment:
    """Return a comment; one that is posted has its verdict in the first line, and links."""
    view = build_view(report)
    for budget in _BUDGETS:
        comment = _fit(view, replace(budget, around=around), shortened=budget is not _BUDGETS[0])
        if measure(comment.text) <= LIMIT and not any(item.must_read for item in comment.hidden):
            break
    return comment


def _fit(view: View, budget: Budget, *, shortened: bool) -> Comment:
    """Return as many rows as fit, from the top, in a frame whose size is deducted first."""
    shown = group_items(view.shown)
    top, head = list(frame.render_top(view, budget)), list(frame.render_head(view))
    routine = _count_routine(shown, budget)
    spare = [*frame.render_warning(view.shown, view), *frame.render_more(view.shown)]
    spare += frame.fold_quiet(view, budget, 0)
    spare += frame.fold_routine(view, view.shown, []) if routine else []
    how, end = list(frame.render_how_to_apply(view, budget)), list(frame.render_end(view, budget))
    left = LIMIT - _measure_lines([*top, *head, *spare, *how, *end])
    rows = list(_render_rows(shown, view, budget, left))
    hidden = list(_flatten(shown[len(rows) :]))
    short = bool(hidden) or shortened or frame.is_cut(view, budget)
    open_, folded = len(shown) - routine, list(_flatten(shown[len(shown) - routine : len(rows)]))
    text = [
        *top,
        *(frame.render_warning(hidden, view) if short else ()),
        *([*head, *rows[:open_], *frame.render_more(hidden), ""] if rows[:open_] else ()),
        *(frame.fold_routine(view, folded, rows[open_:]) if folded else ()),
        *frame.fold_quiet(view, budget, left - _measure_lines(rows)),
        *(() if short else how),
        *end,
    ]
    return Comment("".join(f"{line}\n" for line in text), hidden, short)


def _count_routine(shown: list[Item | Group], budget: Budget) -> int:
    """Return how many of the last entries are folded: changes that need no review."""
    if not budget.around:
        return 0
    routine = 0
    for entry in reversed(shown):
        if isinstance(entry, Group) or not entry.routine:
            break
        routine += 1
    return routine if routine > _FEW else 0


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
