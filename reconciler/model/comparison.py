"""The comparison of two accounts: what became of each event_name, and the fields that differ."""

from __future__ import annotations

from enum import StrEnum
from typing import Any

from msgspec import Struct

from .meter import ExistingMeter


class Parity(StrEnum):
    """How the meters of one event_name compare, in the order of a report."""

    AMBIGUOUS = "ambiguous"  # an account has several active meters of it
    DIFFERS = "differs"
    ONLY_A = "only_a"
    ONLY_B = "only_b"
    SAME = "same"
    INACTIVE = "inactive"  # active in neither account

    @property
    def is_difference(self) -> bool:
        """Whether the accounts are not equal."""
        return self not in (Parity.SAME, Parity.INACTIVE)


class Side(Struct, frozen=True, kw_only=True):
    """The meters of one account: the one that is compared, and the others of its event_name.

    `event_name` is None where the other account's event_name has no counterpart here.
    """

    event_name: str | None
    meter: ExistingMeter | None = None
    others: tuple[ExistingMeter, ...] = ()

    @property
    def meters(self) -> tuple[ExistingMeter, ...]:
        """Every meter of the event_name in this account."""
        return (*([self.meter] if self.meter else []), *self.others)

    @property
    def current(self) -> tuple[ExistingMeter, ...]:
        """The meters that are not inactive."""
        return tuple(each for each in self.meters if each.active or not each.has_known_status)


class FieldDifference(Struct, frozen=True):
    """One field that differs, by its dotted path in the API's object; None where it is not set."""

    path: str
    a: Any
    b: Any


class MeterComparison(Struct, frozen=True, kw_only=True):
    """One event_name, or two that are mapped to each other, in both accounts."""

    parity: Parity
    a: Side
    b: Side
    fields: tuple[FieldDifference, ...] = ()

    @property
    def name(self) -> str:
        """The event_name, that of the first account where they differ."""
        return self.a.event_name or self.b.event_name or ""
