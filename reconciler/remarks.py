"""What a plan says besides its lines: why a line is blocked, what looks wrong, what will gap."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import TypeVar

from .codes import planning as rules
from .diff import Reason, settings
from .model import Action, Change, Live, Meter
from .problem import Level, Problem

_ALIKE = 0.6  # the likeness from which two event_names look like one name changed


def remarks(lines: tuple[Change, ...]) -> tuple[Problem, ...]:
    """Problems for blocked lines, warnings for risky ones, in the order of the lines."""
    leaving = [line.have for line in lines if line.action in _LEAVING and not line.want]
    arriving = [line.want.meter for line in lines if line.action is Action.CREATE and line.want]
    renames = _Renames(
        _by_settings(have for have in leaving if have and have.active),
        _by_settings(arriving),
    )
    return tuple(problem for line in lines for problem in _of_line(line, renames))


def partial(what: str = "the account") -> Problem:
    """What a narrowed run says of itself."""
    return rules.PARTIAL(f"only a part of {what} was looked at; absence was not judged")


_LEAVING = (Action.UNMANAGED, Action.DEACTIVATE)
_M = TypeVar("_M", bound=Meter)
_Settings = tuple[object, ...]


@dataclass(frozen=True, slots=True)
class _Renames:
    """Active meters that no file declares, and meters to be created, by their settings."""

    leaving: Mapping[_Settings, list[Live]]
    arriving: Mapping[_Settings, list[Meter]]

    def former(self, new: Meter) -> Live | None:
        """The meter that a new one looks like: by name, or as the only one of these settings."""
        alike = self.leaving.get(settings(new), [])
        likeliest = max(alike, key=lambda have: _likeness(new, have), default=None)
        only = len(alike) == len(self.arriving.get(settings(new), [])) == 1
        if likeliest and (only or _likeness(new, likeliest) >= _ALIKE):
            return likeliest
        return None


def _by_settings(meters: Iterable[_M]) -> dict[_Settings, list[_M]]:
    """Meters that agree in every field that Stripe never changes, together."""
    found: dict[_Settings, list[_M]] = {}
    for meter in meters:
        found.setdefault(settings(meter), []).append(meter)
    return found


def _of_line(line: Change, renames: _Renames) -> Iterator[Problem]:
    if line.action is Action.BLOCKED or line.reason == Reason.TWO_ACTIVE:
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
    """How many of the pairs of neighbouring letters two names share (Sørensen-Dice).

    A thousand new names against a thousand old ones must not take half a minute.
    """
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
        case Reason.PRICES_ON_OTHER_TWIN:
            rule = rules.PRICES_ON_OTHER_TWIN
            meter = line.prices[0].meter
            message = f"active prices of {line.event_name!r} bill on {meter}, which differs"
            hint = f"declare the settings of {meter}, or give it up with `retires: [{meter}]`"
        case _:
            return _differs(line)
    priced = ", ".join(f"{price.id} on {price.meter}" for price in line.prices)
    text = f"{message} ({priced})" if priced else message
    problem = rule(text, line.where, hint, line.event_name)
    return problem if line.want else replace(problem, level=Level.WARNING)


def _differs(line: Change) -> Problem:
    fields = "; ".join(
        f"{f.path}: {f.before!r} -> {f.after!r}" for f in line.fields if f.path != "display_name"
    )
    consent = f"`retires: [{_id(line.have)}]`"
    retired = bool(line.want and line.want.status == "inactive")
    rule = rules.RETIRED_DIFFERS if retired else rules.DIFFERS
    hint = (
        f"declare the settings that {_id(line.have)} has, or consent to stopping it: {consent}"
        if retired
        else f"declare what {_id(line.have)} has, or consent to stopping it and creating a new "
        f"meter, which no existing price bills on: {consent}"
    )
    message = f"{line.event_name!r} differs where Stripe allows no change: {fields}"
    return rule(message, line.where, hint, line.event_name)


def _id(meter: Live | None) -> str:
    return meter.id if meter else "-"


def _ids(meters: Iterable[Live]) -> str:
    return ", ".join(meter.id for meter in meters)
