"""Render existing meters as a table, and the rules of the catalogue."""

from __future__ import annotations

from collections.abc import Iterator

from ...diagnostics.diagnostic import Rule
from ...diagnostics.shorten import shorten
from ...model.meter import ExistingMeter
from ..escape import clean
from ..summary import count
from .styled import Line, Span, Style, wrap_text


def render_meters(found: tuple[ExistingMeter, ...], total: int) -> Iterator[Line]:
    """Yield one meter per line; `total` is the number of meters in the account."""
    if not found:
        has = f"no meter matches; the account has {count(total, 'meter')}" if total else "no meters"
        yield (f"  {has}",)
        return
    rows = [tuple(clean(shorten(cell)) for cell in _list_cells(meter)) for meter in found]
    wide = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for meter, row in zip(found, rows, strict=True):
        cells = "  ".join(cell.ljust(width) for cell, width in zip(row, wide, strict=True))
        yield ("  ", cells if meter.active else Span(cells.rstrip(), Style.FAINT))


def _list_cells(meter: ExistingMeter) -> tuple[str, ...]:
    formula = meter.default_aggregation.formula
    return meter.event_name, meter.status, formula, meter.id, meter.display_name


def render_rules(rules: tuple[Rule, ...]) -> Iterator[Line]:
    """Yield a single rule in full; of several, one line each."""
    if len(rules) == 1:
        yield from _render_rule(rules[0])
        return
    for rule in rules:
        yield (Span(rule.code, Style.BOLD), f"  {rule.level:<8} {rule.title}")


def _render_rule(rule: Rule) -> Iterator[Line]:
    yield (Span(f"{rule.code}: {rule.title}", Style.BOLD), f" ({rule.level})")
    yield ()
    yield from wrap_text(rule.why, "  ")
    if rule.remedy:
        yield ()
        yield from wrap_text(f"What to do: {rule.remedy}", "  ")
