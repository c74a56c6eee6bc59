"""Decide whether and when to retry, without a clock, chance or socket."""

from __future__ import annotations

import threading

from msgspec import Struct

ATTEMPTS = 5
"""Attempts of one request, the first included."""

FIRST_WAIT = 0.5
LONGEST_WAIT = 8.0
LONGEST_ADVICE = 30.0
"""Seconds: the ceiling before the second attempt, the highest ceiling, the longest Retry-After."""


class Attempt(Struct, frozen=True):
    """The result of one attempt, as far as a retry depends on it.

    `status` is None without a readable response. `permanent` marks what a retry would not change
    (a certificate, a redirect, a body over the limit). `advice` is `Stripe-Should-Retry`, `pause`
    the seconds of `Retry-After`; a `replayed` response is returned for this idempotency key again.
    """

    status: int | None = None
    permanent: bool = False
    advice: bool | None = None
    pause: float | None = None
    limited: bool = False
    replayed: bool = False


def wait_before_retry(attempt: int, last: Attempt, chance: float) -> float | None:
    """Return the seconds to wait after attempt number `attempt`, or None if no retry can help.

    Full jitter below an exponential ceiling, so that many clients do not retry at the same time;
    after a 429 at least half of the ceiling, and at least what `Retry-After` requests.
    Source: Stripe's error handling guide (`Stripe-Should-Retry` overrides the status).
    """
    if attempt >= ATTEMPTS or not is_retryable(last):
        return None
    ceiling = min(LONGEST_WAIT, FIRST_WAIT * 2.0 ** (attempt - 1))
    wait = ceiling * (0.5 + chance / 2) if last.status == 429 else ceiling * chance
    return max(wait, min(last.pause or 0.0, LONGEST_ADVICE))


def is_retryable(last: Attempt) -> bool:
    """Return whether the same request may succeed if it is sent again."""
    if last.permanent or last.replayed:
        return False
    if last.advice is not None:
        return last.advice
    return last.status is None or last.status in (409, 429) or last.status >= 500


class Budget:
    """The number of retries that a whole run may use, to limit the load during an outage.

    It starts with `most`, and every request that succeeds adds half a retry: a service that fails
    a third of the time is still used, one that always fails is soon given up. Rejections by a
    rate limit are free: they are quick, have no effect, and slow down the requests.
    """

    def __init__(self, most: float = 50.0) -> None:
        self._most = most
        self._left = most
        self._lock = threading.Lock()

    def spend(self, last: Attempt) -> bool:
        """Use one retry; return False if none is left."""
        with self._lock:
            cost = 0.0 if last.limited else 1.0
            if self._left < cost:
                return False
            self._left -= cost
            return True

    def earn(self) -> None:
        """Add half a retry after a request that succeeded."""
        with self._lock:
            self._left = min(self._most, self._left + 0.5)
