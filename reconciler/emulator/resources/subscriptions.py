"""As much of subscriptions as keeps a price in use. Source: /v1/subscriptions of Stripe's
specification.

They come from the seed, and are read only: no call here starts or cancels one. A customer is no
more than an id.
"""

from __future__ import annotations

from typing import Any

from ..errors import RequestError
from ..messages import Json
from ..requests.pagination import build_list_shape, build_page, is_within
from ..requests.params import Choice, Expand, Period, Shape, Text
from ..state import Call

URL = "/v1/subscriptions"
ENDED = ("canceled", "incomplete_expired")
STATUSES = ("active", "incomplete", "past_due", "paused", "trialing", "unpaid", *ENDED)

READ: Shape = {"expand": Expand(())}
LIST = build_list_shape(
    (),
    {
        "created": Period(),
        "customer": Text(5000),
        "price": Text(5000),
        "status": Choice((*STATUSES, "all", "ended")),
    },
)


def build_subscription(asked: Json, **known: Any) -> Json:
    """Build a subscription as it is stored: its items name their prices by id."""
    return {"object": "subscription", "status": asked.get("status", "active")} | known


def retrieve(call: Call) -> Json:
    """Return the subscription of an id, ended or not."""
    return _show(call, call.find("subscriptions", "subscription"))


def list_(call: Call) -> Json:
    """List subscriptions: all that are not canceled, unless a `status` is given."""
    asked = call.params
    price, status = asked.get("price"), asked.get("status")
    if price is not None and price not in call.ledger.prices:
        raise RequestError.no_such("price", price, "price", 400)

    def select(subscription: Json) -> bool:
        return (
            _has_status(subscription["status"], status)
            and asked.get("customer") in (None, subscription["customer"])
            and (price is None or any(item["price"] == price for item in subscription["items"]))
            and is_within(subscription["created"], asked.get("created", {}))
        )

    found = build_page(call, "subscriptions", "subscription", URL, select)
    return found | {"data": [_show(call, each) for each in found["data"]]}


def _has_status(status: str, asked: str | None) -> bool:
    match asked:
        case None:
            return status != "canceled"
        case "all":
            return True
        case "ended":
            return status in ENDED
    return status == asked


def _show(call: Call, subscription: Json) -> Json:
    """Return a subscription in the API's shape, with its prices as they are now."""
    items = [
        {
            "id": item["id"],
            "object": "subscription_item",
            "created": subscription["created"],
            "metadata": {},
            "price": call.ledger.prices[item["price"]],
            "subscription": subscription["id"],
        }
        for item in subscription["items"]
    ]
    url = f"/v1/subscription_items?subscription={subscription['id']}"
    listed = {"object": "list", "data": items, "has_more": False, "url": url}
    return subscription | {"items": listed}
