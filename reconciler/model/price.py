"""Prices that use meters."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Protocol, TypeVar

from msgspec import Struct

from .project import MeterConfig

PRICES_PERMISSION = "rak_plan_read"
"""The permission of a restricted key to read prices."""


class Price(Struct, frozen=True):
    """The fields of a `price` object that matter to the meter it uses.

    A price is in use if it is active, or archived with a subscription that has not ended.
    `missing_permission` is set for an archived one that counts as in use because the key may not
    read whether subscriptions to it are left: the permission that would tell. `meter` is empty
    where a price was read by its lookup key and uses no meter. `unit_amount` is a decimal number in
    the smallest unit of the currency, None where the price has tiers; `divide_by` is the number of
    units that it is for, `interval_count` the number of intervals of a billing period.
    """

    id: str
    meter: str
    active: bool = True
    product: str | None = None
    nickname: str | None = None
    missing_permission: str | None = None
    lookup_key: str | None = None
    currency: str | None = None
    unit_amount: str | None = None
    divide_by: int | None = None
    interval: str | None = None
    interval_count: int | None = None


PricesByMeter = Mapping[str, tuple[Price, ...]]
PricesByLookupKey = Mapping[str, tuple[Price, ...]]


class OnMeter(Protocol):
    """What depends on a meter."""

    @property
    def meter(self) -> str:
        """The id of the meter."""


Dependant = TypeVar("Dependant", bound=OnMeter)


def group_by_meter(dependants: Iterable[Dependant]) -> dict[str, tuple[Dependant, ...]]:
    """Group prices, or what else depends on meters, by the id of the meter."""
    found: dict[str, list[Dependant]] = {}
    for each in dependants:
        found.setdefault(each.meter, []).append(each)
    return {meter: tuple(some) for meter, some in found.items()}


def group_by_lookup_key(prices: Iterable[Price]) -> dict[str, tuple[Price, ...]]:
    """Group prices by their lookup key, if they have one."""
    found: dict[str, list[Price]] = {}
    for price in prices:
        if price.lookup_key is not None:
            found.setdefault(price.lookup_key, []).append(price)
    return {key: tuple(some) for key, some in found.items()}


def select_unaccepted(prices: Iterable[Price], desired: MeterConfig | None) -> tuple[Price, ...]:
    """Return the prices that the declaration does not list under `accepts`."""
    accepted = desired.accepted_prices if desired else ()
    return tuple(price for price in prices if price.id not in accepted)
