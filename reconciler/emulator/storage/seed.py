"""Seeds: the account and the objects in it that an emulator starts with, as JSON.

`schemas/seed.schema.json` describes them. A price, and an event, names its `meter` by id or
event_name. Two active meters of one name are allowed, though the API never creates them.
The same seed makes the same account.
"""

from __future__ import annotations

import hashlib
import json
import marshal
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from ..errors import RequestError, SeedError
from ..messages import Json
from ..requests.expansion import hide
from ..resources.alerts import build_alert
from ..resources.catalog import build_price, build_product
from ..resources.customers import build_customer
from ..resources.meters import build_meter
from ..resources.price_amounts import check_amounts
from ..subscriptions.build import ENDED, build_subscription
from .database import FIRST, Account, Ledger, build_event

DAY = 24 * 3600

Seed = str | Path | Mapping[str, Any] | None

_FOLDERS = (Path(__file__).parents[2] / "schemas", Path(__file__).parents[3] / "schemas")
_VALID: set[bytes] = set()  # digests of seeds


def load_seed(seed: Seed) -> list[Ledger]:
    """Build the account that a seed describes, and those connected to it.

    Raises SeedError naming the place of an error.
    """
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


def _build(given: Any) -> list[Ledger]:
    """Build the platform and its connected accounts, which are all in one mode."""
    if given != {}:
        _validate_once(given)
    platform = Account(**given.get("account", {}))
    ledgers = [_build_ledger(platform, given, "")]
    for n, each in enumerate(given.get("accounts", ())):
        place = f"accounts[{n}]."
        account = Account(**{"livemode": platform.livemode, **each["account"]})
        if account.livemode != platform.livemode:
            text = f"must be the platform's, which is {json.dumps(platform.livemode)}"
            raise SeedError(f"{place}account.livemode: {text}")
        if any(account.id == ledger.account.id for ledger in ledgers):
            raise SeedError(f"{place}account.id: {account.id!r} is used twice")
        ledgers.append(_build_ledger(account, each, place))
    return ledgers


def _build_ledger(account: Account, given: Json, within: str) -> Ledger:
    """Build one account with its objects; `within` is its place in the seed."""
    ledger = Ledger(account)
    _add_objects(ledger, given, within, "meters", "mtr", _build_meter)
    _add_objects(ledger, given, within, "products", "prod", _build_product)
    _add_objects(ledger, given, within, "prices", "price", _build_price)
    _check_default_prices(ledger, given, within)
    _add_objects(ledger, given, within, "customers", "cus", _build_customer)
    _add_objects(ledger, given, within, "subscriptions", "sub", _build_subscription)
    _add_objects(ledger, given, within, "alerts", "alrt", _build_alert)
    _add_objects(ledger, given, within, "events", "evt", _build_event)
    return ledger


def _validate_once(given: Any) -> None:
    """Validate a seed, unless an equal one was valid: that takes longer than to build it."""
    try:
        data = marshal.dumps(given, 2)  # tells 1 from 1.0 and True, and an array from a tuple
    except ValueError:
        _validate(given)
        return
    digest = hashlib.sha256(data).digest()
    if digest not in _VALID:
        _validate(given)
        _VALID.add(digest)


def _validate(given: Any) -> None:
    """Raise SeedError for the first value, in the order of its schema, that its schema refuses."""
    for error in build_validator().iter_errors(given):
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
def build_validator() -> Any:
    """Build the validator of seeds, for which 1.0 is not an integer."""
    from jsonschema import Draft202012Validator, validators  # slow to import

    path = next(path for folder in _FOLDERS if (path := folder / "seed.schema.json").is_file())
    types = Draft202012Validator.TYPE_CHECKER.redefine("integer", lambda _, it: type(it) is int)
    extend: Any = validators.extend
    return extend(Draft202012Validator, type_checker=types)(json.loads(path.read_text("utf-8")))


