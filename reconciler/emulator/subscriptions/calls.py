"""The calls on subscriptions and their items. Source: /v1/subscriptions and
/v1/subscription_items of Stripe's specification.

There are no invoices: prorations are accepted and have no effect.
"""

from __future__ import annotations

from ..errors import RequestError
from ..messages import Json
from ..requests.expansion import ExpandOf, put, show, show_page
from ..requests.pagination import build_list_shape, build_page, build_page_of, is_within
from ..requests.params import Choice, Flag, Nested, Period, Shape, Text
from ..requests.values import Hashes
from ..resources.changes import merge_metadata
from ..state import Call
from . import terms
from .build import ENDED, STATUSES, build_subscription, get_period, render, render_item
from .cycle import UPDATED, cancel, end_trial, save
from .items import CHANGED, ITEM, build_item, build_items, change_item, change_items, check_item
from .payments import decide_first, is_due, is_paid

URL = "/v1/subscriptions"
ITEMS_URL = "/v1/subscription_items"

READ: Shape = {"expand": ExpandOf("subscription")}
CREATE: Shape = READ | terms.CREATE | {"items": Hashes(ITEM)}
UPDATE: Shape = READ | terms.UPDATE | {"items": Hashes(CHANGED)}
CANCEL: Shape = READ | {
    "cancellation_details": Nested(terms.DETAILS),
    "invoice_now": Flag(),
    "prorate": Flag(),
}
RESUME: Shape = READ | {
    "billing_cycle_anchor": Choice(("now", "unchanged")),
    "proration_behavior": terms.PRORATION,
    "proration_date": terms.MOMENT,
}
LIST = build_list_shape(
    (),
    {
        "collection_method": terms.COLLECTION,
        "created": Period(),
        "current_period_end": Period(),
        "current_period_start": Period(),
        "customer": Text(5000),
        "price": Text(5000),
        "status": Choice((*STATUSES, "all", "ended")),
    },
) | {"expand": ExpandOf("subscription", listed=True)}
ITEM_READ: Shape = {"expand": ExpandOf("subscription_item")}
ITEM_UPDATE: Shape = ITEM_READ | ITEM | terms.BEHAVIOR
ITEM_CREATE: Shape = ITEM_UPDATE | {"subscription": Text(5000, required=True)}
ITEM_DELETE: Shape = terms.BEHAVIOR | {"clear_usage": Flag()}
ITEM_LIST = build_list_shape((), {"subscription": Text(5000, required=True)}) | {
    "expand": ExpandOf("subscription_item", listed=True)
}


def create(call: Call) -> Json:
    """Start a subscription: on trial, active, or incomplete until its first payment."""
    asked = call.params
    customer = _find_customer(call)
    items, currency = build_items(call, asked.get("items", []), asked.get("currency"))
    start = asked.get("backdate_start_date", int(call.now))
    subscription = build_subscription(
        terms.read_terms(asked, int(call.now)),
        id=call.ledger.create_id("sub"),
        created=int(call.now),
        currency=currency,
        customer=customer["id"],
        items=items,
        livemode=call.ledger.account.livemode,
        start_date=start,
    )
    if subscription["status"] != "trialing":
        behavior = asked.get("payment_behavior", "allow_incomplete")
        subscription["status"] = decide_first(call, subscription, behavior)
    subscription |= terms.read_cancellation(call, asked, subscription)
    if customer["currency"] is None:
        new = customer | {"currency": currency}
        put(call, "customers", new, "customer.updated", {"currency": None})
    return _show(call, save(call, None, subscription, "customer.subscription.created"))


def retrieve(call: Call) -> Json:
    """Return the subscription of an id, ended or not."""
    return _show(call, call.find("subscriptions", "subscription"))


def update(call: Call) -> Json:
    """Change the terms or the items of a subscription; of one that has ended, its notes."""
    old, asked = call.find("subscriptions", "subscription"), call.params
    if old["status"] in ENDED and set(asked) - {"cancellation_details", "expand", "metadata"}:
        text = "A canceled subscription can only update its cancellation_details and metadata."
        raise RequestError(400, text)
    new = old | terms.read_changes(asked, old, int(call.now))
    if "metadata" in asked:
        new["metadata"] = merge_metadata(old["metadata"], asked["metadata"])
    if "items" in asked:
        new["items"] = change_items(call, old, asked["items"])
    new |= terms.read_cancellation(call, asked, new)
    if asked.get("trial_end") == "now" and old["status"] == "trialing":
        return _show(call, end_trial(call, new))
    return _show(call, old if new == old else save(call, old, new, UPDATED))


def remove(call: Call) -> Json:
    """Cancel a subscription at once."""
    subscription = call.find("subscriptions", "subscription")
    if subscription["status"] in ENDED:
        raise RequestError.no_such("subscription", call.object_id)
    return _show(call, cancel(call, subscription, call.params.get("cancellation_details")))


