"""What a plan says besides its lines: why a line is blocked, what looks wrong, what will gap."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import pairwise
from typing import TypeVar

from ..diagnostics.codes import planning as rules
from ..diagnostics.diagnostic import Diagnostic, Level
from ..model.change import Action, Change, Reason, Risk
from ..model.match import settings
from ..model.meter import ExistingMeter, Meter, Status, Unreadable
from ..model.price import Price
from ..model.project import MeterConfig

_ALIKE = 0.6  # the likeness from which two event_names look like one name changed
_NEIGHBOURS = 16  # of each name, on either side, in either order
_SHOWN = 5  # prices that a message names


def plan_warnings(
    changes: tuple[Change, ...], unreadable: Unreadable | None = None
) -> tuple[Diagnostic, ...]:
    """Problems for blocked lines, warnings for risky ones, in the order of the lines.

    `unreadable` says that the prices of the lines are not known, and why.
    """
    renames = _renames(changes)
    return tuple(
        diagnostic for change in changes for diagnostic in _of_line(change, renames, unreadable)
    )


def mark_renames(changes: tuple[Change, ...]) -> tuple[Change, ...]:
    """Return the changes, with the risk of each create that looks like a rename raised to low."""
    renames = _renames(changes)
    return tuple(
        replace(change, risk=Risk.LOW) if _former(change, renames) else change for change in changes
    )


def _renames(changes: tuple[Change, ...]) -> _Renames:
    leaving = [
        change.existing for change in changes if change.action in _LEAVING and not change.desired
    ]
    arriving = [
        change.desired.meter
        for change in changes
        if change.action is Action.CREATE and change.desired
    ]
    return _Renames([existing for existing in leaving if existing and existing.active], arriving)


def _former(change: Change, renames: _Renames) -> ExistingMeter | None:
    if change.action is not Action.CREATE or change.others or not change.desired:
        return None
    return renames.former(change.desired.meter)


def partial(what: str = "the account") -> Diagnostic:
    """What a narrowed run says of itself."""
    return rules.PARTIAL(f"only a part of {what} was looked at; absence was not judged")


_LEAVING = (Action.UNMANAGED, Action.DEACTIVATE)
_M = TypeVar("_M", bound=Meter)
_Settings = tuple[object, ...]


class _Renames:
    """Active meters that no file declares, and meters to be created, by their settings."""

    def __init__(self, leaving: Iterable[ExistingMeter], arriving: Iterable[Meter]) -> None:
        self._leaving = {key: _Shelf(alike) for key, alike in _by_settings(leaving).items()}
        self._arriving = _by_settings(arriving)

    def former(self, new: Meter) -> ExistingMeter | None:
        """The meter that a new one looks like: by name, or as the only one of these settings."""
        alike = self._leaving.get(settings(new))
        if alike is None:
            return None
        likeliest = max(alike.near(new), key=lambda existing: _likeness(new, existing))
        only = alike.size == len(self._arriving.get(settings(new), [])) == 1
        return likeliest if only or _likeness(new, likeliest) >= _ALIKE else None


class _Shelf:
    """Meters of the same settings, sorted so that those of a like name are found side by side.

    A thousand new names against a thousand old ones must not take seconds: each is compared
    with its neighbours only, those with the same beginning and those with the same end.
    """

    def __init__(self, meters: Sequence[ExistingMeter]) -> None:
        self.size = len(meters)
        self._called = {meter.display_name: meter for meter in reversed(meters)}
        self._forwards = sorted(meters, key=lambda meter: meter.event_name)
        self._backwards = sorted(meters, key=lambda meter: meter.event_name[::-1])

    def near(self, new: Meter) -> Iterator[ExistingMeter]:
        """The meters that could be the likeliest; at least one."""
        if new.display_name in self._called:
            yield self._called[new.display_name]
        name = new.event_name
        at = bisect_left(self._forwards, name, key=lambda meter: meter.event_name)
        yield from self._forwards[max(0, at - _NEIGHBOURS) : at + _NEIGHBOURS]
        at = bisect_left(self._backwards, name[::-1], key=lambda meter: meter.event_name[::-1])
        yield from self._backwards[max(0, at - _NEIGHBOURS) : at + _NEIGHBOURS]


def _by_settings(meters: Iterable[_M]) -> dict[_Settings, list[_M]]:
    """Meters that agree in every field that Stripe never changes, together."""
    found: dict[_Settings, list[_M]] = {}
    for meter in meters:
        found.setdefault(settings(meter), []).append(meter)
    return found


def _of_line(
    change: Change, renames: _Renames, unreadable: Unreadable | None
) -> Iterator[Diagnostic]:
    if change.reason == Reason.DIFFERS and change.existing and change.desired:
        yield _differs(change, change.existing, change.desired, unreadable)
    elif change.action is Action.BLOCKED or change.reason == Reason.TWO_ACTIVE:
        yield _blocked(change)
    elif change.action is Action.REPLACE:
        yield rules.GAP(
            f"{change.event_name!r} counts nothing between stopping {_id(change.existing)} "
            f"and starting {_id(change.reactivates) if change.reactivates else 'the new meter'}",
            change.location,
            event_name=change.event_name,
        )
    elif change.action is Action.CREATE:
        yield from _newcomer(change, renames)


def _newcomer(change: Change, renames: _Renames) -> Iterator[Diagnostic]:
    if change.others:
        message = f"a new meter is created for {change.event_name!r} "
        message += f"beside the inactive {_ids(change.others)}"
        yield rules.TWINS(message, change.location, event_name=change.event_name)
        return
    if former := _former(change, renames):
        message = (
            f"{change.event_name!r} looks like a rename of {former.event_name!r} ({former.id}), "
            f"which no file declares"
        )
        yield rules.LOOKS_LIKE_RENAME(message, change.location, event_name=change.event_name)


def _likeness(new: Meter, existing: ExistingMeter) -> float:
    """From 0 to 1: how much a new meter is called like one that no file declares any more."""
    if existing.display_name == new.display_name:
        return 1.0
    return _in_common(existing.event_name, new.event_name)


def _in_common(one: str, other: str) -> float:
    """How many of the pairs of neighbouring letters two names share (Sørensen-Dice)."""
    ours, theirs = set(pairwise(one)), set(pairwise(other))
    return 2 * len(ours & theirs) / max(1, len(ours) + len(theirs))


def _blocked(change: Change) -> Diagnostic:
    match change.reason:
        case Reason.TWO_ACTIVE:
            rule, hint = rules.TWO_ACTIVE, ""
            active = [other for other in change.others if other.active]
            message = f"{change.event_name!r} has {len(active)} active meters: {_ids(active)}"
        case Reason.PRICES_ON_SEVERAL_METERS:
            rule, hint = rules.PRICES_ON_SEVERAL_METERS, ""
            message = f"active prices of {change.event_name!r} bill on several inactive meters"
        case _:
            rule = rules.PRICES_ON_OTHER_METER
            meter = change.prices[0].meter
            message = f"active prices of {change.event_name!r} bill on {meter}, which differs"
            hint = f"declare the settings of {meter}, or give it up with `retires: [{meter}]`"
    priced = ", ".join(f"{price.id} on {price.meter}" for price in change.prices)
    text = f"{message} ({priced})" if priced else message
    diagnostic = rule(text, change.location, hint, change.event_name)
    return diagnostic if change.desired else replace(diagnostic, level=Level.WARNING)


def _differs(
    change: Change, existing: ExistingMeter, desired: MeterConfig, unreadable: Unreadable | None
) -> Diagnostic:
    fields = "; ".join(
        f"{f.path}: {f.before!r} -> {f.after!r}" for f in change.fields if f.path != "display_name"
    )
    billing = billed([price for price in change.prices if price.meter == existing.id])
    if unreadable:
        billing = f"; which active prices bill on {existing.id} could not be read"
        billing += f" (permission: {unreadable.permission})"
    message = f"{change.event_name!r} differs where Stripe allows no change: {fields}{billing}"
    consent = _consent(change, existing, desired, unreadable)
    if desired.status != Status.ACTIVE:
        hint = f"declare the settings that {existing.id} has, or consent to stopping it: {consent}"
        return rules.RETIRED_DIFFERS(message, change.location, hint, change.event_name)
    then = (
        f"waking {change.reactivates.id}, which has what is declared"
        if change.reactivates
        else "creating a new meter, which no existing price bills on"
    )
    hint = f"declare what {existing.id} has, or consent to stopping it and {then}: {consent}"
    return rules.DIFFERS(message, change.location, hint, change.event_name)


def _consent(
    change: Change, existing: ExistingMeter, desired: MeterConfig, unreadable: Unreadable | None
) -> str:
    """All that the declaration has to name for its wish to be done: one review, not three."""
    others = dict.fromkeys(price.meter for price in change.prices if price.meter != existing.id)
    said = f"`retires: [{', '.join(dict.fromkeys([*desired.retires, existing.id, *others]))}]`"
    if len(others) > 1:
        said += " (without the inactive one that is to be woken)"
    stranded = [price.id for price in change.prices if price.meter == existing.id]
    if unreadable:
        said += ", and `accepts: {active_prices: [...]}` for the active prices that bill on it"
    elif set(stranded) - set(desired.accepted_prices):
        accepted = ", ".join(dict.fromkeys([*desired.accepted_prices, *stranded]))
        said += f" and `accepts: {{active_prices: [{accepted}]}}`"
    return said


def billed(prices: Sequence[Price], of: str | None = None) -> str:
    """Which prices bill on which meters, behind a semicolon; nothing where none does.

    `of` is the meter that the sentence has named already.
    """
    if not prices:
        return ""
    count = "1 active price bills" if len(prices) == 1 else f"{len(prices)} active prices bill"
    listed = ", ".join(map(priced, prices[:_SHOWN]))
    meters = list(dict.fromkeys(price.meter for price in prices))
    location = "it" if meters == [of] else ", ".join(meters)
    more = f" and {len(prices) - _SHOWN} more" if len(prices) > _SHOWN else ""
    return f"; {count} on {location}: {listed}{more}"


def priced(price: Price) -> str:
    """A price by its id and what else is known of it."""
    known = ", ".join(part for part in (price.nickname, price.product) if part)
    return f"{price.id} ({known})" if known else price.id


def _id(meter: ExistingMeter | None) -> str:
    return meter.id if meter else "-"


def _ids(meters: Iterable[ExistingMeter]) -> str:
    return ", ".join(meter.id for meter in meters)
