"""A blocked change: which prices consent would strand, and what consent has to name."""

from __future__ import annotations

import re

import pytest
from cli.world import RETIRED, SEATS, existing
from published import held

from reconciler.emulator import Key, Settings

OLD = existing("seats", "Seats", "sum", id="mtr_old")
SAME = existing("seats", "Seats", id="mtr_same", status="inactive")
ODD = existing("seats", "Seats", "last", id="mtr_odd", status="inactive")
NO_PRICE = "creating a new meter, which no existing price uses: `retires: [mtr_old]`"
BOTH = "`retires: [mtr_old]` and `accepts: {prices: [price_2, price_1]}`"
ACCOUNTS = {
    "no price": (SEATS, [OLD], {}, NO_PRICE),
    "two prices": (SEATS, [OLD], {"mtr_old": 2}, BOTH),
    "a same inactive meter": (
        *(SEATS, [OLD, SAME], {"mtr_old": 1}),
        "reactivating mtr_same, which has the declared settings: `retires: [mtr_old]` and `accepts",
    ),
    "a same inactive meter with a price": (
        *(SEATS, [OLD, SAME, {**SAME, "id": "mtr_2"}], {"mtr_same": 1}),
        "reactivating mtr_same, which has the declared settings: `retires: [mtr_old]`",
    ),
    "a price on a different inactive meter": (
        *(SEATS, [OLD, ODD], {"mtr_odd": 1, "mtr_old": 1}),
        "`retires: [mtr_old, mtr_odd]` and `accepts: {prices: [price_2]}`",
    ),
    "two inactive meters with prices": (
        *(SEATS, [OLD, SAME, ODD], {"mtr_same": 1, "mtr_odd": 1}),
        "(without the inactive meter to be reactivated)",
    ),
    "to be retired": (RETIRED, [OLD], {"mtr_old": 2}, BOTH),
}


def priced(on):
    """So many active prices on each meter, numbered through."""
    meters = [meter for meter, count in on.items() for _ in range(count)]
    return [{"id": f"price_{n}", "meter": meter} for n, meter in enumerate(meters, 1)]


def blocked(ran):
    """The one line of a JSON report, and what is said of it."""
    (account,) = held(ran.out)["accounts"]
    (line,) = account["changes"]
    (diagnostic,) = account["diagnostics"]
    assert (line["action"], diagnostic["code"]) in (("blocked", "P001"), ("blocked", "P005"))
    return line, diagnostic


@pytest.mark.parametrize("case", ACCOUNTS)
def test_the_consent_that_is_proposed_is_all_that_it_takes(case, world, run):
    """The prices are on the line; with the proposed keys the next plan is neither blocked nor
    refused, and applies.
    """
    meters, seed, on, hint = ACCOUNTS[case]
    made = world(meters, {"meters": seed, "prices": priced(on)})
    ran = run("plan", made.folder, "--format", "json")
    line, diagnostic = blocked(ran)
    assert ran.code == 3
    assert hint in diagnostic["hint"]
    stranded = {each["id"] for each in line["prices"] if each["meter"] == "mtr_old"}
    assert len(stranded) == on.get("mtr_old", 0)
    assert all(price in diagnostic["message"] for price in stranded)

    keys = ", ".join(re.findall(r"`((?:retires|accepts): .*?)`", diagnostic["hint"]))
    made.write(meters.replace("seats,", f"seats, {keys},"))
    ran = run("apply", made.folder, "--yes")
    assert ran.code == 0, ran.out


@pytest.mark.parametrize(
    ("declared", "hint"),
    [
        (
            SEATS,
            "declare the settings of mtr_old, or consent to deactivating it and creating a new "
            "meter, which no existing price uses: `retires: [mtr_old]`",
        ),
        (
            RETIRED,
            "declare the settings of mtr_old, or consent to deactivating it: `retires: [mtr_old]`",
        ),
    ],
)
def test_every_immutable_field_that_differs_is_named(declared, hint, world, run):
    made = world(declared, {"meters": [{**OLD, "event_time_window": "day"}]})
    _, diagnostic = blocked(run("plan", made.folder, "--format", "json"))
    assert diagnostic["message"] == (
        "'seats' differs in an immutable field: default_aggregation.formula: 'sum' -> 'count'; "
        "event_time_window: 'day' -> None"
    )
    assert diagnostic["hint"] == hint


def test_unreadable_prices_do_not_refuse_a_blocked_change(world, run, monkeypatch):
    """The message names the permission; the change is blocked, not refused."""
    key = Key("rk_test_x", frozenset({"billing_meter_read"}))
    made = world(SEATS, {"meters": [OLD]}, settings=Settings(keys=(key,)))
    monkeypatch.setenv("SANDBOX_KEY", key.secret)
    line, diagnostic = blocked(run("plan", made.folder, "--format", "json"))
    assert (line["prices"], line["refused_by"]) == ([], [])
    assert "could not be read (permission: " in diagnostic["message"]
    assert "and `accepts: {prices: [...]}` with the prices in use" in diagnostic["hint"]


def test_the_prices_of_many_meters_are_read_from_one_list(world, run):
    """One listing instead of a request for each meter; prices of other meters are ignored."""
    names = [f"seats{n}" for n in range(120)]
    meters = [{**OLD, "event_name": name, "id": f"mtr_{name}"} for name in [*names, "else"]]
    prices = [{"id": f"price_{n}", "meter": f"mtr_{n}"} for n in ("seats7", "else")]
    declared = "\n".join(SEATS.replace("seats", name) for name in names)
    made = world(declared, {"meters": meters, "prices": prices})
    ran = run("plan", made.folder, "--format", "json")
    changes = held(ran.out)["accounts"][0]["changes"]
    assert {each["event_name"]: len(each["prices"]) for each in changes if each["prices"]} == {
        "seats7": 1
    }
    assert len(made.server.log) <= 9


@pytest.mark.parametrize(
    ("given", "asked"),
    [
        ("retires: [mtr_x], accepts: {prices: [price_x]}", {"price_x", "price_1", "price_2"}),
        ("retires: [mtr_x], accepts: {prices: [price_2]}", {"price_1", "price_2"}),
        ("retires: [mtr_x], accepts: {prices: [price_1, price_2]}", set()),
    ],
)
@pytest.mark.parametrize("meters", [SEATS, RETIRED], ids=["active", "inactive"])
def test_consent_that_was_given_is_repeated_and_not_asked_for_again(
    meters, given, asked, world, run
):
    """A list replaces the one in the file; nothing is asked for where nothing is missing."""
    seed = {"meters": [OLD], "prices": priced({"mtr_old": 2})}
    made = world(meters.replace("seats,", f"seats, {given},"), seed)
    _, diagnostic = blocked(run("plan", made.folder, "--format", "json"))
    lists = re.findall(r"`(retires: \[|accepts: \{prices: \[)([^]]*)", diagnostic["hint"])
    found = {key.partition(":")[0]: set(ids.split(", ")) for key, ids in lists}
    assert found == {"retires": {"mtr_x", "mtr_old"}, **({"accepts": asked} if asked else {})}
