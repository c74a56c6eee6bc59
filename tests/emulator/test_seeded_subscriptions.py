"""Subscriptions: seeded, found by their prices, and readable with a permission of their own."""

import pytest
from emulator.client import account, meter

from reconciler.emulator import Key, SeedError, open_state

SUBSCRIPTIONS = "/v1/subscriptions"
STATUSES = (
    *("active", "incomplete", "past_due", "paused"),
    *("trialing", "unpaid", "canceled", "incomplete_expired"),
)


def sold(*subscriptions, **settings):
    """Two prices, one of them archived, and these subscriptions."""
    prices = [
        {"id": "price_old", "meter": "mtr_1", "active": False},
        {"id": "price_new", "meter": "mtr_1"},
    ]
    seed = {"meters": [meter(id="mtr_1")], "prices": prices, "subscriptions": list(subscriptions)}
    return account(seed=seed, **settings)


def to(price, **more):
    return {"items": [{"price": price}], **more}


def test_a_subscription_is_found_by_its_price():
    """Newest first, with the price as it is now."""
    emulated = sold(
        to("price_old", id="sub_1", customer="cus_7"),
        {"id": "sub_2", "items": [{"price": "price_new"}, {"price": "price_old"}]},
        to("price_new", id="sub_3"),
    )
    assert emulated.get(SUBSCRIPTIONS, price="price_old").ids == ["sub_2", "sub_1"]
    assert emulated.get(SUBSCRIPTIONS).ids == ["sub_3", "sub_2", "sub_1"]
    (mine,) = emulated.get(SUBSCRIPTIONS, customer="cus_7").json["data"]
    assert (mine["status"], mine["items"]["object"]) == ("active", "list")
    (item,) = mine["items"]["data"]
    assert (item["subscription"], item["price"]["active"]) == ("sub_1", False)
    emulated.post("/v1/prices/price_new", active=False)
    shown = emulated.get(f"{SUBSCRIPTIONS}/sub_3").json
    assert shown["items"]["data"][0]["price"]["active"] is False
    assert emulated.get(f"{SUBSCRIPTIONS}/sub_4").status == 404


@pytest.mark.parametrize(
    ("asked", "left_out"),
    [
        ({}, {"canceled"}),
        ({"status": "all"}, set()),
        ({"status": "ended"}, set(STATUSES) - {"canceled", "incomplete_expired"}),
        *(({"status": status}, set(STATUSES) - {status}) for status in STATUSES),
    ],
)
def test_a_list_leaves_out_canceled_ones_unless_asked(asked, left_out):
    emulated = sold(*(to("price_old", id=f"sub_{status}", status=status) for status in STATUSES))
    found = emulated.get(SUBSCRIPTIONS, price="price_old", **asked).ids
    assert found == [f"sub_{status}" for status in reversed(STATUSES) if status not in left_out]


def test_a_list_is_read_in_pages():
    emulated = sold(*(to("price_old", id=f"sub_{n}", created=n) for n in range(5)))
    first = emulated.get(SUBSCRIPTIONS, limit=2)
    assert (first.ids, first.json["has_more"]) == (["sub_4", "sub_3"], True)
    assert emulated.get(SUBSCRIPTIONS, starting_after="sub_1").ids == ["sub_0"]
    assert emulated.get(SUBSCRIPTIONS, created={"gte": 3}).ids == ["sub_4", "sub_3"]


@pytest.mark.parametrize(
    ("asked", "param", "code"),
    [
        ({"price": "price_no"}, "price", "resource_missing"),
        ({"status": "cancelled"}, "status", None),
        ({"limit": 101}, "limit", "parameter_invalid_integer"),
        ({"meter": "mtr_1"}, "meter", "parameter_unknown"),
    ],
)
def test_a_list_is_strict(asked, param, code):
    response = sold().get(SUBSCRIPTIONS, **asked)
    assert (response.status, response.error["param"]) == (400, param)
    assert response.error.get("code") == code


def test_subscriptions_have_a_permission_of_their_own():
    emulated = sold(keys=(Key("sk_test_emulator", frozenset({"plan_read"})),))
    response = emulated.get(SUBSCRIPTIONS)
    assert response.status == 403
    assert "\"Subscriptions Read\" ('subscription_read')" in response.error["message"]
    reader = sold(keys=(Key("sk_test_emulator", frozenset({"subscription_read"})),))
    assert reader.get(SUBSCRIPTIONS).status == 200


@pytest.mark.parametrize(
    ("subscription", "message"),
    [
        (to("price_no"), "subscriptions[0].items[0].price: no price has the id 'price_no'"),
        ({}, "subscriptions[0].items: is missing; give an array of 1 or more items"),
        (to("price_new", status="cancelled"), "subscriptions[0].status: 'cancelled' must be one"),
        ({"items": []}, "subscriptions[0].items: [] must be an array of 1 or more items"),
    ],
)
def test_a_seed_with_a_wrong_subscription_is_refused(subscription, message):
    with pytest.raises(SeedError) as caught:
        sold(subscription)
    assert message in str(caught.value)


def test_subscriptions_survive_a_restart(tmp_path):
    """The state file keeps them as the seed had them."""
    prices = [{"id": "price_1", "meter": "searches", "active": False}]
    seed = {"meters": [meter()], "prices": prices, "subscriptions": [to("price_1", id="sub_1")]}
    for given in (seed, None):
        with open_state(tmp_path / "state.json", given) as store:
            assert [each["id"] for each in store.ledger.subscriptions.values()] == ["sub_1"]