def resume(call: Call) -> Json:
    """Resume a paused subscription; it must be possible to charge it."""
    old = call.find("subscriptions", "subscription")
    if old["status"] != "paused":
        text = f"Only a paused subscription can be resumed; this one is {old['status']}."
        raise RequestError(400, text)
    anchor = call.params.get("billing_cycle_anchor", "now")
    new = old | {"status": "active"}
    if anchor == "now":
        new["billing_cycle_anchor"] = int(call.now)
    if is_due(call, new) and not is_paid(call, new):
        text = "The subscription cannot be resumed: it has no payment method that can be charged."
        raise RequestError(400, text, "resource_missing")
    return _show(call, save(call, old, new, "customer.subscription.resumed"))


def list_(call: Call) -> Json:
    """List subscriptions: all that are not canceled, unless a `status` is given."""
    asked = call.params
    price, status = asked.get("price"), asked.get("status")
    if price is not None and price not in call.ledger.prices:
        raise RequestError.no_such("price", price, "price", 400)
    exact = {name: asked[name] for name in ("collection_method", "customer") if name in asked}

    def select(subscription: Json) -> bool:
        return (
            _has_status(subscription["status"], status)
            and all(subscription[name] == value for name, value in exact.items())
            and (price is None or any(item["price"] == price for item in subscription["items"]))
            and is_within(subscription["created"], asked.get("created", {}))
            and _has_period(call, subscription)
        )

    page = build_page(call, "subscriptions", "subscription", URL, select)
    return show_page(call, page | {"data": [render(call, each) for each in page["data"]]})


def retrieve_item(call: Call) -> Json:
    """Return the item of an id."""
    return _show_item(call, *_find_item(call))


def create_item(call: Call) -> Json:
    """Add an item to a subscription."""
    subscription = call.get("subscriptions", call.params["subscription"])
    if subscription is None or subscription["status"] in ENDED:
        name = call.params["subscription"]
        raise RequestError.no_such("subscription", name, "subscription", 400)
    item, items = build_item(call, call.params, ""), subscription["items"]
    check_item(call, items, item, subscription["currency"], "")
    new = save(call, subscription, subscription | {"items": [*items, item]}, UPDATED)
    return _show_item(call, new, item)


def update_item(call: Call) -> Json:
    """Change an item."""
    subscription, old = _find_item(call)
    item = change_item(call, old, call.params, "")
    others = [each for each in subscription["items"] if each["id"] != old["id"]]
    check_item(call, others, item, subscription["currency"], "")
    items = [item if each["id"] == old["id"] else each for each in subscription["items"]]
    if item != old:
        subscription = save(call, subscription, subscription | {"items": items}, UPDATED)
    return _show_item(call, subscription, item)


def remove_item(call: Call) -> Json:
    """Delete an item; the last one of a subscription stays."""
    subscription, item = _find_item(call)
    change = [{"id": item["id"], "deleted": True}]
    items = change_items(call, subscription, change)
    save(call, subscription, subscription | {"items": items}, UPDATED)
    return {"id": item["id"], "object": "subscription_item", "deleted": True}


def list_items(call: Call) -> Json:
    """List the items of a subscription."""
    subscription = call.get("subscriptions", call.params["subscription"])
    if subscription is None:
        name = call.params["subscription"]
        raise RequestError.no_such("subscription", name, "subscription", 400)
    items = [render_item(call, subscription, item) for item in subscription["items"]]
    return show_page(
        call, build_page_of(call, items, "subscription item", ITEMS_URL, lambda _: True)
    )


def _find_customer(call: Call) -> Json:
    """Find the customer that a subscription is for; raises RequestError."""
    if "customer" not in call.params:
        text = "Missing required param: customer."
        raise RequestError.invalid("customer", text, "parameter_missing")
    found = call.get("customers", call.params["customer"])
    if found is None or found.get("deleted"):
        raise RequestError.no_such("customer", call.params["customer"], "customer", 400)
    return found


def _find_item(call: Call) -> tuple[Json, Json]:
    """Find the item of the call's id, and its subscription; raises RequestError (404)."""
    for subscription in call.ledger.subscriptions.values():
        for item in subscription["items"] if subscription["status"] not in ENDED else ():
            if item["id"] == call.object_id:
                return subscription, item
    raise RequestError.no_such("subscription item", call.object_id)


def _show(call: Call, subscription: Json) -> Json:
    return show(call, render(call, subscription))


def _show_item(call: Call, subscription: Json, item: Json) -> Json:
    return show(call, render_item(call, subscription, item))


def _has_status(status: str, asked: str | None) -> bool:
    match asked:
        case None:
            return status != "canceled"
        case "all":
            return True
        case "ended":
            return status in ENDED
    return status == asked


def _has_period(call: Call, subscription: Json) -> bool:
    """Return whether any item has a period within the bounds that are asked for."""
    names = ("current_period_start", "current_period_end")
    bounds = [call.params.get(name, {}) for name in names]
    if not any(bounds):
        return True
    periods = [get_period(call, subscription, it, int(call.now)) for it in subscription["items"]]
    return any(all(map(is_within, period, bounds)) for period in periods)
