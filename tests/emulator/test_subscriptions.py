"""Subscriptions: how they start, what changes them, and what time does to them."""

import pytest
from emulator.catalog import (
    CUSTOMERS,
    ITEMS,
    PRICES,
    SUBSCRIPTIONS,
    customer,
    licensed,
    metered,
    rows,
    shop,
    subscribe,
    types,
)
from emulator.client import DAY, EVENTS, FORM, START, Account, form

from reconciler.emulator import open_state
from reconciler.emulator.messages import Request
from reconciler.emulator.state import State


def read(emulated, sub, **params):
    return emulated.get(f"{SUBSCRIPTIONS}/{sub['id']}", **params).json


def test_a_metered_subscription_is_active_without_a_payment_method():
    emulated = shop()
    price = metered(emulated)
    made = subscribe(emulated, price, customer=customer(emulated, method=None)).json
    (item,) = made["items"]["data"]
    assert (made["status"], made["currency"], made["latest_invoice"]) == ("active", "usd", None)
    assert (item["price"], "quantity" in item) == (price, False)
    assert item["current_period_start"] == START
    assert item["current_period_end"] == START + 30 * DAY
    assert types(emulated)[-2:] == ["customer.updated", "customer.subscription.created"]
    assert emulated.events[-1]["data"]["object"] == made


def test_an_archived_price_stays_in_use():
    """It is refused for new subscriptions only, and is found with those that have it."""
    emulated = shop()
    price = metered(emulated)
    kept = subscribe(emulated, price).json
    emulated.post(f"{PRICES}/{price['id']}", active=False)
    refused = subscribe(emulated, price)
    assert refused.error["param"] == "items[0][price]"
    assert "inactive" in refused.error["message"]
    assert emulated.get(SUBSCRIPTIONS, price=price["id"]).ids == [kept["id"]]
    emulated.ask_delete(f"{SUBSCRIPTIONS}/{kept['id']}")
    assert emulated.get(SUBSCRIPTIONS, price=price["id"]).ids == []
    assert emulated.get(SUBSCRIPTIONS, price=price["id"], status="all").ids == [kept["id"]]


@pytest.mark.parametrize(
    ("method", "behavior", "outcome"),
    [
        ("pm_card_visa", None, "active"),
        ("pm_card_chargeCustomerFail", None, "incomplete"),
        ("pm_card_chargeDeclined", "error_if_incomplete", "card_declined"),
        (None, None, "resource_missing"),
        (None, "default_incomplete", "incomplete"),
    ],
)
def test_the_first_payment_decides(method, behavior, outcome):
    emulated = shop()
    more = {"payment_behavior": behavior} if behavior else {}
    buyer = customer(emulated, method)
    made = subscribe(emulated, licensed(emulated), customer=buyer, **more)
    assert outcome in (made.json.get("status"), made.json.get("error", {}).get("code"))
    assert made.status == {"card_declined": 402, "resource_missing": 400}.get(outcome, 200)


def test_an_incomplete_subscription_expires_after_23_hours():
    emulated = shop()
    sub = subscribe(emulated, licensed(emulated), payment_behavior="default_incomplete").json
    emulated.now += 23 * 3600 - 1
    assert read(emulated, sub)["status"] == "incomplete"
    emulated.now += DAY
    shown = read(emulated, sub)
    assert (shown["status"], shown["ended_at"]) == ("incomplete_expired", START + 23 * 3600)
    newest = emulated.get(EVENTS).json["data"][0]
    assert (newest["created"], newest["request"]["id"]) == (START + 23 * 3600, None)
    assert newest["data"]["previous_attributes"] == {"ended_at": None, "status": "incomplete"}


@pytest.mark.parametrize(
    ("method", "behavior", "status"),
    [
        ("pm_card_visa", "cancel", "active"),
        ("pm_card_chargeDeclined", "cancel", "past_due"),
        (None, "create_invoice", "past_due"),
        (None, "cancel", "canceled"),
        (None, "pause", "paused"),
    ],
)
def test_a_trial_ends(method, behavior, status):
    emulated = shop()
    settings = {"end_behavior": {"missing_payment_method": behavior}}
    sub = subscribe(emulated, licensed(emulated), customer=customer(emulated, method),
                    trial_period_days=7, trial_settings=settings).json  # fmt: skip
    assert (sub["status"], sub["trial_end"]) == ("trialing", START + 7 * DAY)
    emulated.now += 8 * DAY
    shown = read(emulated, sub)
    assert shown["status"] == status
    assert emulated.events[-1]["created"] == START + 7 * DAY
    if status == "active":
        assert shown["items"]["data"][0]["current_period_start"] == START + 7 * DAY


