"""Products: created, merged, archived and deleted as Stripe does, each change with its event."""

import pytest
from emulator.catalog import PRICES, PRODUCTS, licensed, rows, shop, types
from emulator.client import account


def test_a_product_is_created_changed_and_deleted():
    emulated = account()
    made = emulated.post(PRODUCTS, name="Calls", metadata={"a": "1", "b": "2"}).json
    path = f"{PRODUCTS}/{made['id']}"
    assert (made["active"], made["images"], made["updated"]) == (True, [], made["created"])
    emulated.now += 60
    changed = emulated.post(path, metadata={"a": "", "c": "3"}, description="All of them").json
    assert changed["metadata"] == {"b": "2", "c": "3"}
    assert changed["updated"] == made["created"] + 60
    assert emulated.post(path, metadata="").json["metadata"] == {}
    assert emulated.post(path, description="").json["description"] is None
    assert emulated.post(path, description="").status == 200
    assert emulated.ask_delete(path).json == {
        "id": made["id"],
        "object": "product",
        "deleted": True,
    }
    assert (emulated.get(path).status, emulated.get(PRODUCTS).ids) == (404, [])
    updated = ["product.updated"] * 3
    assert types(emulated) == ["product.created", *updated, "product.deleted"]
    first = emulated.events[1]["data"]["previous_attributes"]
    assert first["metadata"] == {"a": "1", "c": None}
    assert first["description"] is None
    assert "deleted" not in emulated.events[-1]["data"]["object"]


def test_a_product_may_have_an_id_and_a_default_price():
    emulated = account()
    asked = {"currency": "usd", "unit_amount": 5, "recurring": {"interval": "year"}}
    made = emulated.post(PRODUCTS, id="gold", name="Gold", default_price_data=asked,
                         expand=["default_price.product"]).json  # fmt: skip
    price = made["default_price"]
    assert (made["id"], price["recurring"]["interval"]) == ("gold", "year")
    assert price["product"]["default_price"] == price["id"]
    again = emulated.post(PRODUCTS, id="gold", name="Gold")
    assert (again.status, again.error["code"]) == (400, "resource_already_exists")
    refused = emulated.post(f"{PRICES}/{price['id']}", active=False)
    assert "the default price of its product" in refused.error["message"]
    assert emulated.ask_delete(f"{PRODUCTS}/gold").status == 400
    other = emulated.post(PRODUCTS, name="Silver").json
    stolen = emulated.post(f"{PRODUCTS}/{other['id']}", default_price=price["id"])
    assert stolen.error["param"] == "default_price"


def test_products_are_filtered():
    emulated = account()
    ids = [emulated.post(PRODUCTS, name=name, active=name != "b").json["id"] for name in "abc"]
    assert emulated.get(PRODUCTS).ids == ids[::-1]
    assert emulated.get(PRODUCTS, active=False).ids == [ids[1]]
    assert emulated.get(PRODUCTS, ids=ids[:2]).ids == [ids[1], ids[0]]
    assert emulated.get(PRODUCTS, limit=1, starting_after=ids[2]).ids == [ids[1]]


@pytest.mark.parametrize(
    ("asked", "param", "code"),
    [
        ({}, "name", "parameter_missing"),
        ({"name": "a", "kind": "good"}, "kind", "parameter_unknown"),
        ({"name": "a", "unit_label": "x" * 13}, "unit_label", None),
        ({"name": "a", "package_dimensions": {"height": "x", "length": 1, "weight": 1, "width": 1}},
         "package_dimensions[height]", None),
        ({"name": "a", "marketing_features": rows({"names": "x"})},
         "marketing_features[0][names]", "parameter_unknown"),
        ({"name": "a", "default_price_data": {"currency": "usd"}},
         "default_price_data[unit_amount]", "parameter_missing"),
        ({"name": "a", "metadata": {str(n): "x" for n in range(51)}}, "metadata", None),
        ({"name": "a", "expand": ["prices"]}, "expand", None),
    ],
)  # fmt: skip
def test_a_product_is_strict(asked, param, code):
    emulated = account()
    refused = emulated.post(PRODUCTS, **asked)
    assert (refused.status, refused.error["param"]) == (400, param)
    assert refused.error.get("code") == code
    assert emulated.get(PRODUCTS).ids == []


def test_a_deleted_product_cannot_be_sold():
    emulated = shop()
    emulated.ask_delete(f"{PRODUCTS}/prod_1")
    asked = {"product": "prod_1", "currency": "usd", "unit_amount": 1}
    refused = emulated.post(PRICES, **asked)
    assert (refused.error["param"], refused.error["code"]) == ("product", "resource_missing")
    assert emulated.post(f"{PRODUCTS}/prod_1", name="Again").status == 404


def test_a_product_with_prices_is_not_deleted():
    emulated = shop()
    licensed(emulated)
    refused = emulated.ask_delete(f"{PRODUCTS}/prod_1")
    assert "one or more user-created prices" in refused.error["message"]
    assert emulated.get(f"{PRODUCTS}/prod_1").status == 200
