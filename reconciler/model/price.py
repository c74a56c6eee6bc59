"""A price, as far as the meter that it uses is concerned."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from .project import MeterConfig


@dataclass(frozen=True, slots=True)
class Price:
    """As much of a `price` object as matters to the meter it bills on."""

    id: str
    meter: str
    active: bool = True
    product: str | None = None
    nickname: str | None = None


PricesByMeter = Mapping[str, tuple[Price, ...]]


def by_meter(prices: Iterable[Price]) -> dict[str, tuple[Price, ...]]:
    """Prices under the id of the meter they bill on."""
    found: dict[str, list[Price]] = {}
    for price in prices:
        found.setdefault(price.meter, []).append(price)
    return {meter: tuple(some) for meter, some in found.items()}


def unaccepted_prices(prices: Iterable[Price], desired: MeterConfig | None) -> tuple[Price, ...]:
    """Those of some active prices that no declaration accepts on a meter that does not run."""
    accepted = desired.accepted_prices if desired else ()
    return tuple(price for price in prices if price.id not in accepted)
