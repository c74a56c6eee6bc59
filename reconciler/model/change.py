"""The change planned for one event_name."""

from __future__ import annotations

from enum import StrEnum
from typing import Any

from msgspec import Struct

from ..diagnostics.diagnostic import Location
from .alert import BillingAlert
from .meter import ExistingMeter, Meter
from .price import Price
from .project import MeterConfig


class Action(StrEnum):
    """What is planned for one event_name. The order here is the order of apply."""

    CREATE = "create"
    REACTIVATE = "reactivate"
    UPDATE = "update"
    REPLACE = "replace"
    DEACTIVATE = "deactivate"
    BLOCKED = "blocked"  # cannot be made as declared
    UNMANAGED = "unmanaged"  # exists, and no file declares it
    UNCHANGED = "unchanged"

    writes: bool
    """Whether applying this sends a request."""

    deactivates: bool
    """Whether an active meter is deactivated, possibly only until its replacement is active."""

    def __init__(self, word: str) -> None:
        # Each is looked up many times for each meter, so it is no property.
        self.writes = word not in ("blocked", "unmanaged", "unchanged")
        self.deactivates = word in ("replace", "deactivate")


class Risk(StrEnum):
    """The risk of applying a change, in ascending order."""

    NONE = "none"
    LOW = "low"  # looks like a rename, or reactivates a meter for which usage was lost
    HIGH = "high"  # deactivates or replaces a meter
    REVENUE = "revenue"  # deactivates or replaces a meter with prices in use


class FieldChange(Struct, frozen=True):
    """One field that differs, by its dotted path in the API's object."""

    path: str
    before: Any
    after: Any


class Change(Struct, frozen=True, kw_only=True):
    """The planned change of one event_name, and what it is based on.

    `existing` is the meter that the change acts on; for a replacement, even one that lacks
    consent, it is the one to deactivate, and `reactivates` the meter to reactivate in its place,
    if any. `others` are the other existing meters of the name, `prices` the prices in use that
    the decision depends on, `alerts` the active billing alerts on a meter that is deactivated, or
    would be with consent. `renamed_from` is the undeclared meter that a new one seems
    to rename, `renamed_to` the event_name that seems to rename an undeclared one.
    """

    action: Action
    event_name: str
    reason: str
    desired: MeterConfig | None = None
    existing: ExistingMeter | None = None
    reactivates: ExistingMeter | None = None
    others: tuple[ExistingMeter, ...] = ()
    fields: tuple[FieldChange, ...] = ()
    prices: tuple[Price, ...] = ()
    alerts: tuple[BillingAlert, ...] = ()
    renamed_from: ExistingMeter | None = None
    renamed_to: str | None = None
    refused_by: tuple[str, ...] = ()

    @property
    def risk(self) -> Risk:
        """What applying it could cost."""
        if self.action.deactivates:  # its prices are those of the meter to deactivate
            return Risk.REVENUE if self.prices else Risk.HIGH
        low = self.action is Action.REACTIVATE or self.renamed_from
        return Risk.LOW if low else Risk.NONE

    @property
    def desired_meter(self) -> Meter | None:
        """The declared meter, with the fields that are left as the existing meter has them."""
        if self.desired is None:
            return None
        base = self.reactivates if self.action is Action.REPLACE else self.existing
        return self.desired.meter_for(base) if base else self.desired.meter

    @property
    def location(self) -> Location | None:
        """Where the event_name is declared."""
        return self.desired.location if self.desired else None

    @property
    def existing_meters(self) -> tuple[ExistingMeter, ...]:
        """All existing meters of the event_name."""
        return ((self.existing,) if self.existing else ()) + self.others


class Reason(StrEnum):
    """Why a change has its action, as a stable word."""

    IN_SYNC = "in_sync"
    RETIRED = "retired"
    MISSING = "missing"
    INACTIVE_DIFFER = "inactive_differ"
    INACTIVE = "inactive"
    RENAMED = "renamed"
    DIFFERS = "differs"
    RETIRES = "retires"
    PRICES_ON_OTHER_METER = "prices_on_other_meter"
    PRICES_ON_SEVERAL_METERS = "prices_on_several_meters"
    TWO_ACTIVE = "two_active"
    UNKNOWN_STATUS = "unknown_status"
    DECLARED_INACTIVE = "declared_inactive"
    UNDECLARED = "undeclared"
    OWNED = "owned"
