"""The change planned for one event_name."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from ..diagnostics.diagnostic import Location
from .meter import ExistingMeter
from .price import Price
from .project import MeterConfig


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
    desired: MeterConfig | None = None
    existing: ExistingMeter | None = None
    reactivates: ExistingMeter | None = None
    others: tuple[ExistingMeter, ...] = ()
    fields: tuple[FieldChange, ...] = ()
    prices: tuple[Price, ...] = ()
    refused_by: tuple[str, ...] = ()

    @property
    def location(self) -> Location | None:
        """Where the name is declared."""
        return self.desired.location if self.desired else None

    @property
    def existing_meters(self) -> tuple[ExistingMeter, ...]:
        """Return every existing meter of the name, as it was read."""
        return ((self.existing,) if self.existing else ()) + self.others


class Reason(StrEnum):
    """Why a line has its action, in one stable word."""

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
    DECLARED_INACTIVE = "declared_inactive"
    UNDECLARED = "undeclared"
    OWNED = "owned"


def weight(degree: Severity) -> int:
    """Where a severity stands on the scale; what is worse weighs more."""
    return list(Severity).index(degree)
