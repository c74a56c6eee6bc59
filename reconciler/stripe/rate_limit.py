"""How fast requests may follow each other: a token bucket that learns from refusals."""

from __future__ import annotations

import math
import threading
from dataclasses import dataclass, replace

BURST = 5.0
"""Requests that may be sent at once after a quiet moment."""

SLOWEST = 1.0
"""Requests a second that are tried even where everything is refused."""

_CUT = 0.5
_STEP = 0.2


@dataclass(frozen=True, slots=True)
class Bucket:
    """The pace at one moment; rates are requests a second, times are seconds of one clock.

    `limit` is the rate that was asked for, `rate` the one that the account bears at present.
    `tokens` below zero are requests that have been promised a later moment.
    """

    limit: float
    rate: float
    tokens: float
    at: float
    cut_at: float = -math.inf


def fill_bucket(limit: float, now: float) -> Bucket:
    """A bucket that nothing has been taken from."""
    return Bucket(limit, limit, min(BURST, limit), now)


def take(bucket: Bucket, now: float) -> tuple[Bucket, float]:
    """The bucket after one more request, and the seconds which that request has to wait."""
    now = max(now, bucket.at)
    refilled = bucket.tokens + (now - bucket.at) * bucket.rate
    tokens = min(BURST, bucket.limit, refilled) - 1.0
    return replace(bucket, tokens=tokens, at=now), max(0.0, -tokens / bucket.rate)


def slow_down(bucket: Bucket, claimed: float, now: float) -> Bucket:
    """Half the rate after a refusal, and no burst.

    A request that got its moment before the rate was last cut says nothing about the new
    rate: eight refused together count once.
    """
    if claimed < bucket.cut_at:
        return bucket
    rate = max(min(SLOWEST, bucket.limit), bucket.rate * _CUT)
    return replace(bucket, rate=rate, tokens=min(0.0, bucket.tokens), cut_at=now)


def speed_up(bucket: Bucket) -> Bucket:
    """A little faster again, up to the limit that was asked for."""
    return replace(bucket, rate=min(bucket.limit, bucket.rate + _STEP))


class RateLimiter:
    """One bucket for all the threads that use an account; no limit where `limit` is None.

    Raises ValueError for a limit that would let nothing through.
    """

    def __init__(self, limit: float | None, now: float) -> None:
        if limit is not None and not limit > 0:
            raise ValueError(f"rate_limit is {limit}: it has to be above 0, or None for no limit")
        self._bucket = fill_bucket(limit, now) if limit is not None else None
        self._lock = threading.Lock()

    @property
    def rate(self) -> float | None:
        """Requests a second at present; None when nothing limits them."""
        return self._bucket.rate if self._bucket else None

    def reserve(self, now: float) -> float:
        """Reserve the next request; return the seconds to wait before it."""
        with self._lock:
            if self._bucket is None:
                return 0.0
            self._bucket, wait = take(self._bucket, now)
            return wait

    def on_rejected(self, claimed: float, now: float) -> None:
        """Slow down: a request that was reserved at `claimed` exceeded the account's rate limit."""
        with self._lock:
            if self._bucket is not None:
                self._bucket = slow_down(self._bucket, claimed, now)

    def on_success(self) -> None:
        """Speed up a little: a request was within the rate limit."""
        with self._lock:
            if self._bucket is not None:
                self._bucket = speed_up(self._bucket)
