"""Prices that use meters."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from .project import MeterConfig


@dataclass(frozen=True, slots=True)
class Price:
    """The fields of a `price` object that matter to the meter it uses."""

    id: str
    meter: str
    active: bool = True
    product: str | None = None
    nickname: str | None = None


PricesByMeter = Mapping[str, tuple[Price, ...]]


def group_by_meter(prices: Iterable[Price]) -> dict[str, tuple[Price, ...]]:
    """Group prices by the id of the meter they use."""
    found: dict[str, list[Price]] = {}
    for price in prices:
        found.setdefault(price.meter, []).append(price)
    return {meter: tuple(some) for meter, some in found.items()}


def select_unaccepted(prices: Iterable[Price], desired: MeterConfig | None) -> tuple[Price, ...]:
    """Return the active prices that the declaration does not list under `accepts`."""
    accepted = desired.accepted_prices if desired else ()
    return tuple(price for price in prices if price.id not in accepted)
