"""Time, randomness and interruption, passed in so that tests are fast and deterministic."""

from __future__ import annotations

import copy
import time
from collections.abc import Callable
from typing import Protocol, Self

Stopped = Callable[[], bool]
"""Returns whether the run was interrupted; called before every request."""


def never() -> bool:
    """Return False: for runs that cannot be interrupted."""
    return False


class Clock(Protocol):
    """The time and randomness that a run needs."""

    def now(self) -> float:
        """Return Unix seconds."""

    def monotonic(self) -> float:
        """Return seconds that never decrease, for deadlines and rate limits."""

    def sleep(self, seconds: float) -> None:
        """Wait; return early if the run is interrupted."""

    def chance(self) -> float:
        """Return a random number in [0, 1), for jitter and nonces."""

    def ignoring_stop(self) -> Self:
        """Return this clock with uninterruptible sleeps, for changes that must be finished."""


_POLL = 0.1  # seconds between checks for an interruption


class SystemClock:
    """The system clock; sleeps end early once `stopped` returns true.

    Sleeps poll: waiting for a `threading.Event` takes a lock, and a signal handler that sets the
    event in the same thread would wait for that lock forever.
    """

    def __init__(self, stopped: Stopped = never) -> None:
        self._stopped = stopped

    def now(self) -> float:
        """Return Unix seconds."""
        return time.time()

    def monotonic(self) -> float:
        """Return seconds that never decrease."""
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        """Wait; return early if the run is interrupted."""
        end = time.monotonic() + seconds
        while not self._stopped() and (left := end - time.monotonic()) > 0:
            time.sleep(min(left, _POLL))

    def chance(self) -> float:
        """Return a random number in [0, 1) from the operating system."""
        import random  # a run that sends no request does without

        return random.SystemRandom().random()

    def ignoring_stop(self) -> Self:
        """Return this clock with uninterruptible sleeps, for changes that must be finished."""
        uninterrupted = copy.copy(self)
        uninterrupted._stopped = never
        return uninterrupted
