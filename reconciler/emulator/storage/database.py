"""The data of the emulated account: objects, stored replies, and counts of generated ids."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Self

from msgspec import Struct

from ..errors import StateError
from ..messages import Json
from ..requests.ids import generate_object_id
from ..settings import API_VERSION
from .usage_index import UsageIndex

KEPT, KEPT_BY_V2 = 24 * 3600, 30 * 24 * 3600
"""Seconds for which Stripe keeps a reply of API v1 at least, and one of API v2."""

FIRST = 1_735_689_600
"""`created` of the account and of the first object of a seed that gives none (2025-01-01)."""

OBJECTS = (
    *("meters", "products", "prices", "customers"),
    *("subscriptions", "alerts", "events"),
    *("usage", "usage_sessions", "thin_events", "clock"),
)


_KINDS = {
    "mtr": "meters",
    "prod": "products",
    "price": "prices",
    "cus": "customers",
    "sub": "subscriptions",
    "alrt": "alerts",
    "evt": "events",
}


class Account(Struct, frozen=True):
    """An emulated account: one mode of one account, with what the API shows of it."""

    id: str = "acct_1EmulatedAccount"
    livemode: bool = False
    name: str = "Emulated account"
    country: str = "US"
    default_currency: str = "usd"
    email: str | None = None
    created: int = FIRST


class Reply(Struct, frozen=True):
    """The first answer to an idempotency key.

    `path` and `meaning` identify what the key was used for, `request_id` the request.
    """

    key: str
    path: str
    meaning: str
    request_id: str
    status: int
    body: str
    at: float
    expires: float


class Ledger:
    """The data of the account. Objects are never mutated: a change replaces them.

    `write` is called with a change before it is applied; if it raises, nothing is applied.
    """

    def __init__(self, account: Account) -> None:
        self.account = account
        self.write: Callable[[Json], None] = lambda record: None
        self.opened = 0
        self.made: dict[str, int] = {}
        self.meters: dict[str, Json] = {}
        self.products: dict[str, Json] = {}
        self.prices: dict[str, Json] = {}
        self.customers: dict[str, Json] = {}
        self.subscriptions: dict[str, Json] = {}
        self.alerts: dict[str, Json] = {}
        self.events: dict[str, Json] = {}
        self.usage: dict[str, Json] = {}
        self.usage_index = UsageIndex()
        self.usage_sessions: dict[str, Json] = {}
        self.thin_events: dict[str, Json] = {}
        self.clock: dict[str, Json] = {}
        self.replies: dict[str, Reply] = {}

    @property
    def clock_offset(self) -> float:
        """The seconds by which the clock of the account is ahead of the real one."""
        seconds: float = self.clock.get("offset", {}).get("seconds", 0.0)
        return seconds

    def create_id(self, kind: str) -> str:
        """Create the next id of a kind that no object has; ids of a seed may be anything."""
        taken: dict[str, Json] = getattr(self, _KINDS.get(kind, ""), {})
        while True:
            self.made[kind] = self.made.get(kind, 0) + 1
            mode = "live" if self.account.livemode else "test"
            new = generate_object_id(kind, mode, self.account.id, self.made[kind])
            if new not in taken:
                return new

    def store(self, change: Mapping[str, list[Json]]) -> None:
        """Store what one request changed, then apply it."""
        record = {**change, "made": dict(self.made)}
        self.write(record)
        self.load(record)

    def load(self, record: Mapping[str, Any]) -> None:
        """Apply a stored change."""
        for name in OBJECTS:
            held: dict[str, Json] = getattr(self, name)
            held.update((thing["id"], thing) for thing in record.get(name, ()))
        self.usage_index.add(record.get("usage", ()))
        self.replies.update((reply["key"], Reply(**reply)) for reply in record.get("replies", ()))
        self.made.update(record.get("made", {}))

    def find_reply(self, key: str, now: float) -> Reply | None:
        """Find the reply stored for a key, unless it has expired."""
        stored = self.replies.get(key)
        return stored if stored and now < stored.expires else None

    def drop_expired_replies(self, now: float) -> None:
        """Drop the replies that are too old to be replayed."""
        while self.replies:
            oldest = next(iter(self.replies.values()))
            if now < oldest.expires:
                return
            del self.replies[oldest.key]

    def export(self) -> Json:
        """Return everything but the replies, as one change that adds it."""
        objects = {name: list(getattr(self, name).values()) for name in OBJECTS}
        return {**objects, "made": dict(self.made)}


class Store:
    """The data of an account and of those connected to it, in memory or in a file.

    `is_new` where the data is that of the seed, and not of an earlier process; `reload` builds
    that of the seed again (default: of empty accounts). Call `close`, or use it in a `with`.
    """

    def __init__(
        self,
        ledger: Ledger,
        *connected: Ledger,
        reload: Callable[[], list[Ledger]] | None = None,
        is_new: bool = True,
    ) -> None:
        self.ledger = ledger
        self.connected = {each.account.id: each for each in connected}
        self.reload = reload or (lambda: [Ledger(each.account) for each in (ledger, *connected)])
        self.is_new = is_new

    def replace(self, ledger: Ledger, *connected: Ledger) -> None:
        """Replace all data; what still uses the replaced can store nothing more."""
        new, replaced = (ledger, *connected), (self.ledger, *self.connected.values())
        for each in new:
            each.opened = self.ledger.opened + 1  # so that the ids of requests do not repeat
        self._write_all(*new)
        for each in replaced:
            each.write = _refuse
        self.ledger, self.connected = ledger, {each.account.id: each for each in connected}

    def _write_all(self, *ledgers: Ledger) -> None:
        """Write these accounts in place of all others."""

    def close(self) -> None:
        """Release the file, if there is one."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _refuse(_: Json) -> None:
    raise StateError("the state was reset during this request")


def build_event(account: Account, thing: Json, previous: Json | None, **known: Any) -> Json:
    """Build an event in the API's shape; only `*.updated` ones have previous attributes."""
    return {
        "object": "event",
        "api_version": API_VERSION,
        "data": {"object": thing} | ({"previous_attributes": previous} if previous else {}),
        "livemode": account.livemode,
        "pending_webhooks": 0,
    } | known
