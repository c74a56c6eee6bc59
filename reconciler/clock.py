"""Time, randomness and the stop signal, passed in so that tests neither wait nor vary."""

from __future__ import annotations

import copy
import random
import time
from collections.abc import Callable
from typing import Protocol, Self

Stopped = Callable[[], bool]
"""Asked before every request: whether the run has been told to stop."""


def never() -> bool:
    """Return False: for runs that no signal stops."""
    return False


class Clock(Protocol):
    """Time and randomness, as far as a run needs them."""

    def now(self) -> float:
        """Unix seconds."""

    def monotonic(self) -> float:
        """Seconds that only ever grow: for deadlines and pacing."""

    def sleep(self, seconds: float) -> None:
        """Wait, or return early when the run is told to stop."""

    def chance(self) -> float:
        """A number in [0, 1): for jitter and nonces."""

    def ignoring_stop(self) -> Self:
        """Return the same clock, for what has to be finished: no stop ends its sleeps."""


_POLL = 0.1  # seconds until a sleep notices a stop


class SystemClock:
    """The real clock; a sleep ends early once `stopped` returns true.

    It polls: waiting for a `threading.Event` takes a lock, and a signal handler that sets the
    event in the same thread meanwhile would wait for that lock forever.
    """

    def __init__(self, stopped: Stopped = never) -> None:
        self._stopped = stopped

    def now(self) -> float:
        """Unix seconds."""
        return time.time()

    def monotonic(self) -> float:
        """Seconds that only ever grow."""
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        """Wait, or return early when the run is told to stop."""
        end = time.monotonic() + seconds
        while not self._stopped() and (left := end - time.monotonic()) > 0:
            time.sleep(min(left, _POLL))

    def chance(self) -> float:
        """A number in [0, 1), from the system's own source."""
        return random.SystemRandom().random()

    def ignoring_stop(self) -> Self:
        """Return the same clock, for what has to be finished: no stop ends its sleeps."""
        undeterred = copy.copy(self)
        undeterred._stopped = never
        return undeterred
