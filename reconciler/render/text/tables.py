"""Render existing meters as a table, and the rules of the catalogue."""

from __future__ import annotations

from collections.abc import Iterator

from ...diagnostics.diagnostic import Rule
from ...diagnostics.shorten import shorten
from ...model.meter import ExistingMeter
from ...model.price import Price, PricesByMeter
from ...planning.prices import describe_price
from ...report.documents import MeterReadiness
from ..escape import clean
from ..labels import count
from .styled import Line, Span, Style, wrap_text

_HEADER = ("event_name", "status", "formula", "id", "display_name")


def render_meters(
    found: tuple[ExistingMeter, ...], total: int, prices: PricesByMeter | None
) -> Iterator[Line]:
    """Yield a header and one meter per line, where they are known with the prices in use on it.

    `total` is the number of meters in the account.
    """
    if not found:
        has = f"no meter matches; the account has {count(total, 'meter')}" if total else "no meters"
        yield (f"  {has}",)
        return
    rows = [tuple(clean(shorten(cell)) for cell in _list_cells(meter)) for meter in found]
    wide = [max(map(len, column)) for column in zip(_HEADER, *rows, strict=True)]
    yield ("  ", Span(_align(_HEADER, wide), Style.BOLD))
    for meter, row in zip(found, rows, strict=True):
        cells = _align(row, wide)
        yield ("  ", cells if meter.active else Span(cells, Style.FAINT))
        if prices is not None:
            yield from _render_prices(prices.get(meter.id, ()))


def _align(cells: tuple[str, ...], wide: list[int]) -> str:
    return "  ".join(cell.ljust(width) for cell, width in zip(cells, wide, strict=True)).rstrip()


def _render_prices(prices: tuple[Price, ...]) -> Iterator[Line]:
    """Yield the prices in use on one meter, one per line."""
    if not prices:
        yield ("    ", Span("no prices in use", Style.FAINT))
    for price in prices:
        yield from wrap_text(f"price: {describe_price(price)}", "    ", "      ")


def render_ready_meters(meters: tuple[MeterReadiness, ...]) -> Iterator[Line]:
    """Yield one meter per line, with its id where it is ready."""
    rows = [(clean(shorten(meter.event_name)), clean(meter.meter_id or "")) for meter in meters]
    wide = max((len(name) for name, _ in rows), default=0)
    for meter, (name, id_) in zip(meters, rows, strict=True):
        word = Span("ready    ", Style.GREEN) if meter.ready else Span("not ready", Style.RED)
        yield ("  ", word, f"  {name.ljust(wide)}  {id_}".rstrip())


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
