"""What the emulated account itself knows: its meters, its prices, and all that has happened."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from builders.emulated import Context

from reconciler.model.meter import ExistingMeter
from reconciler.model.price import Price
from reconciler.stripe.codec import parse_meter


@dataclass(frozen=True, slots=True)
class Event:
    """One thing that happened to a meter or a price; `name` is empty for a price.

    `key` is the idempotency key of the request behind it, None in the Dashboard.
    """

    kind: str
    id: str
    name: str
    key: str | None


def history(it: Context) -> list[Event]:
    """All that has happened, in order."""
    with it.server.lock:
        every = list(it.server.state.ledger.events.values())
    return [_event(data) for data in every]


def _event(data: dict[str, Any]) -> Event:
    thing, key = data["data"]["object"], data["request"]["idempotency_key"]
    return Event(data["type"], thing["id"], thing.get("event_name", ""), key)


def held(it: Context, name: str | None = None) -> list[ExistingMeter]:
    """The meters of a name, or all of them, as they are now."""
    with it.server.lock:
        every = list(it.server.state.ledger.meters.values())
    return [parse_meter(data) for data in every if name in (None, data["event_name"])]


def billing(it: Context) -> list[Price]:
    """The prices that are in use now: active, or archived with a subscription."""
    with it.server.lock:
        every = list(it.server.state.ledger.prices.values())
        subscribed = {
            item["price"]
            for each in it.server.state.ledger.subscriptions.values()
            for item in each["items"]
        }
    return [
        Price(p["id"], p["recurring"]["meter"], active=p["active"])
        for p in every
        if p["active"] or p["id"] in subscribed
    ]
