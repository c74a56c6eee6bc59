"""Rate limits: a token bucket that holds one second's worth of requests."""

from __future__ import annotations

from msgspec import Struct


class Bucket(Struct):
    """The tokens left at a time (Unix seconds)."""

    tokens: float
    at: float

    def take(self, rate: float, now: float) -> bool:
        """Take one token if there is one; they are refilled at `rate` a second."""
        burst = max(1.0, rate)
        self.tokens = min(burst, self.tokens + rate * max(0.0, now - self.at))
        self.at = now
        if self.tokens < 1.0:
            return False
        self.tokens -= 1.0
        return True
