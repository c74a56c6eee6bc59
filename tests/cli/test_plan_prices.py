"""What a plan shows of the prices on the meters that it changes, in every format."""

from __future__ import annotations

import pytest
from cli.conftest import KEY
from cli.world import CALLS, SEATS, account_of, existing

from reconciler.emulator import Key, Settings

SEED = {
    "meters": [existing("seats", "Chairs"), existing("calls", "Calls", "sum")],
    "prices": [
        {"id": "price_s", "meter": "seats", "lookup_key": "seats_monthly", "product": "prod_S"},
        {"id": "price_c", "meter": "calls", "product": "prod_C"},
    ],
}
RENAMED = f"{SEATS}\n{CALLS}"


def prices(ran) -> dict[str, tuple[list[str], object]]:
    return {
        each["event_name"]: ([p["id"] for p in each["prices"]], each.get("prices_read"))
        for each in account_of(ran)["changes"]
    }


@pytest.mark.parametrize("format_", ["text", "markdown", "html"])
def test_the_prices_of_a_changed_meter_are_shown(format_, world, run):
    """With lookup key, amount and interval; those of other meters are not."""
    ran = run("plan", world(RENAMED, SEED).folder, "--format", format_)
    assert ran.code == 0
    shown = " ".join(ran.out.replace("\\", "").split())
    assert "seats_monthly" in shown
    assert "0.01 USD per unit, monthly" in shown
    assert "price_c" not in shown


def test_json_tells_read_prices_from_unread_ones(world, run):
    ran = run("plan", world(RENAMED, SEED).folder, "--format", "json")
    assert prices(ran) == {"seats": (["price_s"], True), "calls": ([], None)}
    ran = run("plan", world(RENAMED, SEED).folder, "--prices", "--format", "json")
    assert prices(ran) == {"seats": (["price_s"], True), "calls": (["price_c"], True)}


def test_with_prices_unchanged_meters_are_shown_too(world, run):
    made = world(RENAMED, SEED)
    out = run("plan", made.folder, "--prices").out
    assert "calls  unchanged" in out
    assert "prices: price_c" in out
    assert "calls" not in run("plan", made.folder).out


def test_a_plan_without_changes_reads_no_prices(world, run):
    made = world(RENAMED.replace("Seats,", "Chairs,"), SEED)
    assert run("plan", made.folder).code == 0
    assert made.server.log.matching(path="/v1/prices") == []


def test_a_key_that_may_not_read_prices_plans_all_the_same(world, run):
    """The change says what is not known, and with which permission it would be."""
    settings = Settings(keys=(Key(KEY, frozenset({"billing_meter_read"})),))
    made = world(RENAMED, SEED, settings=settings)
    ran = run("plan", made.folder)
    assert ran.code == 0
    assert "prices: not readable (permission: plan_read)" in ran.out
    ran = run("plan", made.folder, "--format", "json")
    assert prices(ran)["seats"] == ([], False)


def test_no_prices_is_said_where_they_were_read(world, run):
    made = world(RENAMED, {"meters": SEED["meters"]})
    for format_ in ("text", "markdown", "html"):
        assert "none listed" in run("plan", made.folder, "--format", format_).out, format_


def test_prices_on_several_meters_are_listed_by_meter(world, run):
    old = existing("seats", "Seats", "sum", id="mtr_old")
    off = existing("seats", "Seats", id="mtr_off", status="inactive")
    on = [{"id": f"price_{meter}", "meter": f"mtr_{meter}"} for meter in ("old", "off")]
    made = world(SEATS, {"meters": [old, off], "prices": on})
    out = run("plan", made.folder).out
    assert "prices: on mtr_old: price_old (" in out
    assert "prices: on mtr_off: price_off (" in out
