"""The nouns: meters as Stripe has them, as files declare them, and what becomes of each."""

from __future__ import annotations

from dataclasses import MISSING, dataclass, fields
from enum import StrEnum
from typing import Any


class Status(StrEnum):
    """Whether a meter counts usage. Stripe may add values; an unknown one stays a plain string."""

    ACTIVE = "active"
    INACTIVE = "inactive"


@dataclass(frozen=True, slots=True)
class DefaultAggregation:
    """How events add up: `sum`, `count` or `last`."""

    formula: str


@dataclass(frozen=True, slots=True)
class ValueSettings:
    """The key of an event's payload that holds the amount of usage."""

    event_payload_key: str = "value"


@dataclass(frozen=True, slots=True)
class CustomerMapping:
    """The key of an event's payload that names the customer."""

    type: str = "by_id"
    event_payload_key: str = "stripe_customer_id"


@dataclass(frozen=True, slots=True)
class StatusTransitions:
    """When the meter was last stopped, in Unix seconds; None while it is active."""

    deactivated_at: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Meter:
    """What can be asked of a meter when it is created, with the server's defaults filled in.

    Source: POST /v1/billing/meters of Stripe's API reference.
    """

    event_name: str
    display_name: str
    default_aggregation: DefaultAggregation
    value_settings: ValueSettings = ValueSettings()
    customer_mapping: CustomerMapping = CustomerMapping()
    event_time_window: str | None = None

    def as_api(self) -> dict[str, Any]:
        """The meter in the API's own shape, ready for JSON."""
        return {f.name: plain(getattr(self, f.name)) for f in fields(self)}


DEFAULTS = {f.name: f.default for f in fields(Meter) if f.default is not MISSING}
"""What the server fills in where a meter leaves a block out, by the name of the block."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ExistingMeter(Meter):
    """A `billing.meter` object as it was read; times are Unix seconds.

    Source: the Meter object of Stripe's API reference. Fields that a newer API
    version adds are ignored, values that it adds are kept as they are.
    """

    id: str
    status: str
    created: int
    updated: int
    livemode: bool
    status_transitions: StatusTransitions = StatusTransitions()
    object: str = "billing.meter"

    @property
    def active(self) -> bool:
        """Whether usage sent to this meter is counted."""
        return self.status == Status.ACTIVE

    @property
    def meter(self) -> Meter:
        """Only what a declaration can speak of, for comparing with one."""
        return Meter(**{f.name: getattr(self, f.name) for f in fields(Meter)})


def plain(value: Any) -> Any:
    """A nested noun as a dict in the API's shape, anything else as it is."""
    if hasattr(value, "__dataclass_fields__"):
        return {f.name: getattr(value, f.name) for f in fields(value)}
    return value


@dataclass(frozen=True, slots=True)
class Unreadable:
    """Something that the key may not read, and the permission that it would take."""

    permission: str
    message: str = ""
