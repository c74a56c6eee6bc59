"""What became of one request to the API, from the transport to the journal and the report."""

from __future__ import annotations

from enum import StrEnum

from msgspec import Struct
from msgspec.structs import replace

_DENIED = frozenset({401, 403})
_REJECTED = frozenset({400, 402, 404}) | _DENIED


class Outcome(StrEnum):
    """What a response proves about the effect of a request."""

    CONFIRMED = "confirmed"
    REJECTED = "rejected"  # nothing was done, and another attempt would not change that
    INDETERMINATE = "indeterminate"  # no response, 5xx, 409, 429, unreadable; 401 or 403 to a POST


class RequestRecord(Struct, frozen=True):
    """One request and its retries. `operation` is a call (`GET /v1/…`), in an apply a step's.

    `result` is that of the last attempt, like `status` (None without a readable response),
    `request_id` and `replayed`: a stored response, which the same idempotency key returns again
    and which proves nothing of the present. `doubts` counts the attempts that may have had an
    unseen effect.
    """

    operation: str
    request_id: str | None = None
    attempts: int = 1
    result: Outcome = Outcome.CONFIRMED
    status: int | None = None
    replayed: bool = False
    doubts: int = 0

    def __str__(self) -> str:
        again = f"attempt {self.attempts}" if self.attempts > 1 else None
        stored = "a stored response" if self.replayed else None
        parts = (str(self.status or "no response"), self.request_id, again, stored)
        return f"{self.operation}: {', '.join(filter(None, parts))}"

    @property
    def wrote(self) -> bool:
        """Whether the request had, or may have had, an effect.

        A stored success counts: the network may have delivered this very request twice.
        """
        return self.result is Outcome.CONFIRMED or self.doubts > 0

    def is_fresh(self) -> bool:
        """Whether the response shows the effect of this request, not of an earlier one."""
        return self.result is Outcome.CONFIRMED and not self.replayed

    def is_final(self) -> bool:
        """Whether another attempt, also with another idempotency key, would be rejected again."""
        return (self.result is Outcome.REJECTED or self.is_denied()) and not self.replayed

    def is_denied(self) -> bool:
        """Whether the API key was rejected: by Stripe before any effect, or by a gateway later."""
        return self.status in _DENIED

    def without_effect(self) -> RequestRecord:
        """Return the record of a denied request that the account shows no effect of."""
        left = self.doubts - 1
        return replace(self, result=self.result if left else Outcome.REJECTED, doubts=left)

    def may_be_in_effect(self) -> bool:
        """Whether the account has to be read; a rate limit rejects before any effect."""
        return self.result is not Outcome.INDETERMINATE or self.doubts > 0


def outcome_of(status: int | None, *, posted: bool) -> Outcome:
    """Return what a response with this status proves, provided that its body can be read."""
    if status is not None and 200 <= status < 300:
        return Outcome.CONFIRMED
    if status in _REJECTED and not may_have_effect(status, posted=posted):
        return Outcome.REJECTED
    return Outcome.INDETERMINATE


def may_have_effect(status: int | None, *, posted: bool) -> bool:
    """Return whether an attempt with this status may have had an effect that is not shown.

    Rate limits and final errors are decided before anything is executed; a conflict (409) means
    that a request with the same key may be in progress, and a 401 or 403 to a POST may come from
    a gateway that the response passed.
    """
    if posted and status in _DENIED:
        return True
    return status is None or status >= 500 or status == 409
