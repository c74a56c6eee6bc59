"""What may become of one request that writes, as far as `apply` has to know.

The three are exhaustive: the effect was seen, it was refused, or nobody knows.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol, Self

from .model import Change, Live
from .problem import Problem

SIDE_BY_SIDE = 8
"""Requests under way at once, and so connections that are kept open."""


class Verb(StrEnum):
    """The four calls that write a meter."""

    CREATE = "create"
    UPDATE = "update"
    DEACTIVATE = "deactivate"
    REACTIVATE = "reactivate"


@dataclass(frozen=True, slots=True)
class Step:
    """One request of a plan. `n` numbers the requests of the plan from 1, in order of apply.

    `meter_id` is the meter it is sent to (None for a create, and for the rename of a meter
    that only then exists), `undoes` the number of the step that this one compensates for:
    such a step is sent only when what follows step `undoes` failed for good.
    """

    n: int
    verb: Verb
    change: Change
    meter_id: str | None = None
    undoes: int | None = None


@dataclass(frozen=True, slots=True)
class Seen:
    """A 2xx answer with the meter in it. A `replayed` one is an old answer and proves nothing.

    Here as in the other two, `doubts` counts the tries that may have had an unseen effect.
    """

    live: Live
    request_id: str | None = None
    attempts: int = 1
    replayed: bool = False
    doubts: int = 0


@dataclass(frozen=True, slots=True)
class Refused:
    """A 4xx answer that another try cannot change, with its HTTP status."""

    problem: Problem
    status: int
    request_id: str | None = None
    attempts: int = 1
    replayed: bool = False
    doubts: int = 0


@dataclass(frozen=True, slots=True)
class Doubtful:
    """No answer, or none that tells of an effect (timeout, reset, 5xx, 409; 429 ever again).

    `replayed` says that a stored answer came back: the same key can bring no other.
    """

    problem: Problem
    status: int | None = None
    request_id: str | None = None
    attempts: int = 1
    replayed: bool = False
    doubts: int = 1


Answer = Seen | Refused | Doubtful


class Meters(Protocol):
    """All that `apply` knows of Stripe.

    `send` never raises for what the API answers, nor for an unreachable API; it answers
    `Refused` or `Doubtful`. `read`, `find` and `live` retry what is safe to retry and
    raise `ServiceError` or `AuthError` when the account cannot be read.
    """

    def send(self, step: Step, key: str) -> Answer:
        """One request, tried again with the same idempotency key while that is safe."""

    def read(self, meter_id: str) -> Live | None:
        """The meter as it is now; None when the account knows no such id."""

    def find(self, event_name: str, known: Collection[str]) -> tuple[Live, ...]:
        """Meters of this name that came into being after those whose ids are `known`."""

    def live(self) -> tuple[Live, ...]:
        """Every meter of the account, active and inactive, each once."""

    def to_the_end(self) -> Self:
        """The same account for what has to be finished: no stop signal is heeded any more."""
