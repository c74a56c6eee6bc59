"""Meters: what a declaration can set, and what Stripe returns."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from enum import StrEnum
from typing import Any

from msgspec import NODEFAULT, Struct, to_builtins
from msgspec.structs import asdict, astuple, fields


class Status(StrEnum):
    """Whether a meter records usage. Stripe may add values; unknown ones remain plain strings."""

    ACTIVE = "active"
    INACTIVE = "inactive"


_STATUSES = frozenset(Status)


class DefaultAggregation(Struct, frozen=True):
    """How usage events are aggregated: `sum`, `count` or `last`."""

    formula: str


class ValueSettings(Struct, frozen=True):
    """The key of an event's payload that contains the amount of usage."""

    event_payload_key: str = "value"


class CustomerMapping(Struct, frozen=True):
    """The key of an event's payload that identifies the customer."""

    type: str = "by_id"
    event_payload_key: str = "stripe_customer_id"


class StatusTransitions(Struct, frozen=True):
    """When the meter was last deactivated, in Unix seconds; None while it is active."""

    deactivated_at: int | None = None


class Meter(Struct, frozen=True, kw_only=True):
    """The fields that can be set when a meter is created, with Stripe's defaults filled in.

    Source: POST /v1/billing/meters of Stripe's API reference.
    """

    event_name: str
    display_name: str
    default_aggregation: DefaultAggregation
    value_settings: ValueSettings = ValueSettings()
    customer_mapping: CustomerMapping = CustomerMapping()
    event_time_window: str | None = None

    def as_api(self) -> dict[str, Any]:
        """Return the meter in the API's shape, ready for JSON."""
        shape: dict[str, Any] = to_builtins(self)
        return shape


DEFAULTS = {f.name: f.default for f in fields(Meter) if f.default is not NODEFAULT}
"""Stripe's defaults for omitted fields, by the name of the field."""


FORMULAS, WINDOWS, MAPPINGS = ("sum", "count", "last"), (None, "hour", "day"), ("by_id",)
"""The values that this version knows. Source: POST /v1/billing/meters, its enumerations."""


class ExistingMeter(Meter, frozen=True, kw_only=True, eq=False):
    """A `billing.meter` object as it was read; times are Unix seconds.

    Source: the Meter object of Stripe's API reference. Values that a newer API version adds are
    kept; the fields that it adds are in `extra`, nested as the API nests them, and decide nothing:
    they are not compared.
    """

    id: str
    status: str
    created: int
    updated: int
    livemode: bool
    status_transitions: StatusTransitions = StatusTransitions()
    object: str = "billing.meter"
    extra: Mapping[str, Any] = {}

    def __eq__(self, other: Any) -> bool:
        return type(other) is type(self) and self._compared == other._compared

    def __ne__(self, other: Any) -> bool:  # a struct does not derive it from ours
        return not self == other

    def __hash__(self) -> int:
        return hash(self._compared)

    @property
    def _compared(self) -> tuple[Any, ...]:
        return astuple(self)[:-1]  # all but `extra`

    @property
    def active(self) -> bool:
        """Whether the meter records usage."""
        return self.status == Status.ACTIVE

    @property
    def inactive_since(self) -> int:
        """When an inactive meter was deactivated, as far as the API says (Unix seconds)."""
        return self.status_transitions.deactivated_at or self.updated

    @property
    def has_known_status(self) -> bool:
        """Whether this version knows what the status means; else the meter is never written to."""
        return self.status in _STATUSES

    @property
    def meter(self) -> Meter:
        """The fields that a declaration can set, for comparison with one."""
        return Meter(
            event_name=self.event_name,
            display_name=self.display_name,
            default_aggregation=self.default_aggregation,
            value_settings=self.value_settings,
            customer_mapping=self.customer_mapping,
            event_time_window=self.event_time_window,
        )

    def as_api(self) -> dict[str, Any]:
        """Return the meter in the API's shape, with the fields that this version does not know."""
        known = self.as_known()
        for name, value in self.extra.items():
            nested = isinstance(known.get(name), dict)
            known[name] = {**value, **known[name]} if nested else value
        return known

    def as_known(self) -> dict[str, Any]:
        """Return the meter in the API's shape, without the fields that this version ignores."""
        names = self.__struct_fields__
        return {name: unpack(getattr(self, name)) for name in names if name != "extra"}

    def list_unknown_fields(self) -> Iterator[tuple[str, Any]]:
        """Yield the dotted path and the value of each unknown field that is set."""
        for name, value in self.extra.items():
            inner = value.items() if name in _KNOWN else ((None, value),)
            for key, what in inner:
                if what not in (None, [], {}):
                    yield f"{name}.{key}" if key else name, what


_KNOWN = frozenset(ExistingMeter.__struct_fields__)


def has_unknown_values(meter: Meter) -> bool:
    """Whether a file must allow unknown values to declare this meter."""
    return (
        meter.default_aggregation.formula not in FORMULAS
        or meter.event_time_window not in WINDOWS
        or meter.customer_mapping.type not in MAPPINGS
    )


def unpack(value: Any) -> Any:
    """Return a noun as a dict in the API's shape, and any other value unchanged."""
    if isinstance(value, Struct):
        return asdict(value)
    return value


class Unreadable(Struct, frozen=True):
    """Data that the key may not read, and the missing permission.

    `message` is Stripe's, `title` its name in the Dashboard, if known.
    """

    permission: str
    message: str = ""
    title: str = ""
