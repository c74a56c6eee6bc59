"""What the emulated account holds: objects, stored replies, and how many ids were generated."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from .ids import object_id
from .messages import Json

KEPT = 24 * 3600
"""Seconds after which Stripe may forget a stored reply."""

OBJECTS = ("meters", "prices", "events")


@dataclass(frozen=True, slots=True)
class Account:
    """The emulated account: one mode of one account."""

    id: str = "acct_1EmulatedAccount"
    livemode: bool = False


@dataclass(frozen=True, slots=True)
class Reply:
    """The first answer to an idempotency key. `meaning` is what the key was used for."""

    key: str
    meaning: str
    status: int
    body: str
    at: float


class Ledger:
    """The data of the account. Objects are never mutated: a change puts new ones in their place.

    `write` stores a change before it takes effect; what it cannot store does not happen.
    """

    def __init__(self, account: Account) -> None:
        self.account = account
        self.write: Callable[[Json], None] = lambda record: None
        self.opened = 0
        self.made: dict[str, int] = {}
        self.meters: dict[str, Json] = {}
        self.prices: dict[str, Json] = {}
        self.events: dict[str, Json] = {}
        self.replies: dict[str, Reply] = {}

    def new_id(self, kind: str) -> str:
        """The next id of a kind that no object has yet; ids of a seed may be anything."""
        taken = {"mtr": self.meters, "price": self.prices, "evt": self.events}.get(kind, {})
        while True:
            self.made[kind] = self.made.get(kind, 0) + 1
            mode = "live" if self.account.livemode else "test"
            new = object_id(kind, mode, self.account.id, self.made[kind])
            if new not in taken:
                return new

    def commit(self, change: Mapping[str, list[Json]]) -> None:
        """Store what one request changed, then apply it."""
        record = {**change, "made": dict(self.made)}
        self.write(record)
        self.absorb(record)

    def absorb(self, record: Mapping[str, Any]) -> None:
        """Apply a change as it is stored."""
        for name in OBJECTS:
            held: dict[str, Json] = getattr(self, name)
            held.update((thing["id"], thing) for thing in record.get(name, ()))
        self.replies.update((reply["key"], Reply(**reply)) for reply in record.get("replies", ()))
        self.made.update(record.get("made", {}))

    def reply(self, key: str, now: float) -> Reply | None:
        """The reply stored for a key, unless Stripe would have forgotten it by now."""
        stored = self.replies.get(key)
        return stored if stored and now - stored.at < KEPT else None

    def forget(self, now: float) -> None:
        """Drop the oldest replies while they are too old to be replayed."""
        while self.replies:
            oldest = next(iter(self.replies.values()))
            if now - oldest.at < KEPT:
                return
            del self.replies[oldest.key]

    def contents(self) -> Json:
        """Everything but the replies, as one change that adds it."""
        objects = {name: list(getattr(self, name).values()) for name in OBJECTS}
        return {**objects, "made": dict(self.made)}
