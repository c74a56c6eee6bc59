"""Prices in use, in words."""

from __future__ import annotations

from collections.abc import Iterable

from ..diagnostics.shorten import shorten
from ..model.price import Price

_SHOWN = 5  # prices that are listed


def describe_price(price: Price) -> str:
    """Return the id of a price with its nickname and product, and why an archived one is in use."""
    known = ", ".join(shorten(part) for part in (price.nickname, price.product) if part)
    state = "" if price.active else describe_state(price)
    noted = "; ".join(filter(None, (known, state)))
    id_ = shorten(price.id)
    return f"{id_} ({noted})" if noted else id_


def format_prices(prices: Iterable[Price]) -> str:
    """Return the prices by id and what else is known of them, at most five."""
    every = list(prices)
    listed = ", ".join(map(describe_price, every[:_SHOWN]))
    return f"{listed} and {len(every) - _SHOWN} more" if len(every) > _SHOWN else listed


def name_price(price: Price) -> str:
    """Return the id of a price, and why an archived one is in use."""
    return price.id if price.active else f"{price.id} ({describe_state(price)})"


def name_prices(prices: Iterable[Price]) -> str:
    """Return the ids of prices, and why archived ones are in use."""
    return ", ".join(map(name_price, prices))


def find_missing_permission(prices: Iterable[Price]) -> str | None:
    """Return the permission without which archived prices count as in use, if one is missing."""
    return next((price.missing_permission for price in prices if price.missing_permission), None)


def describe_state(price: Price) -> str:
    """Return why a price is in use."""
    if price.active:
        return "active price"
    if price.missing_permission:
        missing = price.missing_permission
        return f"archived price, whose subscriptions may not be read (permission: {missing})"
    return "archived price with subscriptions"
