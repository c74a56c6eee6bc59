"""Markdown for the comment on a pull request: GitHub's dialect, within its limit of length.

Blocked, refused and risky changes come first and are left out last: where not everything fits,
texts are shortened before an item that matters is left out, and the comment says so.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from msgspec import Struct
from msgspec.structs import replace

from ...report.comparison import Comparison
from ...report.report import Report
from ..fleet.groups import has_many
from ..fleet.shared import describe_item
from ..view import Group, Item, Status, View, build_view, group_items
from . import comparison, frame
from .around import Around
from .rows import Budget, measure, render_block, render_group, render_row

LIMIT = 65_000
"""Bytes of UTF-8; GitHub refuses a comment of more than 65,536 characters."""

_BUDGETS = (
    Budget(row=6000, name=300, place=300, text=1200, diagnostics=200, accounts=300),
    Budget(row=900, name=160, place=80, text=300, diagnostics=60, accounts=20),
    Budget(row=300, name=90, place=0, text=80, diagnostics=5, accounts=5),
    Budget(row=200, name=70, place=0, text=80, diagnostics=3, accounts=3),
)


_FOLDED, _EXAMPLES = 5, 3  # unmanaged meters that are all named, and how many of more
_FAILED = (Status.FAILED, Status.UNKNOWN, Status.STALE)  # above what is only skipped
_FEW = 3  # routine changes that a posted comment does not fold


class Comment(Struct, frozen=True):
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
    parts = _divide(view)
    for budget in _BUDGETS:
        full = replace(budget, around=around)
        comment = _fit(view, parts, full, shortened=budget is not _BUDGETS[0])
        if measure(comment.text) <= LIMIT and not any(item.must_read for item in comment.hidden):
            break
    return comment


class _Parts(Struct, frozen=True):
    """The items of a report by how they are shown.

    `loud` ones are blocks, `routine` ones rows, each with the same change of other accounts; of
    those in `folds` only the names are shown.
    """

    loud: list[Group | tuple[Item, ...]]
    routine: list[tuple[Item, ...]]
    folds: tuple[frame.Fold, ...]


def _divide(view: View) -> _Parts:
    same: dict[object, list[Item]] = {}
    loud: list[Item] = []
    unmanaged: list[Item] = []
    for item in view.shown:
        if not item.routine:
            loud.append(item)
        elif item.status is Status.UNMANAGED and not item.priced:
            unmanaged.append(item)
        else:
            same.setdefault(_find_common(item), []).append(item)
    loud.sort(key=lambda item: item.status not in _FAILED)
    quiet = [item for item in view.items if not item.shown]
    word = "without findings" if view.report.command == "drift" else "unchanged"
    named = _EXAMPLES if len(unmanaged) > _FOLDED else _FOLDED
    folds = (
        frame.Fold(unmanaged, "unmanaged: no file declares them, and they are not changed", named),
        frame.Fold(quiet, word, len(quiet)),
    )
    blocks = list(_join_same(group_items(loud), several=has_many(view)))
    return _Parts(blocks, [tuple(some) for some in same.values()], folds)


def _join_same(entries: list[Item | Group], *, several: bool) -> Iterator[Group | tuple[Item, ...]]:
    """Yield the entries, of many accounts the same ones together."""
    same: dict[object, Group | list[Item]] = {}
    for entry in entries:
        if isinstance(entry, Group):
            same[id(entry)] = entry
        else:
            key = describe_item(entry) if several else id(entry)
            items = same.setdefault(key, [])
            assert isinstance(items, list)
            items.append(entry)
    for found in same.values():
        yield found if isinstance(found, Group) else tuple(found)


def _find_common(item: Item) -> object:
    """Return what a routine change has in common with the same change of another account."""
    action = item.change.action if item.change else None
    return item.event_name, action, item.status, item.fields, item.facts, item.diagnostics


def _fit(view: View, parts: _Parts, budget: Budget, *, shortened: bool) -> Comment:
    """Return as many entries as fit, the riskiest first, in a frame that is deducted before."""
    top = list(frame.render_top(view, budget))
    how, end = list(frame.render_how_to_apply(view, budget)), list(frame.render_end(view, budget))
    spare = [*frame.render_warning(view.shown, view), *frame.render_more(view.shown)]
    spare += [line for fold in parts.folds for line in frame.fold_names(fold, budget, 0)]
    routine = list(_flatten(parts.routine))
    spare += frame.tabulate([], routine, folded=True) if routine else []
    left = LIMIT - _measure_lines([*top, *spare, *how, *end])
    several = view.has_several
    blocks = list(_take((_render_loud(each, view, budget) for each in parts.loud), left))
    left -= _measure_lines(blocks)
    whole = len(blocks) == len(parts.loud)
    made = (render_row(same, budget, several=several) for same in parts.routine)
    rows = list(_take(made, left if whole else 0))
    left -= _measure_lines(rows)
    shown = list(_flatten(parts.routine[: len(rows)]))
    hidden = [*_flatten(parts.loud[len(blocks) :]), *_flatten(parts.routine[len(rows) :])]
    short = bool(hidden) or shortened or frame.is_cut(view, budget)
    folded = budget.around is not None and len(rows) > _FEW
    text = [
        *top,
        *(frame.render_warning(hidden, view) if short else ()),
        *blocks,
        *(frame.tabulate(rows, shown, folded=folded) if rows else ()),
        *frame.render_more(hidden),
    ]
    for fold in parts.folds:
        names = list(frame.fold_names(fold, budget, left))
        left -= _measure_lines(names)
        text += names
    text += [*(() if short else how), *end]
    return Comment("".join(f"{line}\n" for line in text), hidden, short)


def _render_loud(entry: Group | tuple[Item, ...], view: View, budget: Budget) -> str:
    if isinstance(entry, Group):
        return f"{render_group(entry, budget)}\n"
    return f"{render_block(entry, budget, several=view.has_several)}\n"


def _take(rows: Iterable[str], left: int) -> Iterator[str]:
    """Yield as many as fit."""
    for row in rows:
        left -= measure(row) + 1
        if left < 0:
            return
        yield row


def _flatten(shown: Iterable[Item | Group | tuple[Item, ...]]) -> Iterator[Item]:
    for entry in shown:
        match entry:
            case Group():
                yield from entry.items
            case tuple():
                yield from entry
            case Item():
                yield entry


def _measure_lines(lines: Iterable[str]) -> int:
    return sum(measure(line) + 1 for line in lines)
