"""What may become of one request that writes, as far as `apply` has to know.

The three are exhaustive: the effect was seen, it was refused, or nobody knows.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Protocol, Self

from ..diagnostics.diagnostic import Diagnostic
from ..model.meter import ExistingMeter
from .steps import Step

SIDE_BY_SIDE = 8
"""Requests under way at once, and so connections that are kept open."""


@dataclass(frozen=True, slots=True)
class Confirmed:
    """A 2xx answer with the meter in it. A `replayed` one is an old answer and proves nothing.

    Here as in the other two, `doubts` counts the tries that may have had an unseen effect.
    """

    existing: ExistingMeter
    request_id: str | None = None
    attempts: int = 1
    replayed: bool = False
    doubts: int = 0


@dataclass(frozen=True, slots=True)
class Rejected:
    """A 4xx answer that another try cannot change, with its HTTP status."""

    diagnostic: Diagnostic
    status: int
    request_id: str | None = None
    attempts: int = 1
    replayed: bool = False
    doubts: int = 0


@dataclass(frozen=True, slots=True)
class Indeterminate:
    """No answer, or none that tells of an effect (timeout, reset, 5xx, 409; 429 ever again).

    `replayed` says that a stored answer came back: the same key can bring no other.
    """

    diagnostic: Diagnostic
    status: int | None = None
    request_id: str | None = None
    attempts: int = 1
    replayed: bool = False
    doubts: int = 1


Outcome = Confirmed | Rejected | Indeterminate


class Meters(Protocol):
    """All that `apply` knows of Stripe.

    `send` never raises for what the API answers, nor for an unreachable API; it answers
    `Rejected` or `Indeterminate`. `read`, `find` and `live` retry what is safe to retry and
    raise `ServiceError` or `AuthError` when the account cannot be read.
    """

    def send(self, step: Step, key: str) -> Outcome:
        """One request, tried again with the same idempotency key while that is safe."""

    def read(self, meter_id: str) -> ExistingMeter | None:
        """The meter as it is now; None when the account knows no such id."""

    def find(self, event_name: str, known: Collection[str]) -> tuple[ExistingMeter, ...]:
        """Meters of this name that came into being after those whose ids are `known`."""

    def list_all(self) -> tuple[ExistingMeter, ...]:
        """Every meter of the account, active and inactive, each once."""

    def ignoring_stop(self) -> Self:
        """The same account for what has to be finished: no stop signal ends or hurries it."""


class Journal(Protocol):
    """Where a run writes down what it is about to do, and what came of it."""

    def before_request(self, step: Step, key: str, *, begun: bool) -> None:
        """Called before a request; when it returns, the line is safe on disk.

        Raises ReconcilerError where it is not, unless the line has `begun`: what follows then
        must go out, lest a meter stay stopped for want of a note.
        """

    def after_response(self, step: Step, key: str, answer: Outcome) -> None:
        """Called after a request, with what it brought."""

    def not_sent(self, step: Step, key: str) -> None:
        """Called instead where the run was told to stop before the request went out."""


class NullJournal:
    """A notebook that keeps nothing."""

    def before_request(self, step: Step, key: str, *, begun: bool) -> None:
        """Nothing."""

    def after_response(self, step: Step, key: str, answer: Outcome) -> None:
        """Nothing."""

    def not_sent(self, step: Step, key: str) -> None:
        """Nothing."""


NULL_JOURNAL = NullJournal()
