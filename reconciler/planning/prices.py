"""Prices in use, in words."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal

from ..diagnostics.shorten import list_some, shorten
from ..model.price import Price

_SHOWN = 5  # prices that are listed
_ADVERBS = {"day": "daily", "week": "weekly", "month": "monthly", "year": "yearly"}
_DIGITS = {
    **dict.fromkeys(("bif", "clp", "djf", "gnf", "jpy", "kmf", "krw", "mga"), 0),
    **dict.fromkeys(("pyg", "rwf", "vnd", "vuv", "xaf", "xof", "xpf"), 0),
    **dict.fromkeys(("bhd", "jod", "kwd", "omr", "tnd"), 3),
}
"""Decimal digits of the smallest unit of a currency, where they are not two.

Source: https://docs.stripe.com/currencies
"""


def describe_price(price: Price) -> str:
    """Return the id of a price with what is known of it, and why an archived one is in use.

    That is the lookup key, the amount, the nickname and the product.
    """
    terms = filter(None, (price.lookup_key, describe_amount(price), price.nickname, price.product))
    known = ", ".join(map(shorten, terms))
    state = "" if price.active else describe_state(price)
    noted = "; ".join(filter(None, (known, state)))
    id_ = shorten(price.id)
    return f"{id_} ({noted})" if noted else id_


def list_prices(prices: Iterable[Price]) -> tuple[str, ...]:
    """Return at most five prices, and how many more there are, as entries of a list."""
    every = list(prices)
    more = (f"and {len(every) - _SHOWN} more",) if len(every) > _SHOWN else ()
    return (*map(describe_price, every[:_SHOWN]), *more)


def format_prices(prices: Iterable[Price]) -> str:
    """Return the prices by id and what else is known of them, at most five."""
    return list_some(map(describe_price, prices))


def describe_amount(price: Price) -> str:
    """Return the amount and the billing interval, as `0.10 USD per 1,000 units, monthly`."""
    if price.currency is None:
        return ""
    currency = shorten(price.currency.upper())
    if price.unit_amount is None:
        return f"{currency} by tiers{_describe_interval(price)}"
    digits = _DIGITS.get(currency.lower(), 2)
    units = Decimal(price.unit_amount).scaleb(-digits)
    places = max(digits, -int(units.normalize().as_tuple().exponent))
    number = "unit" if (price.divide_by or 1) == 1 else f"{price.divide_by:,} units"
    return f"{units:.{places}f} {currency} per {number}{_describe_interval(price)}"


def _describe_interval(price: Price) -> str:
    if price.interval is None:
        return ""
    count, interval = price.interval_count or 1, shorten(price.interval)
    if count == 1:
        return f", {_ADVERBS.get(interval, f'every {interval}')}"
    return f", every {count:,} {interval}s"


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
