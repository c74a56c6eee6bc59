"""The nouns: meters as Stripe has them, as files declare them, and what becomes of each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import MISSING, dataclass, field, fields
from enum import StrEnum
from typing import Any

from .ignore import Ignore
from .problem import Location, Problem


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
class Live(Meter):
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
class Price:
    """As much of a `price` object as matters to the meter it bills on."""

    id: str
    meter: str
    active: bool = True
    product: str | None = None
    nickname: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """An `event` object: what happened to which object, when (Unix seconds), by which request.

    `object` and `previous_attributes` are in the API's own shape, at the event's own version.
    """

    id: str
    type: str
    created: int
    object: Mapping[str, Any]
    previous_attributes: Mapping[str, Any] = field(default_factory=dict)
    request_id: str | None = None
    idempotency_key: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Declared:
    """One entry of a meter file: the meter, whether it should run, and the consent given in it."""

    meter: Meter
    where: Location
    status: Status = Status.ACTIVE
    protect: bool = False
    retires: tuple[str, ...] = ()
    accepted_prices: tuple[str, ...] = ()

    @property
    def event_name(self) -> str:
        """The key by which declared and live meters are matched."""
        return self.meter.event_name


class Undeclared(StrEnum):
    """What becomes of an active live meter that no file declares."""

    REPORT = "report"
    DEACTIVATE = "deactivate"


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """What a project allows a plan to do; patterns are shell-style globs of event_names."""

    undeclared: Undeclared = Undeclared.REPORT
    owns: tuple[str, ...] = ()
    protect: tuple[str, ...] = ()
    max_deactivations: int = 1
    max_plan_age: int = 24 * 3600  # seconds


@dataclass(frozen=True, slots=True)
class AccountRef:
    """Which account a plan or a report speaks of; `id` and `livemode` where they could be read."""

    name: str
    id: str | None = None
    livemode: bool | None = None


class Action(StrEnum):
    """What becomes of one event_name. The order here is the order of apply."""

    CREATE = "create"
    REACTIVATE = "reactivate"
    UPDATE = "update"
    REPLACE = "replace"
    DEACTIVATE = "deactivate"
    BLOCKED = "blocked"  # no call can bring it about; a person has to decide
    UNMANAGED = "unmanaged"  # live, and no file speaks of it
    UNCHANGED = "unchanged"

    @property
    def writes(self) -> bool:
        """Whether carrying this out sends anything."""
        return self not in (Action.BLOCKED, Action.UNMANAGED, Action.UNCHANGED)

    @property
    def stops(self) -> bool:
        """Whether a running meter stops counting usage, be it for a moment."""
        return self in (Action.REPLACE, Action.DEACTIVATE)


class Severity(StrEnum):
    """How bad a difference is, one scale for plan and drift (design, section 4)."""

    NONE = "none"
    LOW = "low"
    HIGH = "high"
    REVENUE = "revenue"


@dataclass(frozen=True, slots=True)
class FieldChange:
    """One field that differs, by its dotted path in the API's object."""

    path: str
    before: Any
    after: Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What becomes of one event_name, and all that was known when it was decided.

    `have` is the live meter that the line acts on (`before`); for a replacement, be it one that
    lacks consent, it is the one to stop, and `wakes` the twin to reactivate in its place, if any.
    `twins` are the other live meters of the name, `prices` the active ones that count.
    """

    action: Action
    event_name: str
    reason: str
    severity: Severity = Severity.NONE
    want: Declared | None = None
    have: Live | None = None
    wakes: Live | None = None
    twins: tuple[Live, ...] = ()
    fields: tuple[FieldChange, ...] = ()
    prices: tuple[Price, ...] = ()
    refused_by: tuple[str, ...] = ()

    @property
    def where(self) -> Location | None:
        """Where the name is declared."""
        return self.want.where if self.want else None

    @property
    def live(self) -> tuple[Live, ...]:
        """Every live meter of the name, as it was read."""
        return ((self.have,) if self.have else ()) + self.twins


@dataclass(frozen=True, slots=True)
class Unreadable:
    """Something that the key may not read, and the permission that it would take."""

    permission: str
    message: str = ""


PricesByMeter = Mapping[str, tuple[Price, ...]]


@dataclass(frozen=True, slots=True)
class Account:
    """An entry of the project file: which account, how it is reached, which files speak of it.

    `api_key_env` names the variable that holds the key; the key itself is never kept here.
    `emulator` and `seed` are paths; `rate_limit` is requests a second, None for no limit.
    """

    name: str
    api_key_env: str | None = None
    livemode: bool = False
    account_id: str | None = None
    stripe_account: str | None = None
    stripe_context: str | None = None
    api_base: str = "https://api.stripe.com"
    rate_limit: float | None = 20.0
    emulator: str | None = None
    seed: str | None = None
    policy: Policy = Policy()
    declared: tuple[Declared, ...] = ()
    ignore: tuple[Ignore, ...] = ()


@dataclass(frozen=True, slots=True)
class Project:
    """A project folder, read and checked: its accounts, each with what is declared for it.

    `root` is an absolute path. `narrowed` says that only a part of the declarations was
    read (one file), so that absence means nothing. `digest` names the configuration.
    """

    root: str
    accounts: tuple[Account, ...]
    problems: tuple[Problem, ...] = ()
    narrowed: bool = False
    digest: str = ""
