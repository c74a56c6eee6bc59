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


@pytest.mark.parametrize(
    ("prices", "bills", "advice"),
    {
        "none": ((), "no listed price bills it", ""),
        "on the new": (("mtr_new",), "the price in use on mtr_new bills it", ""),
        "on both": (
            ("mtr_old", "mtr_new", "mtr_new"),
            "the price in use on mtr_old does not bill it, but the 2 prices in use on mtr_new "
            "bill it",
            "; move the subscriptions to prices of mtr_new",
        ),
    }.values(),
    ids=["none", "on the new", "on both"],
)
def test_a_replacement_says_which_prices_bill_its_successor(prices, bills, advice, world, run):
    """The meter that is reactivated may have prices: they bill again, and nothing else does."""
    old = existing("calls", "Calls", "count", id="mtr_old")
    new = existing("calls", "Calls", "sum", id="mtr_new", status="inactive")
    listed = [{"id": f"price_{n}", "meter": meter} for n, meter in enumerate(prices)]
    consent = "retires: [mtr_old], accepts: {prices: [price_0]}" if advice else "retires: [mtr_old]"
    declared = CALLS.replace("calls,", f"calls, {consent},", 1)
    made = world(declared, {"meters": [old, new], "prices": listed})
    said = " ".join(run("plan", made.folder).out.split())
    assert f"is recorded by mtr_new, and {bills};" in said
    assert f"hint: pause usage senders or re-send rejected usage{advice} " in said
    assert ("No prices found on mtr_old." in said) == (not advice)
    audit = run("drift", made.folder, "--format", "json")
    found = account_of(audit)["findings"]
    remedies = {each["code"]: each["remediation"]["text"] for each in found}
    assert set(remedies) == {"D004", *(["D003"] if prices else [])}
    assert all(
        text.endswith("apply " + f"{made.folder} --account sandbox --only calls")
        for text in remedies.values()
    )
    assert run("apply", made.folder, "--yes").code == 0
    assert run("drift", made.folder).code == 0


@pytest.mark.parametrize("price", ["gold-monthly", "Gold plan 2", "2024-01-01", "no", "a, b: {c}"])
def test_the_consent_to_copy_is_accepted_whatever_the_id(price, world, run):
    """The ids of plans are chosen by their authors, and a plan is also a price."""
    meters = [existing("calls", "Calls", "sum", id="mtr-c.1")]
    made = world(
        CALLS.replace("calls,", "calls, status: inactive,", 1),
        {"meters": meters, "prices": [{"id": price, "meter": "mtr-c.1"}]},
    )
    ran = run("plan", made.folder, "--format", "json")
    (said,) = [d for d in account_of(ran)["diagnostics"] if d["code"] == "G004"]
    consent = said["hint"].partition("`")[2].partition("`")[0]
    made.write(CALLS.replace("calls,", f"calls, status: inactive, {consent},", 1))
    assert run("apply", made.folder, "--yes").code == 0
    other = CALLS.replace("formula: sum", "formula: count")
    made.write(other.replace("calls,", "calls, retires: [mtr-c.1],", 1))
    assert run("validate", made.folder).code == 0


def test_prices_of_a_refused_replacement_have_a_remedy_of_their_own(world, run):
    """The command that would make them bill again is not one that is refused."""
    old = existing("calls", "Calls", "count", id="mtr_old")
    new = existing("calls", "Calls", "sum", id="mtr_new", status="inactive")
    prices = [{"id": "price_o", "meter": "mtr_old"}, {"id": "price_n", "meter": "mtr_new"}]
    declared = CALLS.replace("calls,", "calls, retires: [mtr_old],", 1)
    made = world(declared, {"meters": [old, new], "prices": prices})
    assert run("apply", made.folder, "--yes").code == 3
    found = account_of(run("drift", made.folder, "--format", "json"))["findings"]
    (remedy,) = [each["remediation"] for each in found if each["code"] == "D003"]
    assert remedy["text"].startswith('accepts: {prices: ["price_n"]}  # to give them up; or move')
