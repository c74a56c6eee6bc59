"""Products: what prices are of. Source: /v1/products of Stripe's specification."""

from __future__ import annotations

from ..errors import RequestError
from ..messages import Json
from ..requests.expansion import ExpandOf, delete, put, show, show_page
from ..requests.pagination import build_list_shape, build_page, is_within
from ..requests.params import Flag, Metadata, Nested, Period, Shape, Text, Texts
from ..requests.values import Hashes, Number, Unset
from ..state import Call
from .catalog import ARRAYS, create_product, make_price
from .changes import merge
from .prices import DEFAULT_PRICE

URL = "/v1/products"

_FEATURES = Hashes({"name": Text(80, required=True)}, most=15)
_SIZE = Nested({side: Number(required=True) for side in ("height", "length", "weight", "width")})
READ: Shape = {"expand": ExpandOf("product")}
UPDATE: Shape = READ | {
    "active": Flag(),
    "default_price": Text(5000),
    "description": Unset(Text(40000)),
    "images": Unset(Texts(most=8)),
    "marketing_features": Unset(_FEATURES),
    "metadata": Metadata(),
    "name": Text(5000),
    "package_dimensions": Unset(_SIZE),
    "shippable": Flag(),
    "statement_descriptor": Text(22),
    "tax_code": Unset(Text(5000)),
    "unit_label": Unset(Text(12)),
    "url": Unset(Text(2048)),
}
CREATE: Shape = {name: value for name, value in UPDATE.items() if name != "default_price"} | {
    "default_price_data": Nested(DEFAULT_PRICE),
    "id": Text(5000),
    "name": Text(5000, required=True),
}
DELETE: Shape = {}
LIST = build_list_shape(
    (),
    {
        "active": Flag(),
        "created": Period(),
        "ids": Texts(),
        "shippable": Flag(),
        "url": Text(2048),
    },
) | {"expand": ExpandOf("product", listed=True)}


def create(call: Call) -> Json:
    """Create a product, and its default price where one is asked for."""
    product = create_product(call, call.params)
    asked = call.params.get("default_price_data")
    if asked is None:
        put(call, "products", product, "product.created")
        return show(call, product)
    price = make_price(call, asked | {"product": product["id"]}, "default_price_data")
    product |= {"default_price": price["id"]}
    put(call, "products", product, "product.created")
    put(call, "prices", price, "price.created")
    return show(call, product)


def retrieve(call: Call) -> Json:
    """Return the product of an id."""
    return show(call, call.find("products", "product"))


def update(call: Call) -> Json:
    """Change a product; its default price must be one of its own."""
    product = call.find("products", "product")
    asked = {
        name: [] if name in ARRAYS and value is None else value
        for name, value in call.params.items()
    }
    if "default_price" in asked:
        _check_default_price(call, product, asked["default_price"])
    new, previous = merge(product, asked, updated=int(call.now))
    if previous:
        put(call, "products", new, "product.updated", previous)
    return show(call, new)


def remove(call: Call) -> Json:
    """Delete a product that has no prices."""
    product = call.find("products", "product")
    if any(price["product"] == product["id"] for price in call.ledger.prices.values()):
        raise RequestError(
            400, "This product cannot be deleted because it has one or more user-created prices."
        )
    return delete(call, "products", product, "product.deleted")


def list_(call: Call) -> Json:
    """List products, active and archived."""
    asked = call.params
    exact = {name: asked[name] for name in ("active", "shippable", "url") if name in asked}

    def select(product: Json) -> bool:
        return (
            not product.get("deleted")
            and all(product[name] == value for name, value in exact.items())
            and ("ids" not in asked or product["id"] in asked["ids"])
            and is_within(product["created"], asked.get("created", {}))
        )

    return show_page(call, build_page(call, "products", "product", URL, select))


def _check_default_price(call: Call, product: Json, price_id: str) -> None:
    price = call.get("prices", price_id)
    if price is None:
        raise RequestError.no_such("price", price_id, "default_price", 400)
    if price["product"] != product["id"]:
        text = f"The price {price_id} is not a price of the product {product['id']}."
        raise RequestError.invalid("default_price", text)
    if not price["active"]:
        text = "The price specified is inactive. This field only accepts active prices."
        raise RequestError.invalid("default_price", text)
