"""As much of prices as binds one to a meter. Source: /v1/prices of Stripe's specification.

Tiers, currency options and one-off amounts chosen by the customer are not emulated. A product
is no more than an id, and shown as an object where a call expands it.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from .errors import RequestError, no_such
from .lists import PAGING, page, within
from .messages import Json
from .params import (
    Param,
    Shape,
    choice,
    decimal,
    exclusive,
    expand,
    flag,
    nest,
    pairs,
    span,
    text,
    texts,
    whole,
)
from .state import Call

URL = "/v1/prices"
INTERVALS = ("day", "month", "week", "year")
USAGE_TYPES = ("licensed", "metered")

_FIELDS = (
    *("currency_options", "custom_unit_amount", "product", "recurring"),
    *("tiers", "transform_quantity"),
)

_NAMED: Shape = {
    "active": Param(flag),
    "expand": Param(expand(*_FIELDS)),
    "lookup_key": Param(text(200)),
    "metadata": Param(pairs),
    "nickname": Param(text(5000)),
    "tax_behavior": Param(choice("exclusive", "inclusive", "unspecified")),
}
CREATE: Shape = _NAMED | {
    "billing_scheme": Param(choice("per_unit")),
    "currency": Param(text(3), required=True),
    "product": Param(text(5000)),
    "product_data": Param(nest({"name": Param(text(5000), required=True)})),
    "recurring": Param(
        nest(
            {
                "interval": Param(choice(*INTERVALS), required=True),
                "interval_count": Param(whole(1)),
                "meter": Param(text(5000)),
                "usage_type": Param(choice(*USAGE_TYPES)),
            }
        )
    ),
    "unit_amount": Param(whole(0)),
    "unit_amount_decimal": Param(decimal),
}
UPDATE: Shape = _NAMED
READ: Shape = {"expand": Param(expand(*_FIELDS))}
LIST: Shape = PAGING | {
    "active": Param(flag),
    "created": Param(span),
    "currency": Param(text(3)),
    "expand": Param(expand("data", *(f"data.{name}" for name in _FIELDS))),
    "lookup_keys": Param(texts(5000, 10)),
    "product": Param(text(5000)),
    "recurring": Param(
        nest(
            {
                "interval": Param(choice(*INTERVALS)),
                "meter": Param(text(5000)),
                "usage_type": Param(choice(*USAGE_TYPES)),
            }
        )
    ),
    "type": Param(choice("one_time", "recurring")),
}


def create(call: Call) -> Json:
    """A new price; refused on a meter that is inactive or unknown."""
    asked = call.params
    exclusive(asked, "product", "product_data")
    exclusive(asked, "unit_amount", "unit_amount_decimal")
    _one_of(asked, "product", "product_data")
    _one_of(asked, "unit_amount", "unit_amount_decimal")
    recurring = _recurring(call)
    price = price_object(
        asked,
        id=call.ledger.new_id("price"),
        created=int(call.now),
        livemode=call.ledger.account.livemode,
        product=asked.get("product") or call.ledger.new_id("prod"),
        recurring=recurring,
    )
    call.put("prices", price, "price.created")
    return _expanded(call, price)


def price_object(asked: Json, **known: Any) -> Json:
    """A price in the API's shape, from what is asked and what the account decides."""
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
    """The price of an id."""
    return _expanded(call, _known(call))


def update(call: Call) -> Json:
    """A price with another name, note or state; what it costs and what it bills on never change."""
    price = _known(call)
    asked = {name: value for name, value in call.params.items() if name != "expand"}
    previous = {name: price[name] for name, value in asked.items() if price[name] != value}
    if not previous:
        return _expanded(call, price)
    new = price | asked
    call.put("prices", new, "price.updated", previous)
    return _expanded(call, new)


def list_(call: Call) -> Json:
    """A page of prices: active ones only, unless `active=false` is asked for."""
    asked = call.params
    exact: Json = {name: asked[name] for name in ("currency", "product", "type") if name in asked}
    exact["active"] = asked.get("active", True)

    def keep(price: Json) -> bool:
        return (
            all(price[name] == value for name, value in exact.items())
            and ("lookup_keys" not in asked or price["lookup_key"] in asked["lookup_keys"])
            and within(price["created"], asked.get("created", {}))
            and _recurs(price["recurring"], asked.get("recurring", {}))
        )

    found = page(call, "prices", "price", URL, keep)
    return found | {"data": [_expanded(call, price) for price in found["data"]]}


def _known(call: Call) -> Json:
    """The price of the call's id; raises RequestError (404)."""
    if call.object_id not in call.ledger.prices:
        raise no_such("price", call.object_id)
    return call.ledger.prices[call.object_id]


def _expanded(call: Call, price: Json) -> Json:
    """The price with its product in place of the product's id, where that is asked for."""
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


def _recurs(recurring: Json | None, asked: Json) -> bool:
    """Whether every asked field of `recurring` is as asked."""
    return not asked or (
        recurring is not None and all(recurring[name] == value for name, value in asked.items())
    )


def _recurring(call: Call) -> Json | None:
    """The recurring block, filled in; a metered price must name an active meter of the account."""
    asked = call.params.get("recurring")
    if asked is None:
        return None
    meter_id, usage = asked.get("meter"), asked.get("usage_type", "licensed")
    if meter_id is None and usage == "metered":
        text = "Metered prices must be backed by a meter: recurring[meter] is missing."
        raise RequestError(400, text, "parameter_missing", "recurring[meter]")
    if meter_id is not None:
        if usage != "metered":
            text = "A price with a meter must have recurring[usage_type] set to metered."
            raise RequestError(400, text, None, "recurring[usage_type]")
        meter = call.ledger.meters.get(meter_id)
        if meter is None:
            raise no_such(call.settings.noun, meter_id, "recurring[meter]", 400)
        if meter["status"] == "inactive":
            text = f"The meter {meter_id} is inactive; a price needs an active meter."
            raise RequestError(400, text, None, "recurring[meter]")
    return {"interval_count": 1, **asked, "meter": meter_id, "usage_type": usage}


def _one_of(asked: Json, one: str, other: str) -> None:
    """Raise RequestError when neither of two parameters is there."""
    if one not in asked and other not in asked:
        text = f"Missing required param: {one} (or {other})."
        raise RequestError(400, text, "parameter_missing", one)
