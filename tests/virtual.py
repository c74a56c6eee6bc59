"""A clock that never waits: `sleep` moves its hands, unless the run has been interrupted."""

from __future__ import annotations

import copy
import random
import threading
import time
from typing import Self

import pytest

from reconciler.clock import Stopped, SystemClock, never


def hurry(patch: pytest.MonkeyPatch) -> None:
    """Let what waits on the system clock go on at once, for code that is given no other clock.

    Only waits are shortened: the time of day stays that of servers.
    """
    skipped = [0.0]

    def sleep(_: SystemClock, seconds: float) -> None:
        skipped[0] += max(0.0, seconds)

    patch.setattr(SystemClock, "sleep", sleep)
    patch.setattr(SystemClock, "monotonic", lambda _: time.monotonic() + skipped[0])


class VirtualClock:
    """Implements `reconciler.clock.Clock`; starts at a fixed moment and remembers every sleep."""

    def __init__(
        self, start: float = 1_790_000_000.0, seed: int = 0, stopped: Stopped = never
    ) -> None:
        self._lock = threading.Lock()
        self._random = random.Random(seed)
        self._start = start
        self._hands = [0.0]  # shared with the clock of what has to be finished
        self.stopped = stopped
        self.slept: list[float] = []

    def stopped_by(self, stopped: Stopped) -> Self:
        """This clock, in a run that may be interrupted."""
        self.stopped = stopped
        return self

    def now(self) -> float:
        """Unix seconds."""
        return self._start + self._hands[0]

    def monotonic(self) -> float:
        """Seconds since the clock was made."""
        return self._hands[0]

    def sleep(self, seconds: float) -> None:
        """Pass at once, as if the seconds had gone by; after a stop, none go by."""
        if self.stopped():
            return
        with self._lock:
            self.slept.append(seconds)
            self._hands[0] += max(0.0, seconds)

    def chance(self) -> float:
        """A number in [0, 1), the same sequence for the same seed."""
        with self._lock:
            return self._random.random()

    def ignoring_stop(self) -> Self:
        """The same hands, which go on after a stop."""
        undeterred = copy.copy(self)
        undeterred.stopped = never
        return undeterred
