"""Read the prices that findings of drift depend on."""

from __future__ import annotations

from ..drift.expected_prices import list_expected, list_unpriced
from ..drift.findings import list_archived_dependencies
from ..model.match import MeterMatch
from ..model.meter import Unreadable
from ..model.price import (
    Price,
    PricesByLookupKey,
    PricesByMeter,
    group_by_lookup_key,
    group_by_meter,
)
from .session import Session


def read_prices(
    session: Session, names: tuple[MeterMatch, ...]
) -> tuple[PricesByMeter, PricesByLookupKey] | Unreadable:
    """Return the prices in use by meter, and the expected ones by lookup key.

    Beside the active metered prices of the account, listed once, it reads archived ones where they
    matter, and expected prices that are not among these.
    """
    policy = session.account.policy
    archived_on = (id_ for each in names for id_ in list_archived_dependencies(each, policy))
    prices = session.prices.all_in_use(tuple(archived_on))
    if isinstance(prices, Unreadable):
        return prices
    bare = list_unpriced(names, group_by_meter(prices))
    more = session.prices.in_use(bare) if bare else ()
    expected = _find_expected(session, names, prices)
    if isinstance(more, Unreadable):
        return more
    if isinstance(expected, Unreadable):
        return expected
    return group_by_meter((*prices, *more)), expected


def _find_expected(
    session: Session, names: tuple[MeterMatch, ...], prices: tuple[Price, ...]
) -> PricesByLookupKey | Unreadable:
    """Return the expected prices; those that are not active metered ones are read by their keys."""
    known = group_by_lookup_key(price for price in prices if price.active)
    unknown = [key for key in list_expected(names) if key not in known]
    found = session.prices.find(unknown) if unknown else ()
    return found if isinstance(found, Unreadable) else known | group_by_lookup_key(found)
