"""The interfaces of an account and a journal."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Protocol, Self

from msgspec import Struct

from ..diagnostics.diagnostic import Diagnostic
from ..model.meter import ExistingMeter, Unreadable
from ..model.price import Price
from ..model.request import RequestRecord
from .steps import Step

SIDE_BY_SIDE = 64
"""Concurrent requests, and so the number of connections that are kept open."""


class Answer(Struct, frozen=True):
    """What became of a request that writes: its record, and the meter or the error returned."""

    record: RequestRecord
    existing: ExistingMeter | None = None
    error: Diagnostic | None = None


class Meters(Protocol):
    """The meters of an account, as `apply` needs them.

    `send` raises neither for an API error nor for an unreachable API. The others retry where that
    is safe, and raise `ServiceError` or `AuthError` if the account cannot be read.
    """

    def send(self, step: Step, key: str, may_retry: Callable[[RequestRecord], bool]) -> Answer:
        """Send one request, and retry it with the same idempotency key while that is safe.

        `may_retry` is given the attempts so far, and says whether the meter is still as planned.
        """

    def read(self, meter_id: str) -> ExistingMeter | None:
        """Read a meter; return None if the account has no meter of this id."""

    def read_prices(self, meter_id: str) -> tuple[Price, ...] | Unreadable:
        """Return the prices in use on a meter, if the key may read them."""

    def find(self, event_name: str, known: Collection[str]) -> tuple[ExistingMeter, ...]:
        """Return meters of this event_name that were created after the `known` ids."""

    def list_all(self) -> tuple[ExistingMeter, ...]:
        """Return every meter of the account, active and inactive."""

    def ignoring_stop(self) -> Self:
        """Return the same account for requests that no stop signal interrupts or shortens."""


class Journal(Protocol):
    """A record of the requests of a run and their outcomes."""

    def before_request(self, step: Step, key: str, *, begun: bool) -> None:
        """Record a request before it is sent; on return the entry is safe on disk.

        Raises ReconcilerError if it cannot be written, unless the change has `begun`: its
        remaining requests must be sent, or a meter could stay inactive.
        """

    def after_response(self, step: Step, key: str, answer: Answer) -> None:
        """Record the outcome of a request."""

    def not_sent(self, step: Step, key: str) -> None:
        """Record that the run was interrupted before the request was sent."""


class NullJournal:
    """A journal that records nothing."""

    def before_request(self, step: Step, key: str, *, begun: bool) -> None:
        """Do nothing."""

    def after_response(self, step: Step, key: str, answer: Answer) -> None:
        """Do nothing."""

    def not_sent(self, step: Step, key: str) -> None:
        """Do nothing."""


NULL_JOURNAL = NullJournal()
