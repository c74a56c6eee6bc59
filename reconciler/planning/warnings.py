"""What a plan says besides its lines: why a line is blocked, what looks wrong, what will gap."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import pairwise
from typing import TypeVar

from ..diagnostics.codes import planning as rules
from ..diagnostics.diagnostic import Level, Problem
from ..model.change import Action, Change, Reason
from ..model.match import settings
from ..model.meter import Live, Meter, Status, Unreadable
from ..model.price import Price
from ..model.project import Declared

_ALIKE = 0.6  # the likeness from which two event_names look like one name changed
_NEIGHBOURS = 16  # of each name, on either side, in either order
_SHOWN = 5  # prices that a message names


def remarks(lines: tuple[Change, ...], unreadable: Unreadable | None = None) -> tuple[Problem, ...]:
    """Problems for blocked lines, warnings for risky ones, in the order of the lines.

    `unreadable` says that the prices of the lines are not known, and why.
    """
    leaving = [line.have for line in lines if line.action in _LEAVING and not line.want]
    arriving = [line.want.meter for line in lines if line.action is Action.CREATE and line.want]
    renames = _Renames([have for have in leaving if have and have.active], arriving)
    return tuple(problem for line in lines for problem in _of_line(line, renames, unreadable))


def partial(what: str = "the account") -> Problem:
    """What a narrowed run says of itself."""
    return rules.PARTIAL(f"only a part of {what} was looked at; absence was not judged")


_LEAVING = (Action.UNMANAGED, Action.DEACTIVATE)
_M = TypeVar("_M", bound=Meter)
_Settings = tuple[object, ...]


class _Renames:
    """Active meters that no file declares, and meters to be created, by their settings."""

    def __init__(self, leaving: Iterable[Live], arriving: Iterable[Meter]) -> None:
        self._leaving = {key: _Shelf(alike) for key, alike in _by_settings(leaving).items()}
        self._arriving = _by_settings(arriving)

    def former(self, new: Meter) -> Live | None:
        """The meter that a new one looks like: by name, or as the only one of these settings."""
        alike = self._leaving.get(settings(new))
        if alike is None:
            return None
        likeliest = max(alike.near(new), key=lambda have: _likeness(new, have))
        only = alike.size == len(self._arriving.get(settings(new), [])) == 1
        return likeliest if only or _likeness(new, likeliest) >= _ALIKE else None


class _Shelf:
    """Meters of the same settings, sorted so that those of a like name are found side by side.

    A thousand new names against a thousand old ones must not take seconds: each is compared
    with its neighbours only, those with the same beginning and those with the same end.
    """

    def __init__(self, meters: Sequence[Live]) -> None:
        self.size = len(meters)
        self._called = {meter.display_name: meter for meter in reversed(meters)}
        self._forwards = sorted(meters, key=lambda meter: meter.event_name)
        self._backwards = sorted(meters, key=lambda meter: meter.event_name[::-1])

    def near(self, new: Meter) -> Iterator[Live]:
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


def _of_line(line: Change, renames: _Renames, unreadable: Unreadable | None) -> Iterator[Problem]:
    if line.reason == Reason.DIFFERS and line.have and line.want:
        yield _differs(line, line.have, line.want, unreadable)
    elif line.action is Action.BLOCKED or line.reason == Reason.TWO_ACTIVE:
        yield _blocked(line)
    elif line.action is Action.REPLACE:
        yield rules.GAP(
            f"{line.event_name!r} counts nothing between stopping {_id(line.have)} and starting "
            f"{_id(line.wakes) if line.wakes else 'the new meter'}",
            line.where,
            event_name=line.event_name,
        )
    elif line.action is Action.CREATE:
        yield from _newcomer(line, renames)


def _newcomer(line: Change, renames: _Renames) -> Iterator[Problem]:
    if line.twins:
        message = (
            f"a new meter is created for {line.event_name!r} beside the inactive {_ids(line.twins)}"
        )
        yield rules.TWINS(message, line.where, event_name=line.event_name)
        return
    if line.want and (former := renames.former(line.want.meter)):
        message = (
            f"{line.event_name!r} looks like a rename of {former.event_name!r} ({former.id}), "
            f"which no file declares"
        )
        yield rules.LOOKS_LIKE_RENAME(message, line.where, event_name=line.event_name)


def _likeness(new: Meter, have: Live) -> float:
    """From 0 to 1: how much a new meter is called like one that no file declares any more."""
    if have.display_name == new.display_name:
        return 1.0
    return _in_common(have.event_name, new.event_name)


def _in_common(one: str, other: str) -> float:
    """How many of the pairs of neighbouring letters two names share (Sørensen-Dice)."""
    ours, theirs = set(pairwise(one)), set(pairwise(other))
    return 2 * len(ours & theirs) / max(1, len(ours) + len(theirs))


def _blocked(line: Change) -> Problem:
    match line.reason:
        case Reason.TWO_ACTIVE:
            rule, hint = rules.TWO_ACTIVE, ""
            active = [twin for twin in line.twins if twin.active]
            message = f"{line.event_name!r} has {len(active)} active meters: {_ids(active)}"
        case Reason.PRICES_ON_SEVERAL_TWINS:
            rule, hint = rules.PRICES_ON_SEVERAL_TWINS, ""
            message = f"active prices of {line.event_name!r} bill on several inactive meters"
        case _:
            rule = rules.PRICES_ON_OTHER_TWIN
            meter = line.prices[0].meter
            message = f"active prices of {line.event_name!r} bill on {meter}, which differs"
            hint = f"declare the settings of {meter}, or give it up with `retires: [{meter}]`"
    priced = ", ".join(f"{price.id} on {price.meter}" for price in line.prices)
    text = f"{message} ({priced})" if priced else message
    problem = rule(text, line.where, hint, line.event_name)
    return problem if line.want else replace(problem, level=Level.WARNING)


def _differs(line: Change, have: Live, want: Declared, unreadable: Unreadable | None) -> Problem:
    fields = "; ".join(
        f"{f.path}: {f.before!r} -> {f.after!r}" for f in line.fields if f.path != "display_name"
    )
    billing = billed([price for price in line.prices if price.meter == have.id])
    if unreadable:
        billing = f"; which active prices bill on {have.id} could not be read"
        billing += f" (permission: {unreadable.permission})"
    message = f"{line.event_name!r} differs where Stripe allows no change: {fields}{billing}"
    consent = _consent(line, have, want, unreadable)
    if want.status != Status.ACTIVE:
        hint = f"declare the settings that {have.id} has, or consent to stopping it: {consent}"
        return rules.RETIRED_DIFFERS(message, line.where, hint, line.event_name)
    then = (
        f"waking {line.wakes.id}, which has what is declared"
        if line.wakes
        else "creating a new meter, which no existing price bills on"
    )
    hint = f"declare what {have.id} has, or consent to stopping it and {then}: {consent}"
    return rules.DIFFERS(message, line.where, hint, line.event_name)


def _consent(line: Change, have: Live, want: Declared, unreadable: Unreadable | None) -> str:
    """All that the declaration has to name for its wish to be done: one review, not three."""
    twins = dict.fromkeys(price.meter for price in line.prices if price.meter != have.id)
    said = f"`retires: [{', '.join(dict.fromkeys([*want.retires, have.id, *twins]))}]`"
    if len(twins) > 1:
        said += " (without the inactive one that is to be woken)"
    stranded = [price.id for price in line.prices if price.meter == have.id]
    if unreadable:
        said += ", and `accepts: {active_prices: [...]}` for the active prices that bill on it"
    elif set(stranded) - set(want.accepted_prices):
        accepted = ", ".join(dict.fromkeys([*want.accepted_prices, *stranded]))
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
    where = "it" if meters == [of] else ", ".join(meters)
    more = f" and {len(prices) - _SHOWN} more" if len(prices) > _SHOWN else ""
    return f"; {count} on {where}: {listed}{more}"


def priced(price: Price) -> str:
    """A price by its id and what else is known of it."""
    known = ", ".join(part for part in (price.nickname, price.product) if part)
    return f"{price.id} ({known})" if known else price.id


def _id(meter: Live | None) -> str:
    return meter.id if meter else "-"


def _ids(meters: Iterable[Live]) -> str:
    return ", ".join(meter.id for meter in meters)
