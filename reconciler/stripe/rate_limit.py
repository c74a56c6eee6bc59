"""Limit the rate of requests: a token bucket that learns from rejections what is allowed."""

from __future__ import annotations

import math
import threading
from bisect import bisect

from msgspec import Struct
from msgspec.structs import replace

BURST = 5.0
"""Requests that may be sent at once after a pause, of a limit up to 250."""

SLOWEST = 1.0
"""The minimum rate, in requests a second, even if every request is rejected."""

_START = 25.0  # what Stripe allows each endpoint by default
_START_SHARE = 0.2  # of the limit, where that is more
_BURST_SHARE = 0.02  # of a higher limit, that may be sent at once
_CUT = 0.5  # the rate after a rejection is at least this part of the one before,
_LESS = 0.95  # and at most this part, once it is known what is accepted
_PAUSE = 0.15  # seconds without a request after that, for those that are on their way
_STEP = 0.2  # more requests a second after a success, up to the ceiling,
_STEP_SHARE = 0.004  # or this part of the limit, as long as none was rejected
_PROBE = 0.01  # by which a success raises a learned ceiling: others may use less later
_WINDOW = 1.0  # seconds over which accepted requests are counted,
_SHORTEST = 0.3  # and the least that say something about the rate
_LEAST, _NEAR = 2, 0.9  # the rejections that are reported, if below this part of the limit


class Bucket(Struct, frozen=True):
    """The state at one time; rates are requests a second, times are seconds of one clock.

    `limit` is the configured rate, `rate` the present one, `ceiling` what it may rise to. `tokens`
    below zero are requests that were granted a later time; after `cut_at`, the time of the last
    cut, they have to take another one. `accepted` are the times of the last
    successes, `first` that of the very first. `learned` is what was accepted in the second before
    the last rejection, None before there is one to learn from.
    """

    limit: float
    rate: float
    ceiling: float
    tokens: float
    at: float
    cut_at: float = -math.inf
    first: float = math.inf
    accepted: tuple[float, ...] = ()
    learned: float | None = None
    rejected: int = 0


def fill_bucket(limit: float, now: float) -> Bucket:
    """Return a full bucket, whose rate is likely to be allowed."""
    rate = min(limit, max(_START, limit * _START_SHARE))
    return Bucket(limit, rate, limit, limit_burst(limit), now)


def limit_burst(limit: float) -> float:
    """Return how many requests may be sent at once after a pause."""
    return min(limit, max(BURST, limit * _BURST_SHARE))


def take(bucket: Bucket, now: float) -> tuple[Bucket, float]:
    """Return the bucket after one more request, and the seconds before that request."""
    now = max(now, bucket.at)
    refilled = bucket.tokens + (now - bucket.at) * bucket.rate
    tokens = min(limit_burst(bucket.limit), refilled) - 1.0
    return replace(bucket, tokens=tokens, at=now), max(0.0, -tokens / bucket.rate)


def slow_down(bucket: Bucket, claimed: float, now: float) -> Bucket:
    """Lower the rate after a rejection to what was accepted before it, and pause.

    While requests are rejected, what is accepted is what is allowed. Where too few were accepted
    to tell, the rate is halved, but not below their number: at least that many a second are
    allowed. Requests that still wait for their time have to `take` it again. A request that was
    `claimed` before the last cut says nothing about the new rate: all that are rejected together
    count once.
    """
    bucket = replace(bucket, rejected=bucket.rejected + 1)
    if claimed < bucket.cut_at:
        return bucket
    accepted = sum(at > now - _WINDOW for at in bucket.accepted)
    span = min(_WINDOW, now - bucket.first)
    found = accepted / span if span >= _SHORTEST else None
    lowest = max(min(SLOWEST, bucket.limit), bucket.rate * _CUT)
    if span < _WINDOW:
        lowest = max(lowest, min(float(accepted), bucket.rate))
    rate, ceiling = lowest, bucket.ceiling
    if found is not None:
        rate = max(lowest, min(found, bucket.rate * _LESS))
        ceiling = min(ceiling, max(found, rate))
    return replace(
        bucket,
        rate=rate,
        ceiling=ceiling,
        tokens=-rate * _PAUSE,
        at=max(bucket.at, now),
        cut_at=now,
        learned=bucket.learned if found is None else found,
    )


def speed_up(bucket: Bucket, now: float) -> Bucket:
    """Raise the rate a little after a success, up to the ceiling; that rises very slowly."""
    ceiling = bucket.ceiling if bucket.learned is None else bucket.ceiling + _PROBE
    step = _STEP if bucket.rejected else max(_STEP, bucket.limit * _STEP_SHARE)
    return replace(
        bucket,
        rate=min(bucket.ceiling, bucket.rate + step),
        ceiling=min(bucket.limit, ceiling),
        first=min(bucket.first, now),
        accepted=(*bucket.accepted[bisect(bucket.accepted, now - _WINDOW) :], now),
    )


class RateLimiter:
    """One bucket for all threads that use an account; no limit if `limit` is None.

    Raises ValueError for a limit of 0 or less.
    """

    def __init__(self, limit: float | None, now: float) -> None:
        if limit is not None and not limit > 0:
            raise ValueError(f"rate_limit is {limit}: it must be above 0, or None for no limit")
        self._bucket = fill_bucket(limit, now) if limit is not None else None
        self._lock = threading.Lock()
        self.reserved = 0
        """The requests that were reserved so far."""

    @property
    def lesson(self) -> tuple[int, int] | None:
        """The rejections, and about how many requests a second were accepted; None if no fewer.

        Rejections that are few or not far below the limit may have been those of a moment.
        """
        bucket = self._bucket
        if bucket is None or bucket.learned is None or bucket.rejected < _LEAST:
            return None
        rate = max(1, round(bucket.learned))
        return (bucket.rejected, rate) if rate < bucket.limit * _NEAR else None

    def reserve(self, now: float) -> float:
        """Reserve the next request; return the seconds to wait before it."""
        with self._lock:
            self.reserved += 1
            if self._bucket is None:
                return 0.0
            self._bucket, wait = take(self._bucket, now)
            return wait

    def renew(self, claimed: float, now: float) -> float:
        """Return the seconds to wait once more before a request that was reserved at `claimed`.

        0 unless the rate was lowered since then: what waits would be rejected at the former rate.
        """
        with self._lock:
            if self._bucket is None or claimed >= self._bucket.cut_at:
                return 0.0
            self._bucket, wait = take(self._bucket, now)
            return wait

    def on_rejected(self, claimed: float, now: float) -> None:
        """Slow down: a request that was reserved at `claimed` exceeded the account's rate limit."""
        with self._lock:
            if self._bucket is not None:
                self._bucket = slow_down(self._bucket, claimed, now)

    def on_success(self, now: float) -> None:
        """Speed up a little: a request was within the rate limit."""
        with self._lock:
            if self._bucket is not None:
                self._bucket = speed_up(self._bucket, now)
