"""Rate limits: a token bucket that holds one second's worth of requests."""

from __future__ import annotations

from dataclasses import dataclass

from .errors import RequestError


@dataclass(slots=True)
class Bucket:
    """Tokens left, and when that was so (Unix seconds)."""

    tokens: float
    at: float

    def take(self, rate: float, now: float) -> bool:
        """Take one token if there is one; they come back at `rate` a second."""
        burst = max(1.0, rate)
        self.tokens = min(burst, self.tokens + rate * max(0.0, now - self.at))
        self.at = now
        if self.tokens < 1.0:
            return False
        self.tokens -= 1.0
        return True


class Limiter:
    """One bucket for the account and one for each endpoint."""

    def __init__(self) -> None:
        self._buckets: dict[str, Bucket] = {}

    def allows(self, name: str, rate: float | None, now: float) -> bool:
        """Whether one more request fits; without a rate, always."""
        if rate is None:
            return True
        bucket = self._buckets.setdefault(name, Bucket(max(1.0, rate), now))
        return bucket.take(rate, now)


def rate_limited(reason: str | None) -> RequestError:
    """A 429 for too many requests, with the Stripe-Rate-Limited-Reason if there is one."""
    return RequestError(
        429,
        "Request rate limit exceeded. Learn more about rate limits here: "
        "https://stripe.com/docs/rate-limits.",
        "rate_limit",
        headers={"Stripe-Rate-Limited-Reason": reason} if reason else None,
    )