def test_a_paused_subscription_is_resumed_once_it_can_be_charged():
    emulated = shop()
    buyer = customer(emulated, method=None)
    pause = {"end_behavior": {"missing_payment_method": "pause"}}
    sub = subscribe(emulated, licensed(emulated), customer=buyer, trial_period_days=1,
                    trial_settings=pause).json  # fmt: skip
    path = f"{SUBSCRIPTIONS}/{sub['id']}/resume"
    assert emulated.post(path).status == 400
    emulated.now += 2 * DAY
    assert emulated.post(path).error["code"] == "resource_missing"
    settings = {"default_payment_method": "pm_card_visa"}
    emulated.post(f"{CUSTOMERS}/{buyer}", invoice_settings=settings)
    assert emulated.post(path).json["status"] == "active"
    assert types(emulated)[-1] == "customer.subscription.resumed"


def test_a_declined_renewal_is_past_due_until_the_next_one_is_paid():
    emulated = shop()
    buyer = customer(emulated)
    sub = subscribe(emulated, licensed(emulated), customer=buyer).json
    for method, status in [("pm_card_chargeCustomerFail", "past_due"), ("pm_card_visa", "active")]:
        settings = {"default_payment_method": method}
        emulated.post(f"{CUSTOMERS}/{buyer}", invoice_settings=settings)
        emulated.now += 31 * DAY
        assert read(emulated, sub)["status"] == status


def test_a_period_renews_on_the_day_of_its_anchor():
    """A day that a month does not have is its last one; each renewal has its event."""
    emulated = shop()
    emulated.now = 1_801_353_600.0  # 2027-01-31
    sub = subscribe(emulated, metered(emulated)).json
    assert sub["items"]["data"][0]["current_period_end"] == 1_801_353_600 + 28 * DAY
    emulated.now += 60 * DAY
    (item,) = read(emulated, sub)["items"]["data"]
    assert item["current_period_start"] == 1_801_353_600 + 59 * DAY
    assert types(emulated)[-2:] == ["customer.subscription.updated"] * 2


def test_a_cancellation_at_the_end_of_the_period_can_be_taken_back():
    emulated = shop()
    sub = subscribe(emulated, metered(emulated)).json
    path = f"{SUBSCRIPTIONS}/{sub['id']}"
    ending = emulated.post(path, cancel_at_period_end=True).json
    assert ending["cancel_at"] == sub["items"]["data"][0]["current_period_end"]
    assert (ending["status"], ending["canceled_at"]) == ("active", START)
    back = emulated.post(path, cancel_at_period_end=False).json
    assert (back["cancel_at"], back["canceled_at"]) == (None, None)
    emulated.post(path, cancel_at=int(START + DAY))
    emulated.now += 2 * DAY
    shown = read(emulated, sub)
    assert (shown["status"], shown["ended_at"]) == ("canceled", START + DAY)
    assert types(emulated)[-1] == "customer.subscription.deleted"


def test_a_canceled_subscription_keeps_its_notes_only():
    emulated = shop()
    sub = subscribe(emulated, metered(emulated)).json
    path = f"{SUBSCRIPTIONS}/{sub['id']}"
    gone = emulated.ask_delete(path, **{"cancellation_details[comment]": "bye"}).json
    assert (gone["status"], gone["cancellation_details"]["comment"]) == ("canceled", "bye")
    assert emulated.ask_delete(path).error["code"] == "resource_missing"
    assert emulated.post(path, description="x").status == 400
    assert emulated.post(path, metadata={"a": "b"}).json["metadata"] == {"a": "b"}


def test_items_are_changed_added_and_deleted():
    emulated = shop()
    first, second = licensed(emulated), licensed(emulated, unit_amount=900)
    sub = subscribe(emulated, first).json
    (item,) = sub["items"]["data"]
    path = f"{SUBSCRIPTIONS}/{sub['id']}"
    asked = rows({"id": item["id"], "quantity": 3}, {"price": second["id"]})
    items = emulated.post(path, items=asked).json["items"]["data"]
    assert [(it["price"]["id"], it["quantity"]) for it in items] == [
        (first["id"], 3),
        (second["id"], 1),
    ]
    left = emulated.post(path, items=rows({"id": item["id"], "deleted": True})).json["items"]
    assert [it["price"]["id"] for it in left["data"]] == [second["id"]]
    last = rows({"id": left["data"][0]["id"], "deleted": True})
    assert emulated.post(path, items=last).error["param"] == "items"


def test_items_have_calls_of_their_own():
    emulated = shop()
    sub = subscribe(emulated, licensed(emulated)).json
    price = metered(emulated)
    added = emulated.post(ITEMS, subscription=sub["id"], price=price["id"]).json
    assert emulated.post(ITEMS, subscription=sub["id"], price=price["id"]).status == 400
    listed = emulated.get(ITEMS, subscription=sub["id"])
    assert len(listed.ids) == 2
    path = f"{ITEMS}/{added['id']}"
    assert emulated.post(path, metadata={"a": "b"}).json["metadata"] == {"a": "b"}
    shown = emulated.get(path, expand=["price.product"]).json
    assert shown["price"]["product"]["id"] == "prod_1"
    assert emulated.ask_delete(path).json["deleted"] is True
    assert emulated.get(path).status == 404
    assert types(emulated)[-3:] == ["customer.subscription.updated"] * 3