def _add_objects(
    ledger: Ledger,
    seed: Json,
    within: str,
    name: str,
    kind: str,
    build: Callable[[Ledger, Json, str], Json],
) -> None:
    """Add the objects of one kind, oldest first, under their own ids or new ones."""
    held: dict[str, Json] = getattr(ledger, name)
    rows: list[tuple[int, str, Json]] = []
    for n, given in enumerate(seed.get(name, ())):
        created = given.get("created")
        rows.append((FIRST + 60 * n if created is None else created, f"{within}{name}[{n}]", given))
    taken = {given.get("id") for _, _, given in rows}
    for created, place, given in sorted(rows, key=lambda row: row[0]):
        object_id = given.get("id") or ledger.create_id(kind)
        while object_id in taken and not given.get("id"):
            object_id = ledger.create_id(kind)
        if object_id in held:
            raise SeedError(f"{place}.id: {object_id!r} is used twice")
        held[object_id] = build(ledger, given | {"id": object_id, "created": created}, place)


def _build_meter(ledger: Ledger, given: Json, place: str) -> Json:
    livemode = ledger.account.livemode
    if given.get("livemode") not in (None, livemode):
        raise SeedError(f"{place}.livemode: must be the account's, which is {json.dumps(livemode)}")
    status = given.get("status", "active")
    deactivated = given.get("status_transitions", {}).get("deactivated_at")
    if status == "active" and deactivated is not None:
        raise SeedError(f"{place}.status_transitions.deactivated_at: must be null while active")
    updated = given.get("updated")
    if updated is None:
        updated = deactivated or given["created"]
    if status == "inactive" and deactivated is None:
        deactivated = updated
    meter = build_meter(
        given,
        id=given["id"],
        created=given["created"],
        livemode=livemode,
        status=status,
        status_transitions={"deactivated_at": deactivated},
        updated=updated,
    )
    extra: Json = given.get("extra", {})
    return meter | extra


def _build_product(ledger: Ledger, given: Json, place: str) -> Json:
    updated = given["created"] if given.get("updated") is None else given["updated"]
    return build_product(
        given,
        id=given["id"],
        created=given["created"],
        default_price=given.get("default_price"),
        livemode=ledger.account.livemode,
        updated=updated,
    )


def _build_price(ledger: Ledger, given: Json, place: str) -> Json:
    """Build a price, metered if it names a meter of the seed, of a product that it may add."""
    asked = {"currency": "usd", "unit_amount": 1} | given
    if "tiers" in given:
        asked["billing_scheme"] = "tiered"
        asked["tiers_mode"] = given.get("tiers_mode", "graduated")
    if "unit_amount" not in given and {"unit_amount_decimal", "tiers"} & set(given):
        del asked["unit_amount"]
    try:
        check_amounts(asked)
    except RequestError as error:
        raise SeedError(f"{place}.{error.param}: {error}") from None
    return build_price(
        asked,
        id=given["id"],
        created=given["created"],
        livemode=ledger.account.livemode,
        product=_find_or_add_product(ledger, given),
        recurring=_build_recurring(ledger, given, place),
    )


def _build_recurring(ledger: Ledger, given: Json, place: str) -> Json | None:
    """Build the interval of a price: monthly by default, null for one that is charged once."""
    interval = given.get("interval", "month")
    meter = _find_meter(ledger, given["meter"], place) if given.get("meter") else None
    if interval is None and meter:
        raise SeedError(f"{place}.interval: must not be null, since the price has a meter")
    return interval and {
        "interval": interval,
        "interval_count": given.get("interval_count", 1),
        "meter": meter and meter["id"],
        "usage_type": "metered" if meter else "licensed",
    }


def _find_or_add_product(ledger: Ledger, given: Json) -> str:
    """Return the id of the product of a price; one that the seed does not have is added."""
    product_id: str = given.get("product") or ledger.create_id("prod")
    if product_id not in ledger.products:
        ledger.products[product_id] = build_product(
            {"name": product_id},
            id=product_id,
            created=given["created"],
            livemode=ledger.account.livemode,
        )
    return product_id


def _check_default_prices(ledger: Ledger, given: Json, within: str) -> None:
    """Check that each default price is one of its product."""
    for n, product in enumerate(given.get("products", ())):
        price_id = product.get("default_price")
        price = ledger.prices.get(price_id or "", {})
        if price_id is not None and price.get("product") != product.get("id"):
            place = f"{within}products[{n}].default_price"
            raise SeedError(f"{place}: the product has no price with the id {price_id!r}")


