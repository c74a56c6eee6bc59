"""The meters of one event_name, desired and existing, and how two meters compare."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from .meter import Live, Meter
from .project import Declared

IMMUTABLE = ("default_aggregation", "value_settings", "customer_mapping", "event_time_window")


@dataclass(frozen=True, slots=True)
class Namesakes:
    """All that stands under one event_name: its declaration, and its live meters.

    `inactive` begins with the meter that was deactivated last.
    """

    event_name: str
    want: Declared | None
    active: tuple[Live, ...]
    inactive: tuple[Live, ...]


def namesakes(declared: Iterable[Declared], live: Iterable[Live]) -> tuple[Namesakes, ...]:
    """Every event_name on either side, once, in order."""
    wanted = {want.event_name: want for want in declared}
    by_name = sorted(live, key=lambda meter: (meter.event_name, _stopped_last(meter)), reverse=True)
    groups = {
        name: tuple(group) for name, group in groupby(by_name, key=lambda meter: meter.event_name)
    }
    return tuple(
        Namesakes(
            name,
            wanted.get(name),
            tuple(meter for meter in groups.get(name, ()) if meter.active),
            tuple(meter for meter in groups.get(name, ()) if not meter.active),
        )
        for name in sorted(wanted.keys() | groups.keys())
    )


def _stopped_last(meter: Live) -> tuple[int, int, str]:
    return (meter.status_transitions.deactivated_at or 0, meter.created, meter.id)


def same(have: Meter, want: Meter) -> bool:
    """Whether two meters agree in every field that Stripe never changes."""
    return settings(have) == settings(want)


def settings(meter: Meter) -> tuple[object, ...]:
    """All of a meter that Stripe never changes."""
    return tuple(getattr(meter, name) for name in IMMUTABLE)


def flat(meter: Mapping[str, Any]) -> dict[str, Any]:
    """Blocks spread out to dotted keys, so that every difference is one of two plain values."""
    return {
        f"{key}.{inner}" if inner else key: item
        for key, value in meter.items()
        for inner, item in (value.items() if isinstance(value, Mapping) else (("", value),))
    }
