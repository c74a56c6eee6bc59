"""A comparison of two accounts as Markdown, within the limit of a comment."""

from __future__ import annotations

from collections.abc import Iterator

from ...report.comparison import Comparison
from ..comparison import Row, judge, list_diagnostics, list_notes, list_rows, name_accounts
from ..labels import count, describe_mode
from .frame import ALERT, render_diagnostic
from .gfm import format_code, format_prose
from .rows import Budget, measure

_ROOM = 300  # characters of one value
_NAMES = 80  # characters of the name of an account
_FIELDS = 20  # of one event_name
_BUDGET = Budget(row=6000, name=160, place=160, text=600, diagnostics=40, accounts=2)


def render(document: Comparison, limit: int) -> str:
    """Return the comparison in at most `limit` bytes; rows that do not fit are counted."""
    top = list(_render_top(document))
    rows = [_render_row(row) for row in list_rows(document)]
    end = f"<sub>reconciler compare · exit code {int(document.exit_code)}</sub>"
    left = limit - sum(measure(line) + 1 for line in (*top, end)) - _ROOM
    shown: list[str] = []
    for row in rows:
        left -= measure(row) + 1
        if left < 0:
            break
        shown.append(row)
    text = [*top, *(_render_table(shown, document) if shown else ())]
    if hidden := len(rows) - len(shown):
        text += [f"**{count(hidden, 'difference')} more did not fit.**", ""]
    return "".join(f"{line}\n" for line in (*text, end))


def _render_top(document: Comparison) -> Iterator[str]:
    names = [format_code(name, _NAMES) for name in name_accounts(document)]
    yield f"## Comparison of {' and '.join(names)}"
    yield ""
    tone, verdict = judge(document)
    yield f"> [!{ALERT[tone]}]"
    yield f"> **{format_prose(verdict, 400)}**"
    yield from (f"> {format_prose(note, 400)}" for note in list_notes(document))
    yield ""
    for each in document.accounts:
        id_ = format_code(each.account.id, _NAMES) if each.account.id else "account id unknown"
        yield f"- {format_code(each.account.name, _NAMES)}: {id_}, {describe_mode(each.account)}"
    yield ""
    said = list_diagnostics(document)
    for whose, diagnostic in said[: _BUDGET.diagnostics]:
        name = f"{format_code(whose, _NAMES)}: " if whose else ""
        yield f"- {name}{render_diagnostic(diagnostic, _BUDGET)}"
    if len(said) > _BUDGET.diagnostics:
        yield f"- and {len(said) - _BUDGET.diagnostics:,} more messages"
    if said:
        yield ""


def _render_table(rows: list[str], document: Comparison) -> Iterator[str]:
    heads = " | ".join(format_code(name, _NAMES) for name in name_accounts(document))
    yield f"| Meter | Result | Field | {heads} |"
    yield "| :-- | :-- | :-- | :-- | :-- |"
    yield from rows
    yield ""


def _render_row(row: Row) -> str:
    fields = row.fields[:_FIELDS]
    columns = [
        "<br>".join(format_code(cell, _ROOM) for cell in column)
        for column in zip(*fields, strict=True)
    ] or ["", "", ""]
    if len(row.fields) > _FIELDS:
        columns[0] += f"<br>and {len(row.fields) - _FIELDS} more"
    name = f"**{format_code(row.name, _ROOM)}**"
    return f"| {name} | {format_prose(row.verdict, 2 * _ROOM)} | {' | '.join(columns)} |"
