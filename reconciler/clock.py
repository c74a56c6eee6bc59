"""Time, chance and the stop signal, passed in everywhere so that no test ever waits or varies."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable
from typing import Protocol

Stopped = Callable[[], bool]
"""Asked before every request: whether the run has been told to stop."""


def never() -> bool:
    """The stop signal that nobody gives."""
    return False


class Clock(Protocol):
    """The three things a run may ask of the world besides files and the network."""

    def now(self) -> float:
        """Unix seconds."""

    def monotonic(self) -> float:
        """Seconds that only ever grow: for deadlines and pacing."""

    def sleep(self, seconds: float) -> None:
        """Wait, or return early when the run is told to stop."""

    def chance(self) -> float:
        """A number in [0, 1): for jitter and nonces."""


class SystemClock:
    """The real clock; a set `stop` event ends every sleep at once."""

    def __init__(self, stop: threading.Event | None = None) -> None:
        self._stop = stop or threading.Event()

    def now(self) -> float:
        """Unix seconds."""
        return time.time()

    def monotonic(self) -> float:
        """Seconds that only ever grow."""
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        """Wait, or return early when the run is told to stop."""
        self._stop.wait(max(0.0, seconds))

    def chance(self) -> float:
        """A number in [0, 1), from the system's own source."""
        return random.SystemRandom().random()