def _build_customer(ledger: Ledger, given: Json, place: str) -> Json:
    settings = {"default_payment_method": given.get("default_payment_method")}
    return build_customer(
        given | {"invoice_settings": settings},
        id=given["id"],
        created=given["created"],
        livemode=ledger.account.livemode,
    )


def _build_subscription(ledger: Ledger, given: Json, place: str) -> Json:
    """Build a subscription to recurring prices of the seed, active or not.

    Nothing becomes due: its status stays until a call changes it.
    """
    for n, item in enumerate(given["items"]):
        price = ledger.prices.get(item["price"])
        if price is None:
            raise SeedError(f"{place}.items[{n}].price: no price has the id {item['price']!r}")
        if price["recurring"] is None:
            raise SeedError(f"{place}.items[{n}].price: {item['price']!r} is charged only once")
    status, created = given.get("status", "active"), given["created"]
    currency = ledger.prices[given["items"][0]["price"]]["currency"]
    trial = {"trial_start": created, "trial_end": given.get("trial_end") or created + 30 * DAY}
    return build_subscription(
        {"metadata": given.get("metadata", {}), **(trial if status == "trialing" else {})},
        id=given["id"],
        created=created,
        currency=currency,
        livemode=ledger.account.livemode,
        customer=_find_or_add_customer(ledger, given, currency),
        ended_at=created if status in ENDED else None,
        items=[{"id": ledger.create_id("si"), "quantity": 1, **item} for item in given["items"]],
        status=status,
    )


def _find_or_add_customer(ledger: Ledger, given: Json, currency: str) -> str:
    """Return the id of the customer of a subscription; one that is not in the seed is added."""
    customer_id: str = given.get("customer") or ledger.create_id("cus")
    found = ledger.customers.get(customer_id) or build_customer(
        {}, id=customer_id, created=given["created"], livemode=ledger.account.livemode
    )
    ledger.customers[customer_id] = found | {"currency": currency}
    return customer_id


def _build_alert(ledger: Ledger, given: Json, place: str) -> Json:
    """Build an alert on a meter of the seed, for all customers or one of the seed."""
    customer = given.get("customer")
    if customer and customer not in ledger.customers:
        raise SeedError(f"{place}.customer: no customer has the id {customer!r}")
    return build_alert(
        given.get("title", "Usage"),
        {
            "filters": [{"customer": customer, "type": "customer"}] if customer else [],
            "gte": given.get("gte", 1),
            "meter": _find_meter(ledger, given["meter"], place)["id"],
        },
        id=given["id"],
        livemode=ledger.account.livemode,
        status=given.get("status", "active"),
    )


def _build_event(ledger: Ledger, given: Json, place: str) -> Json:
    """Build an event about an object of the seed, in its present state."""
    return build_event(
        ledger.account,
        _find_object(ledger, given, place),
        given.get("previous_attributes"),
        id=given["id"],
        created=given["created"],
        request={"id": None, "idempotency_key": None} | given.get("request", {}),
        type=given["type"],
    )


def _find_object(ledger: Ledger, given: Json, place: str) -> Json:
    """Find what an event is about: a meter, or the product, price or customer of an id."""
    if "object" not in given:
        if "meter" not in given:
            text = "is missing; give a string of 1 to 5000 characters, or an object"
            raise SeedError(f"{place}.meter: {text}")
        return _find_meter(ledger, given["meter"], place)
    for held in (ledger.meters, ledger.products, ledger.prices, ledger.customers):
        if given["object"] in held:
            return hide(held[given["object"]])
    raise SeedError(f"{place}.object: nothing in the seed has the id {given['object']!r}")


def _find_meter(ledger: Ledger, name: str, place: str) -> Json:
    """Find the meter of an id or an event_name: the active one, or the only one, of that name."""
    if name in ledger.meters:
        return ledger.meters[name]
    found = [meter for meter in ledger.meters.values() if meter["event_name"] == name]
    chosen = [meter for meter in found if meter["status"] == "active"] or found
    if len(chosen) == 1:
        return chosen[0]
    if chosen:
        raise SeedError(f"{place}.meter: {len(chosen)} meters are named {name!r}; give an id")
    raise SeedError(f"{place}.meter: no meter has the id or event_name {name!r}")
