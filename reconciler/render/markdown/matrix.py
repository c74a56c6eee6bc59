"""A matrix of the meters of many accounts: a row for each event_name, a column for each result."""

from __future__ import annotations

from collections.abc import Iterator

from ..fleet.groups import build_matrix, describe_cell, group_accounts, has_many
from ..labels import count
from ..view import Item, View
from .gfm import format_breakable_code
from .rows import Budget

_COLUMNS = 6  # that a narrow screen shows
_ROWS = {300: 40, 20: 15}
"""The event_names of the matrix, by the number of accounts that a layout has room for."""


def render_matrix(view: View, budget: Budget) -> Iterator[str]:
    """Yield the matrix where accounts differ, as far as a layout has room for it.

    A comment folds it: it is wider than a phone, and the risky changes are to come first.
    """
    lines = list(_render_lines(view, budget))
    if lines and budget.around:
        summary = "Where the accounts differ: a row for each meter"
        yield from (f"<details><summary>{summary}</summary>", "", *lines, "</details>", "")
    else:
        yield from lines


def _render_lines(view: View, budget: Budget) -> Iterator[str]:
    most = _ROWS.get(budget.accounts, 0)
    if not most or not has_many(view):
        return
    matrix = build_matrix(group_accounts(view), _COLUMNS, most)
    if not matrix.is_useful:
        return
    heads = [
        format_breakable_code(group.names[0], budget.name)
        if len(group.names) == 1
        else f"{count(len(group.names), 'account')}: {format_breakable_code(group.names[0], 60)}, …"
        for group in matrix.columns
    ]
    yield f"| Meter | {' | '.join(heads)} |"
    yield f"| :-- |{' :-- |' * len(heads)}"
    for name in matrix.rows:
        known = next(group.shown[name] for group in matrix.columns if name in group.shown)
        cells = [_render_cell(group.shown.get(name)) for group in matrix.columns]
        yield f"| {format_breakable_code(known.name, budget.name)} | {' | '.join(cells)} |"
    rest = sum(len(group.accounts) for group in matrix.left_out)
    more = [count(matrix.more, "more meter")] if matrix.more > 0 else []
    more += [count(rest, "more account")] if rest else []
    yield ""
    if more:
        yield f"and {', '.join(more)}"
        yield ""


def _render_cell(item: Item | None) -> str:
    if item is None:
        return "·"
    word = describe_cell(item)
    return f"**{word}**" if item.must_read else word
