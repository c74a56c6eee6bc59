"""Seeds: the account, meters, prices and events that an emulator starts with, as friendly JSON.

`{"account": {"id", "livemode"}, "meters": [...], "prices": [...], "events": [...]}`: meters in
the API's shape, of which event_name, display_name and default_aggregation must be there.
A price, and an event, names its `meter` by id or event_name. Two active meters of one name
are allowed, though the API never lets them come about. The same seed makes the same account.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from .database import Account, Ledger
from .errors import SeedError
from .messages import Json
from .prices import INTERVALS, price_object
from .seed_schema import Field, Fields, choice, count, flag, objects, read, text
from .settings import API_VERSION

Seed = str | Path | Mapping[str, Any] | None

FIRST = 1_735_689_600
"""`created` of the first object that gives none (2025-01-01); the others follow by the minute."""

_ACCOUNT: Fields = {"id": text(100, Account().id), "livemode": flag(default=False)}
_METER: Fields = {
    "id": text(5000, None),
    "object": choice("billing.meter", default="billing.meter"),
    "created": count(None),
    "customer_mapping": {
        "event_payload_key": text(100, "stripe_customer_id"),
        "type": choice("by_id", default="by_id"),
    },
    "default_aggregation": {"formula": choice("count", "last", "sum")},
    "display_name": text(250),
    "event_name": text(100),
    "event_time_window": choice("day", "hour", None, default=None),
    "livemode": flag(None),
    "status": choice("active", "inactive", default="active"),
    "status_transitions": {"deactivated_at": count(None)},
    "updated": count(None),
    "value_settings": {"event_payload_key": text(100, "value")},
}
_PRICE: Fields = {
    "id": text(5000, None),
    "meter": text(5000),
    "active": flag(default=True),
    "created": count(None),
    "currency": text(3, "usd"),
    "interval": choice(*INTERVALS, default="month"),
    "lookup_key": text(200, None),
    "nickname": text(5000, None),
    "product": text(5000, None),
    "unit_amount": count(1),
}
_EVENT: Fields = {
    "id": text(5000, None),
    "type": text(5000),
    "created": count(None),
    "meter": text(5000),
    "previous_attributes": Field(lambda v: isinstance(v, dict), "must be an object", None),
    "request": {"id": text(5000, None), "idempotency_key": text(255, None)},
}


def sow(seed: Seed) -> Ledger:
    """A ledger with what a seed describes; raises SeedError naming the place that is wrong."""
    given = _loaded(seed)
    for name in given:
        if name not in ("account", "meters", "prices", "events"):
            raise SeedError(f"{name}: is not known here; known are account, meters, prices, events")
    ledger = Ledger(Account(**read(_ACCOUNT, given.get("account", {}), "account")))
    _plant(ledger, "meters", "mtr", _read_all(given, "meters", _METER), _meter)
    _plant(ledger, "prices", "price", _read_all(given, "prices", _PRICE), _price)
    _plant(ledger, "events", "evt", _read_all(given, "events", _EVENT), _event)
    return ledger


def _loaded(seed: Seed) -> Mapping[str, Any]:
    """The seed as a mapping, read from its file if need be."""
    if seed is None:
        return {}
    given: Any = seed
    if isinstance(seed, str | Path):
        try:
            given = json.loads(Path(seed).read_bytes())
        except OSError as error:
            raise SeedError(f"{seed}: cannot be read: {error}") from None
        except ValueError as error:
            raise SeedError(f"{seed}: is not JSON: {error}") from None
    if not isinstance(given, Mapping):
        raise SeedError("a seed must be an object with account, meters, prices, events")
    return given


def _read_all(given: Mapping[str, Any], name: str, fields: Fields) -> list[Json]:
    """The objects of one kind, each with a time, in the order of those times."""
    things = [read(fields, each, f"{name}[{n}]") for n, each in enumerate(objects(given, name))]
    for n, thing in enumerate(things):
        thing["at"] = f"{name}[{n}]"
        if thing["created"] is None:
            thing["created"] = FIRST + 60 * n
    return sorted(things, key=lambda thing: int(thing["created"]))


def _plant(
    ledger: Ledger,
    name: str,
    kind: str,
    things: list[Json],
    made: Callable[[Ledger, Json], Json],
) -> None:
    """Put objects into the ledger, oldest first, under their own ids or new ones."""
    held: dict[str, Json] = getattr(ledger, name)
    given = [thing["id"] for thing in things if thing["id"]]
    for thing in things:
        at = thing.pop("at")
        if thing["id"] is None:
            thing["id"] = ledger.new_id(kind)
            while thing["id"] in given:
                thing["id"] = ledger.new_id(kind)
        if thing["id"] in held:
            raise SeedError(f"{at}.id: {thing['id']!r} is there twice")
        held[thing["id"]] = made(ledger, thing | {"at": at})


def _meter(ledger: Ledger, given: Json) -> Json:
    """A meter with its times and mode settled."""
    at = given.pop("at")
    livemode = ledger.account.livemode
    if given["livemode"] not in (None, livemode):
        raise SeedError(f"{at}.livemode: is not the account's, which is {livemode}")
    stopped = given["status_transitions"]["deactivated_at"]
    if given["status"] == "active" and stopped is not None:
        raise SeedError(f"{at}.status_transitions.deactivated_at: must be null while active")
    if given["updated"] is None:
        given["updated"] = stopped or given["created"]
    if given["status"] == "inactive" and stopped is None:
        given["status_transitions"] = {"deactivated_at": given["updated"]}
    return given | {"livemode": livemode}


def _price(ledger: Ledger, given: Json) -> Json:
    """A metered price on a meter of the seed, active or not."""
    meter = _meter_named(ledger, given.pop("meter"), given.pop("at"))
    interval = given.pop("interval")
    return price_object(
        given,
        id=given["id"],
        created=given["created"],
        livemode=ledger.account.livemode,
        product=given["product"] or ledger.new_id("prod"),
        recurring={
            "interval": interval,
            "interval_count": 1,
            "meter": meter["id"],
            "usage_type": "metered",
        },
    )


def _event(ledger: Ledger, given: Json) -> Json:
    """An event about a meter of the seed, as that meter stands now."""
    meter = _meter_named(ledger, given.pop("meter"), given.pop("at"))
    previous = given.pop("previous_attributes")
    return given | {
        "object": "event",
        "api_version": API_VERSION,
        "data": {"object": meter} | ({"previous_attributes": previous} if previous else {}),
        "livemode": ledger.account.livemode,
        "pending_webhooks": 0,
    }


def _meter_named(ledger: Ledger, name: str, at: str) -> Json:
    """The meter of an id or an event_name: the active one, or the only one, of that name."""
    if name in ledger.meters:
        return ledger.meters[name]
    found = [meter for meter in ledger.meters.values() if meter["event_name"] == name]
    running = [meter for meter in found if meter["status"] == "active"]
    chosen = running or found
    if len(chosen) == 1:
        return chosen[0]
    if chosen:
        raise SeedError(f"{at}.meter: {len(chosen)} meters are named {name!r}; give an id")
    raise SeedError(f"{at}.meter: no meter has the id or event_name {name!r}")