def test_an_inline_price_is_listed_nowhere():
    emulated = shop()
    data = {"currency": "usd", "product": "prod_1", "unit_amount": 5,
            "recurring": {"interval": "week"}}  # fmt: skip
    items = rows({"price_data": data})
    sub = emulated.post(SUBSCRIPTIONS, customer=customer(emulated), items=items).json
    price = sub["items"]["data"][0]["price"]
    assert (price["active"], "inline" in price) == (False, False)
    assert emulated.get(PRICES).ids == emulated.get(PRICES, active=False).ids == []
    assert emulated.get(f"{PRICES}/{price['id']}").json == price


def test_paths_are_expanded_four_levels_deep():
    emulated = shop()
    sub = subscribe(emulated, metered(emulated)).json
    deep = ["customer", "items.data.price.product", "latest_invoice.payments"]
    shown = read(emulated, sub, expand=deep)
    assert shown["customer"]["object"] == "customer"
    assert shown["items"]["data"][0]["price"]["product"]["name"] == "Calls"
    assert shown["latest_invoice"] is None
    assert read(emulated, sub, expand=["price"])["error"]["param"] == "expand"
    refused = emulated.get(SUBSCRIPTIONS, expand=["customer"])
    assert "'data.customer'" in refused.error["message"]


@pytest.mark.parametrize(
    ("more", "param", "code"),
    [
        ({"items": ""}, "items", None),
        ({"items": rows({"quantity": 1})}, "items[0][price]", "parameter_missing"),
        ({"items": rows({"price": "price_no"})}, "items[0][price]", "resource_missing"),
        ({"items": rows({"price": "METERED", "quantity": 2})}, "items[0][quantity]", None),
        ({"items": rows({"price": "ONCE"})}, "items[0][price]", None),
        ({"items": rows({"price": "METERED"}, {"price": "METERED"})}, "items[1][price]", None),
        ({"currency": "eur"}, "items[0][price]", None),
        ({"customer": "cus_no"}, "customer", "resource_missing"),
        ({"trial_end": 5}, "trial_end", None),
        ({"trial_end": "now", "trial_period_days": 3}, "trial_end", "parameters_exclusive"),
        ({"collection_method": "send_invoice"}, "days_until_due", "parameter_missing"),
        ({"cancel_at": 5, "cancel_at_period_end": True}, "cancel_at", "parameters_exclusive"),
        ({"coupon": "half"}, "coupon", "not_emulated"),
        ({"plan": "gold"}, "plan", "parameter_unknown"),
    ],
)
def test_a_subscription_is_strict(more, param, code):
    emulated = shop()
    once = emulated.post(PRICES, product="prod_1", currency="usd", unit_amount=1).json["id"]
    asked = {"customer": customer(emulated), "items": rows({"price": "METERED"})} | more
    named = form(asked).replace("ONCE", once).replace("METERED", metered(emulated)["id"])
    refused = emulated.ask(
        Request("POST", SUBSCRIPTIONS, "", FORM | emulated.headers, named.encode())
    )
    assert (refused.status, refused.error["param"]) == (400, param)
    assert refused.error.get("code") == code
    assert emulated.get(SUBSCRIPTIONS, status="all").ids == []


def test_everything_survives_a_restart(tmp_path):
    """With what only `expand` shows; what becomes due meanwhile happens at its own time."""
    path = tmp_path / "state.db"
    seed = {"products": [{"id": "prod_1", "name": "Calls"}]}
    with open_state(path, seed) as store:
        emulated = Account(State(store.ledger))
        options = {"eur": {"unit_amount": 5}}
        price = licensed(emulated, lookup_key="gold", currency_options=options)
        sub = subscribe(emulated, price, trial_period_days=7).json
        before = emulated.events
    with open_state(path) as store:
        emulated = Account(State(store.ledger), now=START + 8 * DAY)
        shown = read(emulated, sub, expand=["items.data.price.currency_options"])
        (item,) = shown["items"]["data"]
        assert (shown["status"], set(item["price"]["currency_options"])) == (
            "active",
            {"usd", "eur"},
        )
        assert emulated.events[:-1] == before
        assert emulated.events[-1]["created"] == START + 7 * DAY


def test_items_may_be_written_without_indexes():
    """As curl and older clients do; a name that comes again begins the next item."""
    emulated = shop()
    first, second = licensed(emulated)["id"], licensed(emulated)["id"]
    body = (
        f"customer={customer(emulated)}&items[][price]={first}&items[][quantity]=2"
        f"&items[][metadata][a]=b&items[][price]={second}&items[][metadata][a]=c"
    )
    headers = emulated.headers | FORM
    made = emulated.ask(Request("POST", SUBSCRIPTIONS, "", headers, body.encode())).json
    found = [(it["price"]["id"], it["quantity"], it["metadata"]) for it in made["items"]["data"]]
    assert found == [(first, 2, {"a": "b"}), (second, 1, {"a": "c"})]
