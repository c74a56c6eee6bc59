"""Seeds: the account, meters, prices and events that an emulator starts with, as JSON.

`schemas/seed.schema.json` describes them. A price, and an event, names its `meter` by id or
event_name. Two active meters of one name are allowed, though the API never creates them.
The same seed makes the same account.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from .database import Account, Ledger
from .errors import SeedError
from .messages import Json
from .prices import price_object
from .settings import API_VERSION

Seed = str | Path | Mapping[str, Any] | None

FIRST = 1_735_689_600
"""`created` of the first object that gives none (2025-01-01); the others follow by the minute."""

_FOLDERS = (Path(__file__).parents[1] / "schemas", Path(__file__).parents[2] / "schemas")

_DEFAULTS: dict[str, Json] = {
    "meters": {
        "id": None,
        "object": "billing.meter",
        "created": None,
        "customer_mapping": {"event_payload_key": "stripe_customer_id", "type": "by_id"},
        "event_time_window": None,
        "livemode": None,
        "status": "active",
        "status_transitions": {"deactivated_at": None},
        "updated": None,
        "value_settings": {"event_payload_key": "value"},
    },
    "prices": {
        "id": None,
        "created": None,
        "currency": "usd",
        "interval": "month",
        "product": None,
        "unit_amount": 1,
    },
    "events": {
        "id": None,
        "created": None,
        "previous_attributes": None,
        "request": {"id": None, "idempotency_key": None},
    },
}


def sow(seed: Seed) -> Ledger:
    """Create the ledger that a seed describes; raises SeedError naming the place that is wrong."""
    if not isinstance(seed, str | Path):
        return _build({} if seed is None else seed)
    try:
        return _build(json.loads(Path(seed).read_bytes()))
    except OSError as error:
        raise SeedError(f"{seed}: cannot be read: {error}") from None
    except ValueError as error:
        raise SeedError(f"{seed}: is not JSON: {error}") from None
    except SeedError as error:
        raise SeedError(f"{seed}: {error}") from None


def _build(given: Any) -> Ledger:
    if given != {}:
        _validate(given)
    ledger = Ledger(Account(**given.get("account", {})))
    _plant(ledger, "meters", "mtr", _fill_in(given, "meters"), _meter)
    _plant(ledger, "prices", "price", _fill_in(given, "prices"), _price)
    _plant(ledger, "events", "evt", _fill_in(given, "events"), _event)
    return ledger


def _validate(given: Any) -> None:
    """Raise SeedError for the first value, in the order of the seed, that its schema refuses."""
    for error in _validator().iter_errors(given):
        place = error.json_path.removeprefix("$").removeprefix(".")
        if error.validator == "additionalProperties":
            known = error.schema["properties"]
            name = next(name for name in error.instance if name not in known)
            message = f"unknown field; use any of {', '.join(known)}"
        elif error.validator == "required":
            name = next(name for name in error.validator_value if name not in error.instance)
            message = f"is missing; give {error.schema['properties'][name]['description']}"
        else:
            name, message = "", f"{error.instance!r} must be {error.schema['description']}"
        raise SeedError(f"{'.'.join(filter(None, (place, str(name)))) or 'seed'}: {message}")


@cache
def _validator() -> Any:
    """The validator of seeds, for which 1.0 is not a whole number."""
    from jsonschema import Draft202012Validator, validators  # slow to import

    path = next(path for folder in _FOLDERS if (path := folder / "seed.schema.json").is_file())
    types = Draft202012Validator.TYPE_CHECKER.redefine("integer", lambda _, it: type(it) is int)
    extend: Any = validators.extend
    return extend(Draft202012Validator, type_checker=types)(json.loads(path.read_text("utf-8")))


def _fill_in(given: Mapping[str, Any], name: str) -> list[Json]:
    """The objects of one kind with their defaults and times, in the order of those times."""
    things = [_merge(_DEFAULTS[name], thing) for thing in given.get(name, ())]
    for n, thing in enumerate(things):
        thing["at"] = f"{name}[{n}]"
        if thing["created"] is None:
            thing["created"] = FIRST + 60 * n
    return sorted(things, key=lambda thing: int(thing["created"]))


def _merge(defaults: Json, given: Json) -> Json:
    """Add the defaults of what is not given, inside objects too."""
    nested = {
        name: default | given.get(name, {})
        for name, default in defaults.items()
        if isinstance(default, dict)
    }
    return defaults | given | nested


def _plant(
    ledger: Ledger,
    name: str,
    kind: str,
    things: list[Json],
    made: Callable[[Ledger, Json], Json],
) -> None:
    """Add objects to the ledger, oldest first, under their own ids or new ones."""
    held: dict[str, Json] = getattr(ledger, name)
    given = [thing["id"] for thing in things if thing["id"]]
    for thing in things:
        at = thing.pop("at")
        if thing["id"] is None:
            thing["id"] = ledger.new_id(kind)
            while thing["id"] in given:
                thing["id"] = ledger.new_id(kind)
        if thing["id"] in held:
            raise SeedError(f"{at}.id: {thing['id']!r} is used twice")
        held[thing["id"]] = made(ledger, thing | {"at": at})


def _meter(ledger: Ledger, given: Json) -> Json:
    """Create a meter, its times and mode completed."""
    at = given.pop("at")
    livemode = ledger.account.livemode
    if given["livemode"] not in (None, livemode):
        raise SeedError(f"{at}.livemode: must be the account's, which is {json.dumps(livemode)}")
    deactivated = given["status_transitions"]["deactivated_at"]
    if given["status"] == "active" and deactivated is not None:
        raise SeedError(f"{at}.status_transitions.deactivated_at: must be null while active")
    if given["updated"] is None:
        given["updated"] = deactivated or given["created"]
    if given["status"] == "inactive" and deactivated is None:
        given["status_transitions"] = {"deactivated_at": given["updated"]}
    return given | {"livemode": livemode}


def _price(ledger: Ledger, given: Json) -> Json:
    """Create a metered price on a meter of the seed, active or not."""
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
    """Create an event about a meter of the seed, in its present state."""
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
    """Find the meter of an id or an event_name: the active one, or the only one, of that name."""
    if name in ledger.meters:
        return ledger.meters[name]
    found = [meter for meter in ledger.meters.values() if meter["event_name"] == name]
    active = [meter for meter in found if meter["status"] == "active"]
    chosen = active or found
    if len(chosen) == 1:
        return chosen[0]
    if chosen:
        raise SeedError(f"{at}.meter: {len(chosen)} meters are named {name!r}; give an id")
    raise SeedError(f"{at}.meter: no meter has the id or event_name {name!r}")
