"""A comparison of two accounts as text."""

from __future__ import annotations

from collections.abc import Iterator

from msgspec.structs import replace

from ...model.comparison import Parity
from ...report.comparison import Comparison
from ..comparison import (
    Row,
    format_title,
    judge,
    list_diagnostics,
    list_notes,
    list_rows,
    name_accounts,
)
from ..escape import clean
from ..labels import describe_account
from ..summary import Tone
from .diagnostics import render_diagnostic
from .styled import Line, Span, Style, wrap_text

_SIGN = {
    Parity.AMBIGUOUS: ("!", Style.RED),
    Parity.DIFFERS: ("≠", Style.YELLOW),
    Parity.ONLY_A: ("<", Style.YELLOW),
    Parity.ONLY_B: (">", Style.YELLOW),
    Parity.SAME: ("=", Style.FAINT),
    Parity.INACTIVE: ("=", Style.FAINT),
}
_TONE = {Tone.GOOD: Style.GREEN, Tone.WARNING: Style.YELLOW, Tone.BAD: Style.RED}


def render_comparison(document: Comparison, *, verbose: bool) -> Iterator[Line]:
    """Yield each event_name that differs, or with `verbose` all, and the verdict."""
    names = name_accounts(document)
    yield (Span(format_title(document), Style.BOLD),)
    for each in document.accounts:
        yield (f"  {describe_account(each.account)}",)
    for row in list_rows(document, every=verbose):
        yield ()
        yield from _render_row(row, names)
    tone, verdict = judge(document)
    yield ()
    yield (Span(verdict, _TONE[tone]),)
    for note in list_notes(document):
        yield from wrap_text(note, "", "  ")
    for whose, diagnostic in list_diagnostics(document, every=verbose):
        yield ()
        named = f"account {whose!r}: {diagnostic.message}" if whose else diagnostic.message
        yield from render_diagnostic(replace(diagnostic, message=named))


def _render_row(row: Row, names: list[str]) -> Iterator[Line]:
    sign, style = _SIGN[row.parity]
    yield (Span(f"  {sign} ", style), Span(row.name, Style.BOLD), f"  {row.verdict}")
    width = max(map(len, names)) + 1
    for path, *values in row.fields:
        yield ("      ", Span(f"{clean(path)}:", Style.FAINT))
        for name, value in zip(names, values, strict=True):
            yield (f"        {f'{name}:'.ljust(width)} {clean(value)}",)
