"""What the emulated account holds: objects, stored replies, and the count of ids given out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from .ids import object_id
from .messages import Json

KEPT = 24 * 3600
"""Seconds after which Stripe may forget a stored reply."""

OBJECTS = ("meters", "prices", "events")


@dataclass(frozen=True, slots=True)
class Account:
    """The account that is acted out: one mode of one account."""

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
    """The account's memory. Objects are never mutated: a change puts new ones in their place.

    `unsaved` holds the committed changes that a store has not written yet.
    """

    def __init__(self, account: Account) -> None:
        self.account = account
        self.opened = 0
        self.made: dict[str, int] = {}
        self.meters: dict[str, Json] = {}
        self.prices: dict[str, Json] = {}
        self.events: dict[str, Json] = {}
        self.replies: dict[str, Reply] = {}
        self.unsaved: list[Json] = []

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
        """Take in, whole, what one request did, and remember to save it."""
        record = {**change, "made": dict(self.made)}
        self.absorb(record)
        self.unsaved.append(record)

    def absorb(self, record: Mapping[str, Any]) -> None:
        """Take in a change as it was saved; taking it in twice is the same as once."""
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

    def snapshot(self) -> Json:
        """Everything, as plain JSON."""
        objects: dict[str, Iterable[Json]] = {
            name: list(getattr(self, name).values()) for name in OBJECTS
        }
        return {
            "account": asdict(self.account),
            "opened": self.opened,
            "made": self.made,
            **objects,
            "replies": [asdict(reply) for reply in self.replies.values()],
        }
