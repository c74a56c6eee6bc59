"""Products and prices as objects: how they are built, numbered and bound to each other."""

from __future__ import annotations

from typing import Any

from ..errors import RequestError
from ..messages import Json
from ..requests.expansion import put
from ..state import Call
from .changes import merge_metadata
from .price_amounts import build_amounts, build_options, check_amounts

ARRAYS = ("images", "marketing_features")
LONGEST = {"day": 1095, "week": 156, "month": 36, "year": 3}
"""Intervals that a billing period may have at most: three years."""


def create_product(call: Call, asked: Json, within: str = "") -> Json:
    """Build a product of this call, under its own id or a new one; raises RequestError."""
    own = asked.get("id")
    if own is not None and call.get("products", own) is not None:
        raise RequestError.invalid(
            f"{within}[id]" if within else "id",
            "Product already exists.",
            "resource_already_exists",
        )
    return build_product(
        asked,
        id=own or call.ledger.create_id("prod"),
        created=int(call.now),
        livemode=call.ledger.account.livemode,
    )


def build_product(asked: Json, **known: Any) -> Json:
    """Build a product in the API's shape, from what is asked and what the account decides."""
    optional = ("description", "package_dimensions", "shippable", "statement_descriptor")
    return {
        "object": "product",
        "active": asked.get("active", True),
        "default_price": None,
        **{name: asked.get(name) for name in (*optional, "tax_code", "unit_label", "url")},
        **{name: asked.get(name) or [] for name in ARRAYS},
        "metadata": merge_metadata({}, asked.get("metadata")),
        "name": asked["name"],
        "updated": known["created"],
    } | known


def make_price(call: Call, asked: Json, within: str = "") -> Json:
    """Build a price of this call, whose product is known to exist; raises RequestError."""
    check_amounts(asked, within)
    return build_price(
        asked,
        id=call.ledger.create_id("price"),
        created=int(call.now),
        livemode=call.ledger.account.livemode,
        product=asked["product"],
        recurring=_build_recurring(call, asked.get("recurring"), within),
    )


def build_price(asked: Json, **known: Any) -> Json:
    """Build a price as it is stored, from what is asked and what the account decides."""
    price = {
        "object": "price",
        "active": asked.get("active", True),
        "billing_scheme": asked.get("billing_scheme", "per_unit"),
        "currency": asked["currency"].lower(),
        "lookup_key": asked.get("lookup_key"),
        "metadata": merge_metadata({}, asked.get("metadata")),
        "nickname": asked.get("nickname"),
        "tax_behavior": asked.get("tax_behavior", "unspecified"),
        "tiers_mode": asked.get("tiers_mode"),
        "transform_quantity": asked.get("transform_quantity"),
        "type": "recurring" if known["recurring"] else "one_time",
        **build_amounts(asked),
    }
    return price | {"currency_options": build_options(price, asked)} | known


def find_product(call: Call, product_id: str, param: str) -> Json:
    """Find the product that a parameter names; raises RequestError."""
    found = call.get("products", product_id)
    if found is None or found.get("deleted"):
        raise RequestError.no_such("product", product_id, param, 400)
    return found


def claim_lookup_key(call: Call, price: Json, *, transfer: bool) -> None:
    """Take the lookup key of an active price from the one that has it, or raise RequestError."""
    key = price["lookup_key"]
    for other in call.ledger.prices.values() if key and price["active"] else ():
        if other["lookup_key"] == key and other["active"] and other["id"] != price["id"]:
            if not transfer:
                text = f"A price (`{other['id']}`) already uses that lookup key."
                raise RequestError(400, text)
            put(call, "prices", other | {"lookup_key": None}, "price.updated", {"lookup_key": key})


def _build_recurring(call: Call, asked: Json | None, within: str) -> Json | None:
    """Complete the recurring block; a metered price must name an active meter of the account."""
    if asked is None:
        return None
    block = f"{within}[recurring]" if within else "recurring"
    count, longest = asked.get("interval_count", 1), LONGEST[asked["interval"]]
    if count > longest:
        text = f"The maximum billing period is three years: {longest} {asked['interval']}s."
        raise RequestError.invalid(f"{block}[interval_count]", text)
    meter_id, usage = asked.get("meter"), asked.get("usage_type", "licensed")
    if meter_id is None and usage == "metered":
        text = f"Metered prices must be backed by a meter: {block}[meter] is missing."
        raise RequestError.invalid(f"{block}[meter]", text, "parameter_missing")
    if meter_id is not None:
        _check_meter(call, meter_id, usage, block)
    return {"interval_count": 1, **asked, "meter": meter_id, "usage_type": usage}


def _check_meter(call: Call, meter_id: str, usage: str, block: str) -> None:
    if usage != "metered":
        text = f"A price with a meter must have {block}[usage_type] set to metered."
        raise RequestError.invalid(f"{block}[usage_type]", text)
    meter = call.ledger.meters.get(meter_id)
    if meter is None:
        raise RequestError.no_such(call.settings.noun, meter_id, f"{block}[meter]", 400)
    if meter["status"] == "inactive":
        text = f"The meter {meter_id} is inactive; a price needs an active meter."
        raise RequestError.invalid(f"{block}[meter]", text)
