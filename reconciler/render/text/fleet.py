"""Many accounts as text: what failed, the results, a matrix of the meters, and each change once."""

from __future__ import annotations

from collections.abc import Iterator
from string import ascii_uppercase

from msgspec.structs import replace

from ...diagnostics.diagnostic import Effect, Level
from ...diagnostics.shorten import list_some, shorten
from ..escape import clean
from ..fleet.groups import (
    EXAMPLES,
    AccountGroup,
    Matrix,
    build_matrix,
    describe_cell,
    group_accounts,
)
from ..fleet.shared import SharedItem, describe_shared, share_items
from ..labels import count, title_run
from ..sum_up import sum_up
from ..view import Item, View
from .diagnostics import render_diagnostic
from .items import find_style, render_item
from .styled import Line, Span, Style, get_width, wrap_text

_NAMED = 20  # accounts with the same failure that are named
_RESULTS = 20  # groups of accounts that are listed
_ROWS, _ITEMS = 40, 30  # event_names of the matrix, changes that are shown in full
_NAME = 34  # columns of an event_name in the matrix
_CELL = 7  # columns of a cell: a word of five characters
_WORDS = {
    "reactivate": "react",
    "deactivate": "deact",
    "replace": "repl",
    "unmanaged": "unman",
    "blocked": "block",
    "refused": "refus",
    "skipped": "skip",
    "unknown": "?",
    "failed": "fail",
    "revenue": "reven",
    "ignored": "ign",
}


def render_fleet(view: View) -> Iterator[Line]:
    """Yield everything but the verdict, failures above all."""
    accounts = count(len(view.accounts), "account")
    yield (Span(f"{title_run(view.report.command)} for {accounts}", Style.BOLD),)
    groups = group_accounts(view)
    width = max(1, (get_width() - _NAME - 2) // _CELL)
    matrix = build_matrix(groups, min(width, len(ascii_uppercase)), _ROWS)
    letters = dict(zip(map(id, matrix.columns), ascii_uppercase, strict=False))
    marks = letters if matrix.is_useful else {}
    failed = [group for group in groups if group.failed]
    yield from _render_failed(failed, marks)
    yield from _render_diagnostics(view, {name for group in failed for name in group.names})
    yield from _render_results([group for group in groups if not group.failed], marks)
    if matrix.is_useful:
        yield from _render_matrix(matrix)
    yield from _render_items(share_items(view), len(view.accounts))


def _render_failed(groups: list[AccountGroup], letters: dict[int, str]) -> Iterator[Line]:
    """Yield every failure once, with the accounts that it is of."""
    if not groups:
        return
    number = sum(len(group.accounts) for group in groups)
    yield ()
    yield (Span(f"Not completed: {count(number, 'account')}", Style.RED),)
    for group in groups[:_RESULTS]:
        yield ()
        names = list_some(map(shorten, group.names), _NAMED)
        head = f"  {letters.get(id(group), ' ')}  " if letters else "  "
        yield from wrap_text(f"{names}:", head, " " * len(head))
        indent = f"{'   ' if letters else ''}    "
        yield from wrap_text(str(group.first.headline), indent)
        errors = [said for said in group.first.unattached if said.level is Level.ERROR]
        for error in errors:
            yield from wrap_text(f"error {error.code}: {error.message}", indent, f"{indent}  ")
            yield from wrap_text(f"hint: {error.hint}" if error.hint else "", f"{indent}  ")
    if len(groups) > _RESULTS:
        rest = sum(len(group.accounts) for group in groups[_RESULTS:])
        yield ()
        yield from _render_rest(rest, "errors")


def _render_diagnostics(view: View, failed: set[str]) -> Iterator[Line]:
    """Yield what is said of accounts that did not fail, many of a kind as a few."""
    said = [
        replace(each, message=f"{name}: {each.message}")
        for account in view.accounts
        if (name := account.name) not in failed
        for each in account.unattached
        if each.effect is not Effect.SCOPE and each.level is not Level.INFO
    ]
    for diagnostic in sum_up(said):
        yield ()
        yield from render_diagnostic(diagnostic)


def _render_results(groups: list[AccountGroup], letters: dict[int, str]) -> Iterator[Line]:
    """Yield the accounts by result, with the letters of their columns."""
    if not groups:
        return
    yield ()
    yield (Span("Accounts by result", Style.BOLD),)
    wide = max(len(f"{len(group.accounts):,}") for group in groups)
    for group in groups[:_RESULTS]:
        letter = letters.get(id(group), " ") if letters else ""
        head = f"  {letter + '  ' if letters else ''}{len(group.accounts):>{wide},}  "
        indent = " " * len(head)
        yield from wrap_text(list_some(map(shorten, group.names), EXAMPLES), head, indent)
        yield from wrap_text(str(group.first.headline), indent, indent)
    if len(groups) > _RESULTS:
        rest = sum(len(group.accounts) for group in groups[_RESULTS:])
        yield from _render_rest(rest, "results")


def _render_matrix(matrix: Matrix) -> Iterator[Line]:
    """Yield one row for each event_name, one column for each group of accounts."""
    heads = "".join(f"{letter:<{_CELL}}" for letter in ascii_uppercase[: len(matrix.columns)])
    yield ()
    yield ("  ", Span(f"{'event_name':<{_NAME}}{heads}", Style.BOLD))
    for name in matrix.rows:
        known = next(group.shown[name] for group in matrix.columns if name in group.shown)
        shown = clean(known.name)
        if len(shown) >= _NAME - 1:
            shown = f"{shown[: _NAME - 3]}…"
        cells = (_render_cell(group.shown.get(name)) for group in matrix.columns)
        yield (f"  {shown:<{_NAME}}", *cells)
    if matrix.more > 0:
        yield from wrap_text(f"and {count(matrix.more, 'more event_name')} (-v lists all)", "  ")
    if matrix.left_out:
        rest = sum(len(group.accounts) for group in matrix.left_out)
        yield from _render_rest(rest, "changes")


def _render_rest(accounts: int, what: str) -> Iterator[Line]:
    yield from wrap_text(f"and {count(accounts, 'more account')} with other {what} (-v)", "  ")


def _render_cell(item: Item | None) -> str | Span:
    if item is None:
        return f"{'·':<{_CELL}}"
    word = describe_cell(item)
    return Span(f"{_WORDS.get(word, word):<{_CELL}}", find_style(item))


def _render_items(shared: list[SharedItem], accounts: int) -> Iterator[Line]:
    """Yield each change or finding once, with the accounts that have it."""
    for each in shared[:_ITEMS]:
        yield ()
        lines = render_item(each.item, verbose=False)
        yield next(lines)
        yield from wrap_text(f"in {describe_shared(each, accounts)}", "      ", "        ")
        yield from lines
    if len(shared) > _ITEMS:
        yield ()
        number = len(shared) - _ITEMS
        must = sum(each.item.must_read for each in shared[_ITEMS:])
        worst = f", {must:,} of them failed, blocked, refused or risky" if must else ""
        yield from wrap_text(f"and {number:,} more{worst} (-v lists all)", "  ")
