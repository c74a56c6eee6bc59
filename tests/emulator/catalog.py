"""Builders of what a subscription needs, through the API."""

from __future__ import annotations

from typing import Any

from emulator.client import Account, account, meter

PRODUCTS, PRICES, CUSTOMERS = "/v1/products", "/v1/prices", "/v1/customers"
SUBSCRIPTIONS, ITEMS, ALERTS = "/v1/subscriptions", "/v1/subscription_items", "/v1/billing/alerts"
MONTHLY = {"interval": "month"}


def shop(**settings: Any) -> Account:
    """An account with a meter and a product."""
    products = [{"id": "prod_1", "name": "Calls"}]
    return account(seed={"meters": [meter(id="mtr_1")], "products": products}, **settings)


def rows(*things: dict[str, Any]) -> dict[str, Any]:
    """An array of hashes as a form writes it."""
    return {str(n): thing for n, thing in enumerate(things)}


def metered(emulated: Account, **more: Any) -> dict[str, Any]:
    """Create a price on the meter."""
    recurring = MONTHLY | {"meter": "mtr_1", "usage_type": "metered"}
    return licensed(emulated, recurring=recurring, **more)


def licensed(emulated: Account, **more: Any) -> dict[str, Any]:
    """Create a monthly price."""
    asked = {"product": "prod_1", "currency": "usd", "unit_amount": 500, "recurring": MONTHLY}
    made = emulated.post(PRICES, **(asked | more))
    assert made.status == 200, made.body
    return made.json


def customer(emulated: Account, method: str | None = "pm_card_visa", **more: Any) -> str:
    """Create a customer who pays, and return its id."""
    settings = {"invoice_settings": {"default_payment_method": method}} if method else {}
    return emulated.post(CUSTOMERS, **settings, **more).json["id"]


def subscribe(emulated: Account, *prices: dict[str, Any], **more: Any) -> Any:
    """Subscribe a customer to prices; returns the response."""
    buyer = more.pop("customer", None) or customer(emulated)
    items = rows(*({"price": price["id"]} for price in prices))
    return emulated.post(SUBSCRIPTIONS, customer=buyer, items=items, **more)


def types(emulated: Account) -> list[str]:
    """The types of the events, oldest first."""
    return [event["type"] for event in emulated.events]
