"""`list`: the header of the table, and the prices in use that bill on each meter."""

from __future__ import annotations

import re

import pytest
from cli.world import existing
from published import held

from reconciler.emulator import Key, Settings

METERS = [
    existing("calls", "Calls", "sum", id="mtr_calls"),
    existing("old", "Old", status="inactive", id="mtr_old"),
    existing("seats", "Seats", id="mtr_seats"),
]
SEED = {
    "meters": METERS,
    "prices": [
        {"id": "price_1", "meter": "mtr_seats", "nickname": "Team"},
        {"id": "price_2", "meter": "mtr_seats"},
        {"id": "price_old", "meter": "mtr_old", "active": False, "product": "prod_1"},
        {"id": "price_gone", "meter": "mtr_calls", "active": False},
    ],
    "subscriptions": [
        {"id": "sub_1", "items": [{"price": "price_old"}]},
        {"id": "sub_2", "items": [{"price": "price_gone"}], "status": "canceled"},
    ],
}
PRICE_READS = ("/v1/prices", "/v1/subscriptions")


def billed(ran) -> list[tuple[str, str, bool]] | None:
    """The prices of the only account of a JSON list."""
    (account,) = held(ran.out)["accounts"]
    prices = account["prices"]
    return prices and [(price["meter"], price["id"], price["active"]) for price in prices]


def test_the_table_has_a_header(world, run):
    made = world("", {"meters": METERS[:2]})
    assert run("list", made.folder).out.splitlines()[1:] == [
        "  event_name  status    formula  id         display_name",
        "  calls       active    sum      mtr_calls  Calls",
        "  old         inactive  count    mtr_old    Old",
    ]
    assert "event_name" not in run("list", world().folder).out


def test_prices_in_use_are_below_their_meter(world, run):
    """Archived ones with subscriptions too, since they go on billing."""
    ran = run("list", world("", SEED).folder, "--prices")
    assert ran.code == 0
    lines = re.sub(r"\n      +", " ", ran.out).splitlines()
    calls, nothing, old, archived, seats, *rest = lines[2:]
    assert [line.split()[0] for line in (calls, old, seats)] == ["calls", "old", "seats"]
    assert nothing == "    no prices in use"
    state = "archived price with subscriptions"
    assert archived == f"    price: price_old (0.01 USD per unit, monthly, prod_1; {state})"
    assert sorted(line.split()[1] for line in rest) == ["price_1", "price_2"]
    assert any("(0.01 USD per unit, monthly, Team, prod_" in line for line in rest)


@pytest.mark.parametrize("narrowed", [[], ["--only", "*"]])
def test_prices_are_in_the_json(narrowed, world, run):
    """However they were read, in the order of the meters."""
    made = world("", SEED)
    found = billed(run("list", made.folder, "--prices", "--format", "json", *narrowed))
    assert [meter for meter, _, _ in found] == ["mtr_old", "mtr_seats", "mtr_seats"]
    assert set(found) == {
        ("mtr_old", "price_old", False),
        ("mtr_seats", "price_1", True),
        ("mtr_seats", "price_2", True),
    }


def test_prices_are_read_only_on_request_and_only_of_listed_meters(world, run):
    """Null is not asked for, an empty list is none in use."""
    made = world("", SEED)
    assert billed(run("list", made.folder, "--format", "json")) is None
    assert not [entry for entry in made.server.log if entry.path in PRICE_READS]
    words = ("--prices", "--format", "json", "--only")
    assert billed(run("list", made.folder, *words, "calls")) == []
    assert billed(run("list", made.folder, *words, "old")) == [("mtr_old", "price_old", False)]


def test_unreadable_prices_are_an_error_and_the_meters_are_shown(world, run, monkeypatch):
    monkeypatch.setenv("SANDBOX_KEY", "rk_test_x")
    key = Key("rk_test_x", frozenset({"billing_meter_read"}))
    made = world("", SEED, settings=Settings(keys=(key,)))
    ran = run("list", made.folder, "--prices")
    assert ran.code == 6
    assert "error D101: API key may not read prices (permission: plan_read)" in ran.out
    assert "mtr_seats" in ran.out
    assert "no prices" not in ran.out
    ran = run("list", made.folder, "--prices", "--format", "json")
    assert (billed(ran), held(ran.out)["complete"]) == (None, False)


def test_prices_whose_subscriptions_are_unreadable_say_so(world, run, monkeypatch):
    """They count as in use."""
    monkeypatch.setenv("SANDBOX_KEY", "rk_test_x")
    permissions = frozenset({"billing_meter_read", "plan_read"})
    made = world("", SEED, settings=Settings(keys=(Key("rk_test_x", permissions),)))
    ran = run("list", made.folder, "--prices")
    assert ran.code == 0
    assert "subscription_read" in ran.out
    assert "price_gone" in ran.out
