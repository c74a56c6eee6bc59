"""A clock that never waits: `sleep` moves its hands."""

from __future__ import annotations

import random
import threading


class VirtualClock:
    """Implements `reconciler.clock.Clock`; starts at a fixed moment and remembers every sleep."""

    def __init__(self, start: float = 1_790_000_000.0, seed: int = 0) -> None:
        self._lock = threading.Lock()
        self._random = random.Random(seed)
        self._start = start
        self._passed = 0.0
        self.slept: list[float] = []

    def now(self) -> float:
        """Unix seconds."""
        return self._start + self._passed

    def monotonic(self) -> float:
        """Seconds since the clock was made."""
        return self._passed

    def sleep(self, seconds: float) -> None:
        """Pass at once, as if the seconds had gone by."""
        with self._lock:
            self.slept.append(seconds)
            self._passed += max(0.0, seconds)

    def chance(self) -> float:
        """A number in [0, 1), the same sequence for the same seed."""
        with self._lock:
            return self._random.random()
