"""Prices: amounts, tiers and currencies, and the meter that a price bills.

Source: /v1/prices of Stripe's specification.
"""

from __future__ import annotations

from ..errors import RequestError
from ..messages import Json
from ..requests.expansion import ExpandOf, put, show, show_page
from ..requests.pagination import build_list_shape, build_page, is_within
from ..requests.params import (
    Choice,
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
from ..requests.values import ByCurrency, Currency, Unset
from ..state import Call
from .catalog import claim_lookup_key, create_product, find_product, make_price
from .changes import find_previous, merge
from .price_amounts import AMOUNTS, OPTION, TAX_BEHAVIOR, build_options, check_amounts

URL = "/v1/prices"
INTERVALS = ("day", "month", "week", "year")

_INTERVAL: Shape = {
    "interval": Choice(INTERVALS, required=True),
    "interval_count": Whole(1),
}
_RECURRING: Shape = {
    "interval": Choice(INTERVALS),
    "meter": Text(5000),
    "usage_type": Choice(("licensed", "metered")),
}
_PRODUCT: Shape = {
    "active": Flag(),
    "id": Text(5000),
    "metadata": Metadata(),
    "name": Text(5000, required=True),
    "statement_descriptor": Text(22),
    "tax_code": Text(5000),
    "unit_label": Text(12),
}
READ: Shape = {"expand": ExpandOf("price")}
UPDATE: Shape = READ | {
    "active": Flag(),
    "currency_options": Unset(ByCurrency(OPTION)),
    "lookup_key": Text(200),
    "metadata": Metadata(),
    "nickname": Text(5000),
    "tax_behavior": TAX_BEHAVIOR,
    "transfer_lookup_key": Flag(),
}
CREATE: Shape = (
    UPDATE
    | AMOUNTS
    | {
        "billing_scheme": Choice(("per_unit", "tiered")),
        "currency": Currency(required=True),
        "currency_options": ByCurrency(OPTION),
        "product": Text(5000),
        "product_data": Nested(_PRODUCT),
        "recurring": Nested(_RECURRING | _INTERVAL),
        "tiers_mode": Choice(("graduated", "volume")),
        "transform_quantity": Nested(
            {
                "divide_by": Whole(1, required=True),
                "round": Choice(("down", "up"), required=True),
            }
        ),
    }
)
DEFAULT_PRICE: Shape = {
    "currency": Currency(required=True),
    "currency_options": ByCurrency(OPTION),
    "custom_unit_amount": AMOUNTS["custom_unit_amount"],
    "metadata": Metadata(),
    "recurring": Nested(_INTERVAL),
    "tax_behavior": TAX_BEHAVIOR,
    "unit_amount": AMOUNTS["unit_amount"],
    "unit_amount_decimal": AMOUNTS["unit_amount_decimal"],
}
INLINE: Shape = {
    "currency": Currency(required=True),
    "product": Text(5000, required=True),
    "recurring": Nested(_INTERVAL, required=True),
    "tax_behavior": TAX_BEHAVIOR,
    "unit_amount": AMOUNTS["unit_amount"],
    "unit_amount_decimal": AMOUNTS["unit_amount_decimal"],
}
LIST = build_list_shape(
    (),
    {
        "active": Flag(),
        "created": Period(),
        "currency": Currency(),
        "lookup_keys": Texts(most=10),
        "product": Text(5000),
        "recurring": Nested(_RECURRING),
        "type": Choice(("one_time", "recurring")),
    },
) | {"expand": ExpandOf("price", listed=True)}


def create(call: Call) -> Json:
    """Create a price of a product that exists, or of one that is created with it."""
    asked = call.params
    check_exclusive(asked, "product", "product_data")
    if "product" not in asked and "product_data" not in asked:
        text = "Missing required param: product (or product_data)."
        raise RequestError.invalid("product", text, "parameter_missing")
    if "product" in asked:
        find_product(call, asked["product"], "product")
        price = make_price(call, asked)
        claim_lookup_key(call, price, transfer=asked.get("transfer_lookup_key", False))
    else:
        check_amounts(asked)
        product = create_product(call, asked["product_data"], "product_data")
        price = make_price(call, asked | {"product": product["id"]})
        claim_lookup_key(call, price, transfer=asked.get("transfer_lookup_key", False))
        put(call, "products", product, "product.created")
    put(call, "prices", price, "price.created")
    return show(call, price)


def retrieve(call: Call) -> Json:
    """Return the price of an id."""
    return show(call, call.find("prices", "price"))


def update(call: Call) -> Json:
    """Change names, notes, currencies or `active`; amount and meter of a price never change."""
    price = call.find("prices", "price")
    asked = dict(call.params)
    transfer = asked.pop("transfer_lookup_key", False)
    options = asked.pop("currency_options", {})
    new, previous = merge(price, asked)
    if options != {}:
        new = new | {"currency_options": _merge_options(price, options)}
        previous = find_previous(price, new)
    _check_change(call, price, new)
    claim_lookup_key(call, new, transfer=transfer)
    if previous:
        put(call, "prices", new, "price.updated", _list_visible(previous))
    return show(call, new)


def list_(call: Call) -> Json:
    """List prices: active ones only, unless `active=false` is given; inline ones never."""
    asked = call.params
    exact: Json = {name: asked[name] for name in ("currency", "product", "type") if name in asked}
    exact["active"] = asked.get("active", True)

    def select(price: Json) -> bool:
        return (
            not price.get("inline")
            and all(price[name] == value for name, value in exact.items())
            and ("lookup_keys" not in asked or price["lookup_key"] in asked["lookup_keys"])
            and is_within(price["created"], asked.get("created", {}))
            and _matches_recurring(price["recurring"], asked.get("recurring", {}))
        )

    return show_page(call, build_page(call, "prices", "price", URL, select))


def _check_change(call: Call, old: Json, new: Json) -> None:
    """Raise RequestError for a change that Stripe refuses."""
    if old["active"] and not new["active"]:
        product = call.get("products", old["product"]) or {}
        if product.get("default_price") == old["id"]:
            text = "This price cannot be archived because it is the default price of its product."
            raise RequestError(400, text)
    if old["tax_behavior"] not in ("unspecified", new["tax_behavior"]):
        text = f"The tax_behavior of a price cannot be changed once it is {old['tax_behavior']}."
        raise RequestError.invalid("tax_behavior", text)


def _merge_options(price: Json, asked: Json | None) -> Json:
    """Merge the amounts in other currencies; None removes all but that of the price itself."""
    own = {price["currency"]: price["currency_options"][price["currency"]]}
    if asked is None:
        return own
    tiered = price["billing_scheme"] == "tiered"
    scheme = {"billing_scheme": "tiered", "tiers_mode": price["tiers_mode"]} if tiered else {}
    for currency, option in asked.items():
        check_amounts(scheme | option, f"currency_options[{currency}]")
    options: Json = price["currency_options"]
    return options | build_options(price, {"currency_options": asked}) | own


def _list_visible(previous: Json) -> Json:
    return {name: value for name, value in previous.items() if name != "currency_options"}


def _matches_recurring(recurring: Json | None, asked: Json) -> bool:
    return not asked or (
        recurring is not None and all(recurring[name] == value for name, value in asked.items())
    )
