"""As much of prices as binds one to a meter. Source: /v1/prices of Stripe's specification.

Tiers, currency options and one-off amounts chosen by the customer are not emulated. A product
is no more than an id, and shown as an object where a call expands it.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from ..errors import RequestError
from ..messages import Json
from ..requests.pagination import build_list_shape, build_page, is_within
from ..requests.params import (
    Choice,
    DecimalText,
    Expand,
    Flag,
    Metadata,
    Nested,
    Period,
    Shape,
    Text,
    Texts,
    Whole,
    check_exclusive,
)
from ..state import Call

URL = "/v1/prices"
INTERVALS = ("day", "month", "week", "year")

_FIELDS = (
    *("currency_options", "custom_unit_amount", "product", "recurring"),
    *("tiers", "transform_quantity"),
)
_RECURRING: Shape = {
    "interval": Choice(INTERVALS),
    "meter": Text(5000),
    "usage_type": Choice(("licensed", "metered")),
}
READ: Shape = {"expand": Expand(_FIELDS)}
UPDATE: Shape = READ | {
    "active": Flag(),
    "lookup_key": Text(200),
    "metadata": Metadata(),
    "nickname": Text(5000),
    "tax_behavior": Choice(("exclusive", "inclusive", "unspecified")),
}
CREATE: Shape = UPDATE | {
    "billing_scheme": Choice(("per_unit",)),
    "currency": Text(3, required=True),
    "product": Text(5000),
    "product_data": Nested({"name": Text(5000, required=True)}),
    "recurring": Nested(
        _RECURRING | {"interval": Choice(INTERVALS, required=True), "interval_count": Whole(1)}
    ),
    "unit_amount": Whole(0),
    "unit_amount_decimal": DecimalText(),
}
LIST = build_list_shape(
    _FIELDS,
    {
        "active": Flag(),
        "created": Period(),
        "currency": Text(3),
        "lookup_keys": Texts(most=10),
        "product": Text(5000),
        "recurring": Nested(_RECURRING),
        "type": Choice(("one_time", "recurring")),
    },
)


def create(call: Call) -> Json:
    """Create a price; refused on a meter that is inactive or unknown."""
    asked = call.params
    _check_one_of(asked, "product", "product_data")
    _check_one_of(asked, "unit_amount", "unit_amount_decimal")
    recurring = _build_recurring(call)
    price = build_price(
        asked,
        id=call.ledger.create_id("price"),
        created=int(call.now),
        livemode=call.ledger.account.livemode,
        product=asked.get("product") or call.ledger.create_id("prod"),
        recurring=recurring,
    )
    call.put("prices", price, "price.created")
    return _expand_product(call, price)


def build_price(asked: Json, **known: Any) -> Json:
    """Build a price in the API's shape, from what is asked and what the account decides."""
    amount = asked.get("unit_amount_decimal")
    amount = Decimal(asked.get("unit_amount", 0)) if amount is None else Decimal(amount)
    integral = amount == amount.to_integral_value()
    return {
        "object": "price",
        "active": asked.get("active", True),
        "billing_scheme": "per_unit",
        "currency": asked["currency"].lower(),
        "custom_unit_amount": None,
        "lookup_key": asked.get("lookup_key"),
        "metadata": asked.get("metadata", {}),
        "nickname": asked.get("nickname"),
        "tax_behavior": asked.get("tax_behavior", "unspecified"),
        "tiers_mode": None,
        "transform_quantity": None,
        "type": "recurring" if known["recurring"] else "one_time",
        "unit_amount": int(amount) if integral else None,
        "unit_amount_decimal": str(int(amount)) if integral else f"{amount.normalize():f}",
    } | known


def retrieve(call: Call) -> Json:
    """Return the price of an id."""
    return _expand_product(call, call.find("prices", "price"))


def update(call: Call) -> Json:
    """Change names, notes or `active`; the amount and the meter of a price never change."""
    price = call.find("prices", "price")
    asked = {name: value for name, value in call.params.items() if name != "expand"}
    previous = {name: price[name] for name, value in asked.items() if price[name] != value}
    if not previous:
        return _expand_product(call, price)
    new = price | asked
    call.put("prices", new, "price.updated", previous)
    return _expand_product(call, new)


def list_(call: Call) -> Json:
    """List prices: active ones only, unless `active=false` is given."""
    asked = call.params
    exact: Json = {name: asked[name] for name in ("currency", "product", "type") if name in asked}
    exact["active"] = asked.get("active", True)

    def select(price: Json) -> bool:
        return (
            all(price[name] == value for name, value in exact.items())
            and ("lookup_keys" not in asked or price["lookup_key"] in asked["lookup_keys"])
            and is_within(price["created"], asked.get("created", {}))
            and _matches_recurring(price["recurring"], asked.get("recurring", {}))
        )

    found = build_page(call, "prices", "price", URL, select)
    return found | {"data": [_expand_product(call, price) for price in found["data"]]}


def _expand_product(call: Call, price: Json) -> Json:
    """Replace the id of the product by the product where the call expands it."""
    if not {"product", "data.product"} & set(call.params.get("expand", ())):
        return price
    product = {
        "id": price["product"],
        "object": "product",
        "active": True,
        "created": price["created"],
        "default_price": None,
        "description": None,
        "images": [],
        "livemode": price["livemode"],
        "marketing_features": [],
        "metadata": {},
        "name": price["product"],
        "package_dimensions": None,
        "shippable": None,
        "updated": price["created"],
        "url": None,
    }
    return price | {"product": product}


def _matches_recurring(recurring: Json | None, asked: Json) -> bool:
    return not asked or (
        recurring is not None and all(recurring[name] == value for name, value in asked.items())
    )


def _build_recurring(call: Call) -> Json | None:
    """Complete the recurring block; a metered price must name an active meter of the account."""
    asked = call.params.get("recurring")
    if asked is None:
        return None
    meter_id, usage = asked.get("meter"), asked.get("usage_type", "licensed")
    if meter_id is None and usage == "metered":
        text = "Metered prices must be backed by a meter: recurring[meter] is missing."
        raise RequestError.invalid("recurring[meter]", text, "parameter_missing")
    if meter_id is not None:
        if usage != "metered":
            text = "A price with a meter must have recurring[usage_type] set to metered."
            raise RequestError.invalid("recurring[usage_type]", text)
        meter = call.ledger.meters.get(meter_id)
        if meter is None:
            raise RequestError.no_such(call.settings.noun, meter_id, "recurring[meter]", 400)
        if meter["status"] == "inactive":
            text = f"The meter {meter_id} is inactive; a price needs an active meter."
            raise RequestError.invalid("recurring[meter]", text)
    return {"interval_count": 1, **asked, "meter": meter_id, "usage_type": usage}


def _check_one_of(asked: Json, one: str, other: str) -> None:
    """Raise RequestError unless exactly one of two parameters is given."""
    check_exclusive(asked, one, other)
    if one not in asked and other not in asked:
        text = f"Missing required param: {one} (or {other})."
        raise RequestError.invalid(one, text, "parameter_missing")
