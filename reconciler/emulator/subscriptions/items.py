"""The items of a subscription: which prices it takes, and how many of each."""

from __future__ import annotations

from ..errors import RequestError
from ..messages import Json
from ..requests.expansion import put
from ..requests.params import Flag, Metadata, Nested, Shape, Text, Whole, check_exclusive
from ..requests.values import list_unsupported
from ..resources.catalog import find_product, make_price
from ..resources.changes import merge_metadata
from ..resources.prices import INLINE
from ..state import Call

MOST = 20
"""Items that a subscription may have."""

ITEM: Shape = {
    "metadata": Metadata(),
    "price": Text(5000),
    "price_data": Nested(INLINE),
    "quantity": Whole(0),
} | list_unsupported("billing_thresholds", "discounts", "plan", "tax_rates")
CHANGED: Shape = ITEM | {"clear_usage": Flag(), "deleted": Flag(), "id": Text(5000)}


def build_items(call: Call, asked: list[Json], currency: str | None) -> tuple[list[Json], str]:
    """Build the items of a new subscription, and find its currency; raises RequestError."""
    items: list[Json] = []
    for n, each in enumerate(asked):
        item = build_item(call, each, f"items[{n}]")
        currency = check_item(call, items, item, currency, f"items[{n}]")
        items.append(item)
    if not items or currency is None:
        raise RequestError.invalid("items", "Missing required param: items.", "parameter_missing")
    return items, currency


def change_items(call: Call, subscription: Json, asked: list[Json]) -> list[Json]:
    """Change, add and delete items as an update asks for; raises RequestError."""
    items = {item["id"]: item for item in subscription["items"]}
    for n, each in enumerate(asked):
        place = f"items[{n}]"
        old = items.pop(each["id"], None) if "id" in each else None
        if "id" in each and old is None:
            raise RequestError.no_such("subscription item", each["id"], f"{place}[id]", 400)
        if each.get("deleted"):
            if old is None:
                text = f"Missing required param: {place}[id]."
                raise RequestError.invalid(f"{place}[id]", text, "parameter_missing")
            continue
        item = build_item(call, each, place) if old is None else change_item(call, old, each, place)
        check_item(call, list(items.values()), item, subscription["currency"], place)
        items[item["id"]] = item
    if not items:
        text = "A subscription must have at least one active plan. To cancel it, delete it."
        raise RequestError.invalid("items", text)
    return list(items.values())


def build_item(call: Call, asked: Json, place: str) -> Json:
    """Build an item as it is stored; raises RequestError."""
    price = _find_price(call, asked, place)
    return {
        "id": call.ledger.create_id("si"),
        "created": int(call.now),
        "metadata": merge_metadata({}, asked.get("metadata")),
        "price": price["id"],
        "quantity": _read_quantity(price, asked, 1, place),
    }


def change_item(call: Call, old: Json, asked: Json, place: str) -> Json:
    """Change the price, the quantity or the metadata of an item; raises RequestError."""
    swapped = "price" in asked or "price_data" in asked
    price = _find_price(call, asked, place) if swapped else call.get("prices", old["price"]) or {}
    metadata = old.get("metadata", {})
    if "metadata" in asked:
        metadata = merge_metadata(metadata, asked["metadata"])
    quantity = _read_quantity(price, asked, old.get("quantity", 1), place)
    return old | {"metadata": metadata, "price": price["id"], "quantity": quantity}


def check_item(call: Call, others: list[Json], item: Json, currency: str | None, place: str) -> str:
    """Check an item against the others, and return the currency that they share."""
    price = call.get("prices", item["price"]) or {}
    if any(other["price"] == item["price"] for other in others):
        text = f"Cannot add multiple subscription items with the same price: {item['price']}"
        raise RequestError.invalid(f"{place}[price]", text)
    if len(others) >= MOST:
        text = f"A subscription can have up to {MOST} items."
        raise RequestError.invalid("items", text)
    if currency is not None and currency not in price["currency_options"]:
        text = (
            f"The price specified only supports `{price['currency']}`. This doesn't match the "
            f"expected currency: `{currency}`."
        )
        raise RequestError.invalid(f"{place}[price]", text)
    return currency or str(price["currency"])


def _find_price(call: Call, asked: Json, place: str) -> Json:
    """Find the price of an item, or create the one that it describes."""
    check_exclusive(asked, "price", "price_data")
    if "price_data" in asked:
        return _make_inline(call, asked["price_data"], f"{place}[price_data]")
    if "price" not in asked:
        text = f"Missing required param: {place}[price]."
        raise RequestError.invalid(f"{place}[price]", text, "parameter_missing")
    price = call.get("prices", asked["price"])
    if price is None:
        raise RequestError.no_such("price", asked["price"], f"{place}[price]", 400)
    if not price["active"]:
        text = "The price specified is inactive. This field only accepts active prices."
        raise RequestError.invalid(f"{place}[price]", text)
    if price["type"] == "one_time":
        text = (
            "The price specified is set to `type=one_time` but this field only accepts prices "
            "with `type=recurring`."
        )
        raise RequestError.invalid(f"{place}[price]", text)
    return price


def _make_inline(call: Call, asked: Json, within: str) -> Json:
    """Create a price for this item alone: no list shows it, and no other item can take it."""
    find_product(call, asked["product"], f"{within}[product]")
    price = make_price(call, asked, within) | {"active": False, "inline": True}
    put(call, "prices", price, "price.created")
    return price


def _read_quantity(price: Json, asked: Json, default: int, place: str) -> int:
    if price["recurring"]["usage_type"] == "metered" and "quantity" in asked:
        text = (
            "Quantity should not be specified where usage_type is `metered`. Remove quantity "
            f"from `{place}`."
        )
        raise RequestError.invalid(f"{place}[quantity]", text)
    quantity: int = asked.get("quantity", default)
    return quantity
