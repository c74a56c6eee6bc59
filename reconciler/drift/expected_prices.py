"""Compare the prices that a declaration expects with those that use the meter."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import chain

from ..diagnostics.shorten import shorten
from ..model.finding import Finding, Kind, Severity
from ..model.match import MeterMatch
from ..model.meter import Status
from ..model.price import Price, PricesByLookupKey, PricesByMeter
from ..model.project import MeterConfig, PriceExpectation
from ..planning.diagnose import note_override
from . import remediation
from .build_finding import build_finding
from .remediation import Commands


def list_expected(names: Iterable[MeterMatch]) -> tuple[str, ...]:
    """Return the lookup keys that declarations of active meters expect."""
    desired = (each.desired for each in names)
    return tuple(
        dict.fromkeys(
            key for each in desired if each and _expects(each) for key in each.lookup_keys
        )
    )


def list_unpriced(names: Iterable[MeterMatch], prices: PricesByMeter) -> tuple[str, ...]:
    """Return the ids of the meters that need a price, and are not known to have one."""
    return tuple(
        meter_id
        for each in names
        if each.desired and _expects(each.desired)
        if each.desired.prices is PriceExpectation.REQUIRED
        for meter_id in _list_serving(each)
        if not prices.get(meter_id)
    )


def check_expected_prices(
    names: MeterMatch, prices: PricesByMeter, expected: PricesByLookupKey, commands: Commands
) -> Iterator[Finding]:
    """Yield a finding for each way in which the prices of a meter are not as expected."""
    desired = names.desired
    if desired is None or not _expects(desired):
        return
    ids = _list_serving(names)
    used = tuple(chain.from_iterable(prices.get(meter_id, ()) for meter_id in ids))
    if desired.lookup_keys:
        yield from _check_lookup_keys(desired, ids, expected, commands)
    elif desired.prices is PriceExpectation.REQUIRED and names.meters and not used:
        yield build_finding(
            Kind.NO_PRICE,
            Severity.HIGH,
            f"{desired.event_name!r} must have a price (`prices: required`), and none is listed on "
            f"{', '.join(ids)}: create one, or declare `prices: none`; inline prices of "
            f"subscriptions are in no list{note_override(desired, 'prices')}",
            meter_ids=ids,
        )
    elif desired.prices is PriceExpectation.NONE and (active := _select_active(used)):
        yield build_finding(
            Kind.UNEXPECTED_PRICE,
            Severity.HIGH,
            f"{desired.event_name!r} must have no price (`prices: none`), and "
            f"{_count(active)} it{note_override(desired, 'prices')}",
            meter_ids=tuple(dict.fromkeys(price.meter for price in active)),
            prices=active,
            remediation=remediation.expect_prices(desired, active),
        )


def _expects(desired: MeterConfig) -> bool:
    """Whether prices are expected; none are on a meter that is to be inactive."""
    return desired.status is Status.ACTIVE and bool(desired.prices or desired.lookup_keys)


def _list_serving(names: MeterMatch) -> tuple[str, ...]:
    """Return the ids of the active meters; while there is none, of all of the event_name."""
    return tuple(meter.id for meter in names.active or names.meters)


def _check_lookup_keys(
    desired: MeterConfig, ids: tuple[str, ...], expected: PricesByLookupKey, commands: Commands
) -> Iterator[Finding]:
    missing, elsewhere = [], []
    for key in desired.lookup_keys:
        active = _select_active(expected.get(key, ()))
        if not active:
            missing.append(key)
        elif active[0].meter not in ids:
            elsewhere.append(active[0])
    if missing:
        archived = tuple(price for key in missing for price in expected.get(key, ()))
        yield _report_missing(desired, ids, missing, archived, commands)
    if elsewhere:
        where = ", ".join(map(_locate, elsewhere))
        yield build_finding(
            Kind.PRICE_ON_OTHER_METER,
            Severity.REVENUE,
            f"{desired.event_name!r} expects prices that are not on its meter: {where}; a price "
            f"cannot change its meter: create one on the meter and transfer the lookup key"
            f"{note_override(desired, 'prices')}",
            meter_ids=ids,
            prices=tuple(elsewhere),
        )


def _report_missing(
    desired: MeterConfig,
    ids: tuple[str, ...],
    missing: list[str],
    archived: tuple[Price, ...],
    commands: Commands,
) -> Finding:
    listed = ", ".join(repr(shorten(key)) for key in missing)
    message = f"{desired.event_name!r} expects {_name_keys(missing)}, and no active price has "
    message += f"{'it' if len(missing) == 1 else 'them'}: {listed}"
    if archived:
        message += f" (archived: {', '.join(price.id for price in archived)})"
    last = next((price for price in archived if price.meter in ids), None)
    return build_finding(
        Kind.PRICE_MISSING,
        Severity.REVENUE,
        message + note_override(desired, "prices"),
        meter_ids=ids,
        remediation=commands.activate(last) if last else None,
    )


def _name_keys(keys: list[str]) -> str:
    return "a price with a lookup key" if len(keys) == 1 else f"prices with {len(keys)} lookup keys"


def _locate(price: Price) -> str:
    where = f"on {shorten(price.meter)}" if price.meter else "on no meter"
    return f"{price.id} ({shorten(price.lookup_key or '')}) is {where}"


def _select_active(prices: Iterable[Price]) -> tuple[Price, ...]:
    return tuple(price for price in prices if price.active)


def _count(prices: tuple[Price, ...]) -> str:
    return "1 active price uses" if len(prices) == 1 else f"{len(prices):,} active prices use"
