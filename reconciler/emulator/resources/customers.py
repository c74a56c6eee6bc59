"""Customers: who subscribes. Source: /v1/customers of Stripe's specification.

A payment method is no more than its id; `subscriptions/payments.py` says which of them fail.
"""

from __future__ import annotations

import hashlib
from typing import Any

from ..messages import Json
from ..requests.expansion import ExpandOf, bury, delete, put, show, show_page
from ..requests.pagination import build_list_shape, build_page, is_within
from ..requests.params import Choice, Metadata, Nested, Period, Shape, Text, Texts, Whole
from ..requests.values import Hashes, Unset, list_unsupported
from ..state import Call
from ..subscriptions.build import render
from ..subscriptions.cycle import cancel
from .changes import merge, merge_metadata

URL = "/v1/customers"

_PARTS = ("city", "country", "line1", "line2", "postal_code", "state")
_ADDRESS: Shape = dict.fromkeys(_PARTS, Unset(Text(5000)))
_SHIPPING: Shape = {
    "address": Nested(_ADDRESS, required=True),
    "name": Text(5000, required=True),
    "phone": Unset(Text(5000)),
}
_INVOICES: Shape = {
    "custom_fields": Unset(
        Hashes({"name": Text(40, required=True), "value": Text(140, required=True)}, most=4)
    ),
    "default_payment_method": Unset(Text(5000)),
    "footer": Unset(Text(5000)),
    "rendering_options": Unset(
        Nested(
            {
                "amount_tax_display": Unset(Choice(("exclude_tax", "include_inclusive_tax"))),
                "template": Unset(Text(5000)),
            }
        )
    ),
}
READ: Shape = {"expand": ExpandOf("customer")}
UPDATE: Shape = (
    READ
    | {
        "address": Unset(Nested(_ADDRESS)),
        "balance": Whole(),
        "business_name": Unset(Text(150)),
        "description": Unset(Text(5000)),
        "email": Unset(Text(512)),
        "individual_name": Unset(Text(150)),
        "invoice_prefix": Text(5000),
        "invoice_settings": Nested(_INVOICES),
        "metadata": Metadata(),
        "name": Unset(Text(256)),
        "next_invoice_sequence": Whole(1),
        "phone": Unset(Text(20)),
        "preferred_locales": Unset(Texts()),
        "shipping": Unset(Nested(_SHIPPING)),
        "tax_exempt": Unset(Choice(("exempt", "none", "reverse"))),
    }
    | list_unsupported("bank_account", "card", "cash_balance", "default_source", "source", "tax")
)
CREATE: Shape = (
    UPDATE | {"payment_method": Text(5000)} | list_unsupported("tax_id_data", "test_clock")
)
DELETE: Shape = {}
LIST = build_list_shape((), {"created": Period(), "email": Text(512), "test_clock": Text(5000)}) | {
    "expand": ExpandOf("customer", listed=True)
}
_NULLABLE = ("address", "description", "email", "name", "phone", "shipping")
_OPTIONAL = ("business_name", "individual_name")


def create(call: Call) -> Json:
    """Create a customer; nothing is required."""
    customer = build_customer(
        call.params,
        id=call.ledger.create_id("cus"),
        created=int(call.now),
        livemode=call.ledger.account.livemode,
    )
    put(call, "customers", customer, "customer.created")
    return _show(call, customer)


def build_customer(asked: Json, **known: Any) -> Json:
    """Build a customer in the API's shape, from what is asked and what the account decides."""
    prefix = hashlib.sha256(known["id"].encode()).hexdigest()[:8].upper()
    return {
        "object": "customer",
        **{name: asked.get(name) for name in _NULLABLE},
        "address": _build_address(asked.get("address")),
        "balance": asked.get("balance", 0),
        "currency": None,
        "default_source": None,
        "delinquent": False,
        "discount": None,
        "invoice_prefix": asked.get("invoice_prefix", prefix),
        "invoice_settings": dict.fromkeys(_INVOICES) | asked.get("invoice_settings", {}),
        "metadata": merge_metadata({}, asked.get("metadata")),
        "next_invoice_sequence": asked.get("next_invoice_sequence", 1),
        "preferred_locales": asked.get("preferred_locales") or [],
        "shipping": _build_shipping(asked.get("shipping")),
        "tax_exempt": asked.get("tax_exempt") or "none",
        "test_clock": None,
        **{name: asked[name] for name in _OPTIONAL if asked.get(name)},
    } | known


def retrieve(call: Call) -> Json:
    """Return the customer of an id; a deleted one is no more than that."""
    found = call.get("customers", call.object_id)
    if found and found.get("deleted"):
        return bury(found)
    return _show(call, call.find("customers", "customer"))


def update(call: Call) -> Json:
    """Change a customer; metadata and invoice_settings merge, other hashes are replaced."""
    customer = call.find("customers", "customer")
    asked = dict(call.params)
    if "address" in asked:
        asked["address"] = _build_address(asked["address"])
    if "shipping" in asked:
        asked["shipping"] = _build_shipping(asked["shipping"])
    if "invoice_settings" in asked:
        asked["invoice_settings"] = customer["invoice_settings"] | asked["invoice_settings"]
    if asked.get("preferred_locales", []) is None:
        asked["preferred_locales"] = []
    if asked.get("tax_exempt", "") is None:
        asked["tax_exempt"] = "none"
    new, previous = merge(customer, asked)
    if previous:
        put(call, "customers", new, "customer.updated", previous)
    return _show(call, new)


def remove(call: Call) -> Json:
    """Delete a customer, and cancel its subscriptions."""
    customer = call.find("customers", "customer")
    for subscription in call.ledger.subscriptions.values():
        if subscription["customer"] == customer["id"]:
            cancel(call, subscription)
    return delete(call, "customers", customer, "customer.deleted")


def list_(call: Call) -> Json:
    """List customers; an email matches in exactly this case."""
    asked = call.params

    def select(customer: Json) -> bool:
        return (
            not customer.get("deleted")
            and asked.get("email") in (None, customer["email"])
            and asked.get("test_clock") is None
            and is_within(customer["created"], asked.get("created", {}))
        )

    page = build_page(call, "customers", "customer", URL, select)
    if any(path.startswith("data.subscriptions") for path in asked.get("expand", ())):
        page = page | {"data": [_add_subscriptions(call, each) for each in page["data"]]}
    return show_page(call, page)


def _show(call: Call, customer: Json) -> Json:
    """Return a customer as the call expands it, with its subscriptions where it asks for them."""
    if any(path.startswith("subscriptions") for path in call.params.get("expand", ())):
        customer = _add_subscriptions(call, customer)
    return show(call, customer)


def _add_subscriptions(call: Call, customer: Json) -> Json:
    """Add the subscriptions that are not canceled, newest first."""
    own = [
        render(call, each)
        for each in reversed(call.ledger.subscriptions.values())
        if each["customer"] == customer["id"] and each["status"] != "canceled"
    ]
    listed = {
        "object": "list",
        "data": own[:10],
        "has_more": len(own) > 10,
        "url": f"{URL}/{customer['id']}/subscriptions",
    }
    return customer | {"subscriptions": listed}


def _build_address(asked: Json | None) -> Json | None:
    return asked and {part: asked.get(part) for part in _PARTS}


def _build_shipping(asked: Json | None) -> Json | None:
    if asked is None:
        return None
    return {"phone": None, **asked, "address": _build_address(asked["address"])}
