"""Whether a subscription can be paid: payment methods are no more than their ids.

An id such as `pm_card_chargeDeclined` or `pm_card_chargeCustomerFail` fails as Stripe's test
methods of these names do; any other id is charged.
"""

from __future__ import annotations

from ..errors import RequestError
from ..messages import Json
from ..resources.price_amounts import is_free
from ..state import Call


def is_due(call: Call, subscription: Json) -> bool:
    """Return whether an invoice of the items at their start asks for money at once.

    Usage is billed at the end of a period, and not followed here.
    """
    if subscription["collection_method"] == "send_invoice":
        return False
    return any(_costs(call, item) for item in subscription["items"])


def is_paid(call: Call, subscription: Json) -> bool | None:
    """Return whether a charge succeeds; None without a payment method."""
    customer = call.get("customers", subscription["customer"]) or {}
    settings = customer.get("invoice_settings", {})
    method = subscription["default_payment_method"] or settings.get("default_payment_method")
    if method is None:
        return None
    return not any(word in method for word in ("chargeDeclined", "chargeCustomerFail"))


def decide_first(call: Call, subscription: Json, behavior: str) -> str:
    """Decide the status after the first invoice; raises RequestError where Stripe refuses."""
    if not is_due(call, subscription):
        return "active"
    if behavior == "default_incomplete":
        return "incomplete"
    paid = is_paid(call, subscription)
    if paid is None:
        raise RequestError(
            400,
            "This customer has no attached payment source or default payment method. Please "
            "consider adding a default payment method. For more information, visit "
            "https://stripe.com/docs/billing/subscriptions/payment-methods-setting.",
            "resource_missing",
        )
    if not paid and behavior == "error_if_incomplete":
        text = "Your card was declined."
        raise RequestError(402, text, "card_declined", kind="card_error")
    return "active" if paid else "incomplete"


def _costs(call: Call, item: Json) -> bool:
    price = call.get("prices", item["price"]) or {}
    usage = price["recurring"]["usage_type"]
    return usage == "licensed" and item["quantity"] > 0 and not is_free(price)
