"""Prices: amounts, tiers, currencies and lookup keys."""

import pytest
from emulator.catalog import MONTHLY, PRICES, licensed, metered, rows, shop, types

TIERS = rows({"up_to": 10, "unit_amount": 5}, {"up_to": "inf", "unit_amount_decimal": "0.5"})
TIERED = {"product": "prod_1", "currency": "usd", "billing_scheme": "tiered",
          "tiers_mode": "graduated", "recurring": MONTHLY}  # fmt: skip


def test_tiers_are_shown_only_where_they_are_expanded():
    emulated = shop()
    made = emulated.post(PRICES, **TIERED, tiers=TIERS, expand=["tiers"]).json
    assert [tier["up_to"] for tier in made["tiers"]] == [10, None]
    assert [tier["unit_amount_decimal"] for tier in made["tiers"]] == ["5", "0.5"]
    assert (made["unit_amount"], made["tiers_mode"]) == (None, "graduated")
    assert "tiers" not in emulated.get(f"{PRICES}/{made['id']}").json
    assert "tiers" not in emulated.events[-1]["data"]["object"]
    (listed,) = emulated.get(PRICES, expand=["data.tiers"]).json["data"]
    assert listed["tiers"] == made["tiers"]


def test_a_price_has_an_amount_in_each_of_its_currencies():
    emulated = shop()
    made = licensed(emulated, currency_options={"eur": {"unit_amount": 400}})
    path = f"{PRICES}/{made['id']}"
    assert "currency_options" not in made
    emulated.post(path, currency_options={"gbp": {"unit_amount": 300}})
    shown = emulated.get(path, expand=["currency_options"]).json["currency_options"]
    assert {name: each["unit_amount"] for name, each in shown.items()} == {
        "usd": 500,
        "eur": 400,
        "gbp": 300,
    }
    emulated.post(path, currency_options="")
    assert set(emulated.get(path, expand=["currency_options"]).json["currency_options"]) == {"usd"}


def test_a_lookup_key_belongs_to_one_active_price():
    """Until another takes it; an archived price leaves it to others."""
    emulated = shop()
    first = licensed(emulated, lookup_key="gold")
    second = licensed(emulated)
    refused = emulated.post(f"{PRICES}/{second['id']}", lookup_key="gold")
    text = f"A price (`{first['id']}`) already uses that lookup key."
    assert (refused.status, refused.error["message"]) == (400, text)
    emulated.post(f"{PRICES}/{second['id']}", lookup_key="gold", transfer_lookup_key=True)
    assert emulated.get(PRICES, lookup_keys=["gold"]).ids == [second["id"]]
    assert emulated.get(f"{PRICES}/{first['id']}").json["lookup_key"] is None
    assert types(emulated)[-2:] == ["price.updated"] * 2
    emulated.post(f"{PRICES}/{second['id']}", active=False)
    third = licensed(emulated, lookup_key="gold")
    assert emulated.post(f"{PRICES}/{second['id']}", active=True).status == 400
    assert emulated.get(PRICES, lookup_keys=["gold"]).ids == [third["id"]]


def test_a_price_may_bring_its_product():
    emulated = shop()
    asked = {"currency": "EUR", "unit_amount": 5, "product_data": {"name": "New", "id": "new"}}
    made = emulated.post(PRICES, **asked, expand=["product"]).json
    assert (made["product"]["name"], made["currency"], made["type"]) == ("New", "eur", "one_time")
    assert types(emulated) == ["product.created", "price.created"]
    again = emulated.post(PRICES, **asked)
    assert (again.status, again.error["param"]) == (400, "product_data[id]")
    assert len(emulated.get(PRICES).ids) == 1


def test_transform_quantity_and_a_custom_amount():
    emulated = shop()
    packs = metered(emulated, transform_quantity={"divide_by": 100, "round": "up"})
    assert packs["transform_quantity"] == {"divide_by": 100, "round": "up"}
    asked = {"product": "prod_1", "currency": "usd"}
    gift = emulated.post(PRICES, **asked, custom_unit_amount={"enabled": True, "minimum": 50}).json
    assert gift["custom_unit_amount"] == {"maximum": None, "minimum": 50, "preset": None}
    assert gift["unit_amount"] is None


def test_an_update_changes_notes_alone():
    emulated = shop()
    made = licensed(emulated, tax_behavior="inclusive")
    path = f"{PRICES}/{made['id']}"
    changed = emulated.post(path, nickname="Gold", metadata={"a": "b"}).json
    assert (changed["nickname"], changed["metadata"]) == ("Gold", {"a": "b"})
    assert emulated.post(path, unit_amount=1).error["code"] == "parameter_unknown"
    assert emulated.post(path, tax_behavior="exclusive").error["param"] == "tax_behavior"
    assert types(emulated) == ["price.created", "price.updated"]


@pytest.mark.parametrize(
    ("more", "param"),
    [
        ({"currency": "zzz"}, "currency"),
        ({"currency_options": {"zz": {"unit_amount": 1}}}, "currency_options[zz]"),
        ({"currency_options": {"eur": {"tax_behavior": "inclusive"}}},
         "currency_options[eur][unit_amount]"),
        ({"recurring": {"interval": "fortnight"}}, "recurring[interval]"),
        ({"recurring": {"interval": "month", "interval_count": 37}}, "recurring[interval_count]"),
        ({"product": "prod_no"}, "product"),
        ({"tiers_mode": "volume"}, "tiers_mode"),
        ({"tiers": TIERS}, "tiers"),
        ({"billing_scheme": "tiered"}, "tiers_mode"),
        ({"billing_scheme": "tiered", "tiers_mode": "volume"}, "tiers"),
        ({"billing_scheme": "tiered", "tiers_mode": "volume", "tiers": TIERS}, "unit_amount"),
        ({"custom_unit_amount": {"enabled": True}}, "custom_unit_amount"),
        ({"transform_quantity": {"divide_by": 0, "round": "up"}}, "transform_quantity[divide_by]"),
        ({"expand": ["product.default_price.product.default_price.product"]}, "expand"),
    ],
)  # fmt: skip
def test_a_price_is_strict(more, param):
    emulated = shop()
    asked = {"product": "prod_1", "currency": "usd", "unit_amount": 5} | more
    refused = emulated.post(PRICES, **asked)
    assert (refused.status, refused.error["param"]) == (400, param)
    assert emulated.get(PRICES).ids == []


@pytest.mark.parametrize(
    ("tiers", "param"),
    [
        ([{"up_to": 10, "unit_amount": 5}], "tiers[0][up_to]"),
        ([{"up_to": 10, "unit_amount": 5}, {"up_to": 5, "unit_amount": 1},
          {"up_to": "inf", "unit_amount": 1}], "tiers[1][up_to]"),
        ([{"up_to": "inf"}], "tiers[0]"),
        ([{"up_to": "all", "unit_amount": 1}], "tiers[0][up_to]"),
        ([{"unit_amount": 1}], "tiers[0][up_to]"),
    ],
)  # fmt: skip
def test_tiers_rise_to_infinity(tiers, param):
    refused = shop().post(PRICES, **TIERED, tiers=rows(*tiers))
    assert (refused.status, refused.error["param"]) == (400, param)
