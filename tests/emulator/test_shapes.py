"""Shapes of prices, events and the account: what may be expanded, and what is not made up."""

from __future__ import annotations

import pytest
from emulator.asking import METERS, account

SEED = {
    "meters": [
        {
            "id": "mtr_1",
            "event_name": "seats",
            "display_name": "Seats",
            "default_aggregation": {"formula": "sum"},
        }
    ],
    "prices": [{"id": "price_1", "meter": "mtr_1", "product": "prod_1"}],
    "events": [{"id": "evt_1", "meter": "mtr_1", "type": "billing.meter.created"}],
}
OF_PRICES = (
    *("currency_options", "custom_unit_amount", "product", "recurring"),
    *("tiers", "transform_quantity"),
)


def test_a_product_is_shown_whole_where_it_is_expanded():
    """In lists, alone, and in the answers of writes; else its id."""
    emulated = account(seed=SEED)
    one = "/v1/prices/price_1"
    (listed,) = emulated.get("/v1/prices", expand=["data.product"]).json["data"]
    for price in (
        listed,
        emulated.get(one, expand=["product"]).json,
        emulated.post(one, nickname="n", expand=["product"]).json,
        emulated.post(one, nickname="n", expand=["product"]).json,
    ):
        assert (price["product"]["id"], price["product"]["object"]) == ("prod_1", "product")
    assert emulated.get(one).json["product"] == "prod_1"
    assert emulated.get("/v1/prices").json["data"][0]["product"] == "prod_1"


@pytest.mark.parametrize(
    ("path", "fields", "listed"),
    [
        ("/v1/prices", OF_PRICES, True),
        ("/v1/prices/price_1", OF_PRICES, False),
        ("/v1/events", ("data", "request"), True),
        ("/v1/account", ("controller", "external_accounts", "settings", "tos_acceptance"), False),
        (METERS, ("customer_mapping", "default_aggregation", "status_transitions"), True),
    ],
)
def test_what_may_be_expanded(path, fields, listed):
    """The fields that the specification lists, and no other."""
    emulated = account(seed=SEED)
    emulated.now = 1_735_689_600 + 60  # soon after the seeded event
    for field in fields:
        name = f"data.{field}" if listed else field
        assert emulated.get(path, expand=[name]).status == 200, name
        assert emulated.get(path, expand=[f"{name}.x"]).status == 400
    assert emulated.get(path, expand=["data.x" if listed else "x"]).status == 400
    if path == "/v1/events":
        assert emulated.get(f"{path}/evt_1", expand=["data", "request"]).status == 200


def test_the_account_makes_nothing_up():
    """No settings: the specification wants more of them than an emulator could know."""
    said = account(seed={"account": {"id": "acct_9"}}).get("/v1/account").json
    assert (said["id"], said["object"]) == ("acct_9", "account")
    assert "settings" not in said
