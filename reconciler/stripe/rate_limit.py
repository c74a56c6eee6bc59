"""Limit the rate of requests: a token bucket that slows down after rejections."""

from __future__ import annotations

import math
import threading
from dataclasses import dataclass, replace

BURST = 5.0
"""Requests that may be sent at once after a pause."""

SLOWEST = 1.0
"""The minimum rate, in requests a second, even if every request is rejected."""

_CUT = 0.5
_STEP = 0.2


@dataclass(frozen=True, slots=True)
class Bucket:
    """The state at one time; rates are requests a second, times are seconds of one clock.

    `limit` is the configured rate, `rate` the present one. `tokens` below zero are requests that
    were granted a later time.
    """

    limit: float
    rate: float
    tokens: float
    at: float
    cut_at: float = -math.inf


def fill_bucket(limit: float, now: float) -> Bucket:
    """Return a full bucket."""
    return Bucket(limit, limit, min(BURST, limit), now)


def take(bucket: Bucket, now: float) -> tuple[Bucket, float]:
    """Return the bucket after one more request, and the seconds before that request."""
    now = max(now, bucket.at)
    refilled = bucket.tokens + (now - bucket.at) * bucket.rate
    tokens = min(BURST, bucket.limit, refilled) - 1.0
    return replace(bucket, tokens=tokens, at=now), max(0.0, -tokens / bucket.rate)


def slow_down(bucket: Bucket, claimed: float, now: float) -> Bucket:
    """Halve the rate after a rejection, without a burst.

    A request that was `claimed` before the last cut says nothing about the new rate: eight
    rejected together count once.
    """
    if claimed < bucket.cut_at:
        return bucket
    rate = max(min(SLOWEST, bucket.limit), bucket.rate * _CUT)
    return replace(bucket, rate=rate, tokens=min(0.0, bucket.tokens), cut_at=now)


def speed_up(bucket: Bucket) -> Bucket:
    """Raise the rate a little, up to the limit."""
    return replace(bucket, rate=min(bucket.limit, bucket.rate + _STEP))


class RateLimiter:
    """One bucket for all threads that use an account; no limit if `limit` is None.

    Raises ValueError for a limit of 0 or less.
    """

    def __init__(self, limit: float | None, now: float) -> None:
        if limit is not None and not limit > 0:
            raise ValueError(f"rate_limit is {limit}: it must be above 0, or None for no limit")
        self._bucket = fill_bucket(limit, now) if limit is not None else None
        self._lock = threading.Lock()

    @property
    def rate(self) -> float | None:
        """The present rate in requests a second; None without a limit."""
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
