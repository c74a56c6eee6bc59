"""Text for lists: live meters as a table, diagnostics as a dictionary."""

from __future__ import annotations

from collections.abc import Iterator

from ...diagnostics.diagnostic import Rule
from ...model.meter import ExistingMeter
from ..escape import clean
from ..summary import count
from .styled import ReportedChange, Span, Style, wrapped


def meters(found: tuple[ExistingMeter, ...], total: int) -> Iterator[ReportedChange]:
    """One meter a line, in columns as wide as their longest value; `total` has the account."""
    if not found:
        has = f"no meter fits; the account has {count(total, 'meter')}" if total else "no meters"
        yield (f"  {has}",)
        return
    rows = [tuple(map(clean, _row(meter))) for meter in found]
    wide = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for meter, row in zip(found, rows, strict=True):
        cells = "  ".join(cell.ljust(width) for cell, width in zip(row, wide, strict=True))
        yield ("  ", cells if meter.active else Span(cells.rstrip(), Style.FAINT))


def _row(meter: ExistingMeter) -> tuple[str, ...]:
    formula = meter.default_aggregation.formula
    return meter.event_name, meter.status, formula, meter.id, meter.display_name


def codes(rules: tuple[Rule, ...]) -> Iterator[ReportedChange]:
    """One rule in full; of several, one line each."""
    if len(rules) == 1:
        yield from _in_full(rules[0])
        return
    for rule in rules:
        yield (Span(rule.code, Style.BOLD), f"  {rule.level:<8} {rule.title}")


def _in_full(rule: Rule) -> Iterator[ReportedChange]:
    yield (Span(f"{rule.code}: {rule.title}", Style.BOLD), f" ({rule.level})")
    yield ()
    yield from wrapped(rule.why, "  ")
    yield ()
    yield from wrapped(f"What to do: {rule.remedy}", "  ")
