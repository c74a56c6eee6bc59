"""The amount of a price in words, as plans and findings show it."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from reconciler.model.price import Price
from reconciler.planning.prices import describe_amount, describe_price

PRICE = Price("price_1", "mtr_1", currency="usd", unit_amount="1", interval="month")


@pytest.mark.parametrize(
    ("more", "text"),
    [
        ({}, "0.01 USD per unit, monthly"),
        ({"unit_amount": "2500"}, "25.00 USD per unit, monthly"),
        ({"unit_amount": "0.0125"}, "0.000125 USD per unit, monthly"),
        ({"unit_amount": "0"}, "0.00 USD per unit, monthly"),
        ({"currency": "jpy", "unit_amount": "100"}, "100 JPY per unit, monthly"),
        ({"currency": "kwd", "unit_amount": "1500"}, "1.500 KWD per unit, monthly"),
        ({"divide_by": 1000}, "0.01 USD per 1,000 units, monthly"),
        ({"unit_amount": None}, "USD by tiers, monthly"),
        ({"interval": "year"}, "0.01 USD per unit, yearly"),
        ({"interval_count": 3}, "0.01 USD per unit, every 3 months"),
        ({"interval": "fortnight"}, "0.01 USD per unit, every fortnight"),
        ({"interval": None}, "0.01 USD per unit"),
        ({"currency": None}, ""),
    ],
)
def test_an_amount_is_in_whole_units_of_its_currency(more, text):
    assert describe_amount(replace(PRICE, **more)) == text


@pytest.mark.parametrize(
    ("more", "text"),
    [
        ({}, "price_1 (0.01 USD per unit, monthly)"),
        ({"nickname": "Seat", "product": "prod_1", "currency": None}, "price_1 (Seat, prod_1)"),
        ({"currency": None}, "price_1"),
        ({"currency": None, "active": False}, "price_1 (archived price with subscriptions)"),
        (
            {"active": False},
            "price_1 (0.01 USD per unit, monthly; archived price with subscriptions)",
        ),
        (
            {"active": False, "currency": None, "missing_permission": "plan_read"},
            "price_1 (archived price, whose subscriptions may not be read (permission: plan_read))",
        ),
    ],
)
def test_a_price_is_named_with_what_is_known_of_it(more, text):
    assert describe_price(replace(PRICE, **more)) == text
