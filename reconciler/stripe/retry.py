"""Decide whether and when to retry, without a clock, chance or socket."""

from __future__ import annotations

import threading
from dataclasses import dataclass

ATTEMPTS = 5
"""Tries of one request, the first included."""

FIRST_WAIT = 0.5
LONGEST_WAIT = 8.0
LONGEST_ADVICE = 30.0
"""Seconds: the ceiling before the second try, the highest ceiling, the most we let others ask."""


@dataclass(frozen=True, slots=True)
class Attempt:
    """What came of one try, as far as another one depends on it.

    `status` is None where no answer came that could be read. `permanent` marks what a
    retry meets again (a certificate, a redirect, a body over the limit). `advice` is
    `Stripe-Should-Retry`, `pause` the seconds of `Retry-After`, `replayed` says that the
    answer is a stored one, which the same idempotency key brings back for ever.
    """

    status: int | None = None
    permanent: bool = False
    advice: bool | None = None
    pause: float | None = None
    limited: bool = False
    replayed: bool = False


def wait_before_retry(attempt: int, last: Attempt, chance: float) -> float | None:
    """Seconds to wait after try number `attempt` (from 1), or None when no other try can help.

    Full jitter below an exponential ceiling, so that many clients do not come back at once;
    after a 429 at least half of the ceiling, and at least what a `Retry-After` asks for.
    Source: Stripe's error handling guide (`Stripe-Should-Retry` overrides the status).
    """
    if attempt >= ATTEMPTS or not is_retryable(last):
        return None
    ceiling = min(LONGEST_WAIT, FIRST_WAIT * 2.0 ** (attempt - 1))
    wait = ceiling * (0.5 + chance / 2) if last.status == 429 else ceiling * chance
    return max(wait, min(last.pause or 0.0, LONGEST_ADVICE))


def is_retryable(last: Attempt) -> bool:
    """Whether the same request, sent again as it is, may fare better."""
    if last.permanent or last.replayed:
        return False
    if last.advice is not None:
        return last.advice
    return last.status is None or last.status in (409, 429) or last.status >= 500


class Budget:
    """How many retries a whole run may spend, so that an outage is not answered with a storm.

    It starts with `most` and gets half a retry back for every request that went well: a
    service that fails a third of the time is borne, one that fails always is given up soon.
    Refusals by a rate limit cost nothing: they are quick, had no effect, and slow the pace.
    """

    def __init__(self, most: float = 50.0) -> None:
        self._most = most
        self._left = most
        self._lock = threading.Lock()

    def spend(self, last: Attempt) -> bool:
        """Take one retry out; False when none is left."""
        with self._lock:
            cost = 0.0 if last.limited else 1.0
            if self._left < cost:
                return False
            self._left -= cost
            return True

    def earn(self) -> None:
        """A request went well."""
        with self._lock:
            self._left = min(self._most, self._left + 0.5)
