"""Many accounts on a page: those with the same result together, and a matrix of their meters."""

from __future__ import annotations

from collections.abc import Iterator

from ..fleet.groups import AccountGroup, build_matrix, describe_cell, group_accounts
from ..labels import count, describe_mode
from ..view import Item, View
from .markup import Html, join, table, tag

_COLUMNS, _ROWS = 20, 300


def build_account_groups(view: View) -> Iterator[Html]:
    """Yield the accounts by result, failed ones first, and the matrix where they differ."""
    groups = group_accounts(view)
    rows = (_build_row(group) for group in groups)
    yield table("Accounts with the same result", ("Accounts", "Mode", "Verdict", "Counts"), rows)
    matrix = build_matrix(groups, _COLUMNS, _ROWS)
    if not matrix.is_useful:
        return
    heads = ("Meter", *(_title_column(group) for group in matrix.columns))
    cells = (
        (
            next(group.shown[name].name for group in matrix.columns if name in group.shown),
            *(_build_cell(group.shown.get(name)) for group in matrix.columns),
        )
        for name in matrix.rows
    )
    yield table("Meters by account", heads, cells)
    rest = sum(len(group.accounts) for group in matrix.left_out)
    more = [count(matrix.more, "more meter")] if matrix.more > 0 else []
    more += [count(rest, "more account")] if rest else []
    if more:
        yield tag("p", f"and {', '.join(more)}", class_="known")


def _build_row(group: AccountGroup) -> tuple[Html | str, ...]:
    headline = group.first.headline
    modes = dict.fromkeys(describe_mode(each.report.account) for each in group.accounts)
    counts = " ".join(filter(None, (headline.counts, *headline.notes)))
    return (
        _build_names(group),
        ", ".join(modes),
        tag("span", headline.verdict, class_=f"text {headline.tone}"),
        counts or "—",
    )


def _build_names(group: AccountGroup) -> Html | str:
    """Return the name of one account; of several their number, with the names below it."""
    entries = [join(each.name, *_list_hash(each.report.plan_hash)) for each in group.accounts]
    if len(entries) == 1:
        return entries[0]
    listed = tag("ul", *(tag("li", entry) for entry in entries))
    return tag("details", tag("summary", count(len(entries), "account")), listed)


def _list_hash(plan_hash: str | None) -> Iterator[Html]:
    if plan_hash:
        yield tag("span", " plan_hash ", tag("code", plan_hash), class_="known")


def _title_column(group: AccountGroup) -> str:
    number = len(group.accounts)
    return group.names[0] if number == 1 else f"{count(number, 'account')}: {group.names[0]}, …"


def _build_cell(item: Item | None) -> Html | str:
    if item is None:
        return "·"
    word = describe_cell(item)
    return tag("span", word, class_="tag bad" if item.must_read else "tag")
