"""Match desired and existing meters by event_name, and compare their settings."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from itertools import groupby
from operator import attrgetter
from typing import Any

from msgspec import Struct

from .meter import ExistingMeter, Meter, Status
from .project import MeterConfig

IMMUTABLE = ("default_aggregation", "value_settings", "customer_mapping", "event_time_window")


class MeterMatch(Struct, frozen=True):
    """The declaration and the existing meters of one event_name.

    `inactive` begins with the meter that was deactivated last; `unclear` have a status that this
    version does not know.
    """

    event_name: str
    desired: MeterConfig | None
    active: tuple[ExistingMeter, ...]
    inactive: tuple[ExistingMeter, ...]
    unclear: tuple[ExistingMeter, ...] = ()

    @property
    def meters(self) -> tuple[ExistingMeter, ...]:
        """Every existing meter: the active ones, those of an unknown status, the inactive ones."""
        return self.active + self.unclear + self.inactive


def match_meters(
    declared: Iterable[MeterConfig], existing: Iterable[ExistingMeter]
) -> tuple[MeterMatch, ...]:
    """Return one match for each declared or existing event_name, sorted by it."""
    wanted = {desired.event_name: desired for desired in declared}
    by_name = sorted(existing, key=lambda meter: (meter.event_name, _rank(meter)), reverse=True)
    groups = {
        name: tuple(group) for name, group in groupby(by_name, key=lambda meter: meter.event_name)
    }
    return tuple(
        _sort_by_status(name, wanted.get(name), groups.get(name, ()))
        for name in sorted(wanted.keys() | groups.keys())
    )


def _sort_by_status(
    name: str, desired: MeterConfig | None, meters: tuple[ExistingMeter, ...]
) -> MeterMatch:
    if len(meters) == 1 and meters[0].active:  # as nearly every name
        return MeterMatch(name, desired, meters, ())
    by_status: dict[str, list[ExistingMeter]] = {}
    for meter in meters:
        by_status.setdefault(meter.status, []).append(meter)
    active, inactive = by_status.get(Status.ACTIVE, ()), by_status.get(Status.INACTIVE, ())
    unclear = tuple(m for m in meters if not m.has_known_status)
    return MeterMatch(name, desired, tuple(active), tuple(inactive), unclear)


def _rank(meter: ExistingMeter) -> tuple[int, int, str]:
    return (meter.status_transitions.deactivated_at or 0, meter.created, meter.id)


def has_same_settings(existing: Meter, desired: Meter) -> bool:
    """Whether two meters agree in every immutable field."""
    return get_settings(existing) == get_settings(desired)


get_settings: Callable[[Meter], tuple[object, ...]] = attrgetter(*IMMUTABLE)
"""Return the immutable fields of a meter, for comparison."""


def flatten(meter: Mapping[str, Any]) -> dict[str, Any]:
    """Flatten nested objects to dotted keys, so that only plain values are compared."""
    return {
        f"{key}.{inner}" if inner else key: item
        for key, value in meter.items()
        for inner, item in (value.items() if isinstance(value, Mapping) else (("", value),))
    }
