"""A subscription as it is stored, and as the API shows it.

Stored items name their prices by id. Periods are not stored: they follow from the anchor and the
time. `due` is the time of the next change of status, or null.
"""

from __future__ import annotations

from typing import Any

from ..messages import Json
from ..state import Call
from .periods import find_period

ENDED = ("canceled", "incomplete_expired")
STATUSES = ("active", "incomplete", "past_due", "paused", "trialing", "unpaid", *ENDED)

PAYMENT: Json = {
    "payment_method_options": None,
    "payment_method_types": None,
    "save_default_payment_method": "off",
}

_INTERNAL = ("due",)


_DEFAULTS: Json = {
    "object": "subscription",
    "automatic_tax": {"disabled_reason": None, "enabled": False, "liability": None},
    "billing_mode": {"flexible": None, "type": "flexible"},
    "billing_schedules": [],
    "cancel_at_period_end": False,
    "cancellation_details": dict.fromkeys(("comment", "feedback", "reason")),
    "collection_method": "charge_automatically",
    "currency": "usd",
    "default_tax_rates": [],
    "discounts": [],
    "invoice_settings": {"account_tax_ids": None, "issuer": {"type": "self"}},
    "metadata": {},
    "payment_settings": PAYMENT,
    "status": "active",
    "trial_settings": {"end_behavior": {"missing_payment_method": "create_invoice"}},
} | dict.fromkeys(
    (
        *("application", "application_fee_percent", "billing_cycle_anchor_config"),
        *("billing_thresholds", "cancel_at", "canceled_at", "customer_account"),
        *("days_until_due", "default_payment_method", "default_source", "description"),
        *("ended_at", "latest_invoice", "next_pending_invoice_item_invoice", "on_behalf_of"),
        *("pause_collection", "pending_invoice_item_interval", "pending_setup_intent"),
        *("pending_update", "schedule", "test_clock", "transfer_data", "trial_end"),
        *("trial_start", "due"),
    )
)


def build_subscription(asked: Json, **known: Any) -> Json:
    """Build a subscription as it is stored, from what is asked and what the account decides."""
    moments = {"billing_cycle_anchor": known["created"], "start_date": known["created"]}
    return _DEFAULTS | moments | asked | known


def render(call: Call, subscription: Json) -> Json:
    """Return a subscription in the API's shape, with its prices as they are now."""
    items = [render_item(call, subscription, item) for item in subscription["items"]]
    url = f"/v1/subscription_items?subscription={subscription['id']}"
    shown = {name: value for name, value in subscription.items() if name not in _INTERNAL}
    return shown | {"items": {"object": "list", "data": items, "has_more": False, "url": url}}


def render_item(call: Call, subscription: Json, item: Json) -> Json:
    """Return an item in the API's shape; a metered one has no quantity."""
    price = call.get("prices", item["price"]) or {}
    start, end = get_period(call, subscription, item, int(call.now))
    shown: Json = {
        "id": item["id"],
        "object": "subscription_item",
        "billing_thresholds": None,
        "created": item.get("created", subscription["created"]),
        "current_period_end": end,
        "current_period_start": start,
        "discounts": [],
        "metadata": item.get("metadata", {}),
        "price": price,
    }
    if price["recurring"]["usage_type"] == "licensed":
        shown["quantity"] = item.get("quantity", 1)
    return shown | {"subscription": subscription["id"], "tax_rates": []}


def get_period(call: Call, subscription: Json, item: Json, at: int) -> tuple[int, int]:
    """Return the period of an item at a time: of one that has ended, the last one."""
    if subscription["status"] == "trialing":
        return subscription["trial_start"], subscription["trial_end"]
    at = min(at, subscription["ended_at"] or at)
    anchor, start = subscription["billing_cycle_anchor"], subscription["start_date"]
    if at < anchor:
        return start, anchor
    recurring = (call.get("prices", item["price"]) or {})["recurring"]
    return find_period(anchor, recurring["interval"], recurring["interval_count"], at)
