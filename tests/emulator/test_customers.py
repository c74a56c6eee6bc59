"""Customers: metadata merges, and a deletion cancels the subscriptions."""

import pytest
from emulator.catalog import CUSTOMERS, SUBSCRIPTIONS, customer, metered, shop, subscribe, types
from emulator.client import account


def test_a_customer_is_created_and_changed():
    emulated = account()
    made = emulated.post(CUSTOMERS, name="Jenny", metadata={"a": "1", "b": "2"}).json
    path = f"{CUSTOMERS}/{made['id']}"
    assert (made["balance"], made["tax_exempt"], made["livemode"]) == (0, "none", False)
    changed = emulated.post(path, metadata={"b": "", "c": "3"}, address={"city": "Bern"}).json
    assert changed["metadata"] == {"a": "1", "c": "3"}
    assert (changed["address"]["city"], changed["address"]["line1"]) == ("Bern", None)
    assert emulated.post(path, name="", address="").json["name"] is None
    settings = {"default_payment_method": "pm_1"}
    emulated.post(path, invoice_settings=settings)
    kept = emulated.post(path, invoice_settings={"footer": "Bye"}).json["invoice_settings"]
    assert (kept["default_payment_method"], kept["footer"]) == ("pm_1", "Bye")
    assert types(emulated) == ["customer.created"] + ["customer.updated"] * 4
    previous = emulated.events[1]["data"]["previous_attributes"]
    assert previous == {"address": None, "metadata": {"b": "2", "c": None}}


def test_a_shipping_address_has_all_of_its_parts():
    """Null where they were not given, as in the address of the customer."""
    shipping = {"name": "Jenny", "address": {"city": "Bern"}}
    shown = account().post(CUSTOMERS, shipping=shipping).json["shipping"]
    missing = dict.fromkeys(("country", "line1", "line2", "postal_code", "state"))
    assert shown == {"name": "Jenny", "phone": None, "address": {"city": "Bern", **missing}}


def test_customers_are_found_by_email():
    emulated = account()
    ids = [emulated.post(CUSTOMERS, email=f"{name}@example.com").json["id"] for name in "aba"]
    assert emulated.get(CUSTOMERS, email="a@example.com").ids == [ids[2], ids[0]]
    assert emulated.get(CUSTOMERS, email="A@example.com").ids == []
    assert emulated.get(CUSTOMERS, created={"gt": int(emulated.now)}).ids == []


def test_a_deleted_customer_is_canceled_and_stays_known():
    """Its subscriptions are canceled first; it can be read, but not changed or billed."""
    emulated = shop()
    price = metered(emulated)
    buyer = customer(emulated)
    sub = subscribe(emulated, price, customer=buyer).json
    gone = {"id": buyer, "object": "customer", "deleted": True}
    assert emulated.ask_delete(f"{CUSTOMERS}/{buyer}").json == gone
    assert emulated.get(f"{CUSTOMERS}/{buyer}").json == gone
    assert emulated.get(CUSTOMERS).ids == []
    assert types(emulated)[-2:] == ["customer.subscription.deleted", "customer.deleted"]
    shown = emulated.get(f"{SUBSCRIPTIONS}/{sub['id']}", expand=["customer"]).json
    assert (shown["status"], shown["customer"]) == ("canceled", gone)
    assert emulated.post(f"{CUSTOMERS}/{buyer}", name="Back").status == 404
    refused = subscribe(emulated, price, customer=buyer)
    assert (refused.error["param"], refused.error["code"]) == ("customer", "resource_missing")


def test_subscriptions_are_shown_where_they_are_expanded():
    emulated = shop()
    price, buyer = metered(emulated), customer(emulated)
    first = subscribe(emulated, price, customer=buyer).json["id"]
    emulated.ask_delete(f"{SUBSCRIPTIONS}/{first}")
    second = subscribe(emulated, price, customer=buyer).json["id"]
    path = f"{CUSTOMERS}/{buyer}"
    assert "subscriptions" not in emulated.get(path).json
    for shown in (
        emulated.get(path, expand=["subscriptions"]).json,
        emulated.get(CUSTOMERS, expand=["data.subscriptions"]).json["data"][0],
    ):
        (only,) = shown["subscriptions"]["data"]
        assert (only["id"], only["items"]["data"][0]["price"]["id"]) == (second, price["id"])
    assert emulated.get(path).json["currency"] == "usd"


@pytest.mark.parametrize(
    ("asked", "param", "code"),
    [
        ({"mail": "a@b"}, "mail", "parameter_unknown"),
        ({"address": {"town": "Bern"}}, "address[town]", "parameter_unknown"),
        ({"shipping": {"name": "J"}}, "shipping[address]", "parameter_missing"),
        ({"source": "tok_visa"}, "source", "not_emulated"),
        ({"tax_exempt": "yes"}, "tax_exempt", None),
        ({"balance": "x"}, "balance", "parameter_invalid_integer"),
    ],
)
def test_a_customer_is_strict(asked, param, code):
    refused = account().post(CUSTOMERS, **asked)
    assert (refused.status, refused.error["param"]) == (400, param)
    assert refused.error.get("code") == code
