"""`prices:` in a meter file: what drift expects to bill on each meter, through real HTTP."""

from __future__ import annotations

import pytest
from cli.conftest import KEY
from cli.world import CALLS, SEATS, account_of, existing

from reconciler.emulator import Key, Settings
from reconciler.render import FORMATS

BOTH = {"meters": [existing("seats", "Seats"), existing("calls", "Calls", "sum")]}


def expecting(prices: str, entry: str = SEATS) -> str:
    return entry.replace("}}", f"}}, prices: {prices}}}")


def price(key: str, meter: str = "seats", **more: object) -> dict[str, object]:
    return {"id": f"price_{key}", "meter": meter, "product": "prod_A", "lookup_key": key, **more}


def kinds(ran) -> list[tuple[str, str]]:
    return [(each["kind"], each["severity"]) for each in account_of(ran)["findings"]]


@pytest.mark.parametrize(
    ("expected", "prices", "found"),
    [
        ("required", [], [("no_price", "high")]),
        ("required", [price("a")], []),
        ("required", [price("a", "calls")], [("no_price", "high")]),
        ("required", [price("a", active=False)], [("no_price", "high")]),
        ("none", [], []),
        ("none", [price("a")], [("unexpected_price", "high")]),
        ("none", [price("a", active=False)], []),
        ("[{lookup_key: a}]", [price("a")], []),
        ("[{lookup_key: a}]", [price("a"), price("b")], []),
        ("[{lookup_key: a}]", [price("b")], [("price_missing", "revenue")]),
        ("[{lookup_key: a}]", [price("a", active=False)], [("price_missing", "revenue")]),
        ("[{lookup_key: a}]", [price("a", "calls")], [("price_on_other_meter", "revenue")]),
        (
            "[{lookup_key: a}, {lookup_key: b}]",
            [price("b", "calls")],
            [("price_missing", "revenue"), ("price_on_other_meter", "revenue")],
        ),
    ],
)
def test_an_expectation_is_compared_with_the_prices(expected, prices, found, world, run):
    made = world(f"{expecting(expected)}\n{CALLS}", {**BOTH, "prices": prices})
    ran = run("drift", made.folder, "--format", "json")
    assert kinds(ran) == found
    assert ran.code == (2 if found else 0)
    assert made.posts() == []


def test_an_archived_price_with_a_subscription_is_a_price(world, run):
    """It bills usage, although new subscriptions cannot use it."""
    seed = {
        **BOTH,
        "prices": [price("a", active=False)],
        "customers": [{"id": "cus_1"}],
        "subscriptions": [{"customer": "cus_1", "items": [{"price": "price_a"}]}],
    }
    made = world(f"{expecting('required')}\n{CALLS}", seed)
    assert run("drift", made.folder).code == 0


def test_nothing_more_is_requested_where_every_expectation_is_met(world, run):
    """The one listing of active prices answers them."""
    seed = {**BOTH, "prices": [price("a"), price("b", "calls")]}
    plain = world(f"{SEATS}\n{CALLS}", seed)
    run("drift", plain.folder)
    made = world(f"{expecting('[{lookup_key: a}]')}\n{expecting('required', CALLS)}", seed)
    assert run("drift", made.folder).code == 0
    assert len(made.server.log) == len(plain.server.log)


def test_no_price_is_called_missing_where_prices_may_not_be_read(world, run):
    may = Key(KEY, frozenset({"billing_meter_read", "event_read"}))
    settings = Settings(keys=(may,))
    made = world(f"{expecting('required')}\n{CALLS}", BOTH, settings=settings)
    ran = run("drift", made.folder, "--format", "json")
    assert ran.code == 6
    assert kinds(ran) == []
    assert [each["code"] for each in account_of(ran)["diagnostics"]] == ["D101"]


def test_defaults_and_overrides_set_an_expectation(world, run):
    """The default of the file, replaced by an override, which the message names."""
    made = world(f"{SEATS}\n{CALLS}", {**BOTH, "prices": [price("a")]})
    meters = (made.folder / "meters.yaml").read_text("utf-8")
    made.file("meters.yaml", meters.replace("meters:", "defaults: {prices: required}\nmeters:", 1))
    ran = run("drift", made.folder, "--format", "json")
    assert kinds(ran) == [("no_price", "high")]
    override = "overrides: [{event_name: calls, prices: [{lookup_key: nowhere}]}]\n"
    made.file("meters.yaml", (made.folder / "meters.yaml").read_text("utf-8") + override)
    ran = run("drift", made.folder, "--format", "json")
    assert kinds(ran) == [("price_missing", "revenue")]
    (finding,) = account_of(ran)["findings"]
    assert "(override at " in finding["message"]
    assert "'nowhere'" in finding["message"]


def test_nothing_is_expected_of_a_retired_meter(world, run):
    retired = expecting("required").replace("seats,", "seats, status: inactive,")
    made = world(f"{retired}\n{CALLS}", {"meters": [existing("calls", "Calls", "sum")]})
    assert run("drift", made.folder).code == 0


def test_an_archived_price_is_activated_by_the_command(world, run):
    seed = {**BOTH, "prices": [price("a", active=False)]}
    made = world(f"{expecting('[{lookup_key: a}]')}\n{CALLS}", seed)
    (finding,) = account_of(run("drift", made.folder, "--format", "json"))["findings"]
    assert finding["remediation"] == {
        "kind": "command",
        "text": "stripe post /v1/prices/price_a -d active=true",
    }
    made.server.edit("/v1/prices/price_a", {"active": "true"})
    assert run("drift", made.folder).code == 0


@pytest.mark.parametrize("format_", FORMATS)
def test_every_format_shows_the_lookup_key(format_, world, run):
    made = world(f"{expecting('[{lookup_key: seats_yearly}]')}\n{CALLS}", BOTH)
    ran = run("drift", made.folder, "--format", format_)
    assert ran.code == 2
    assert "seats_yearly" in ran.out.replace("\\_", "_")


def test_an_exemption_covers_an_expectation(world, run):
    made = world(f"{expecting('required')}\n{CALLS}", BOTH)
    project = (made.folder / "reconciler.yaml").read_text("utf-8")
    entry = '{event_name: seats, kind: no_price, reason: "beta", until: "2027-12-31"}'
    made.file("reconciler.yaml", f"{project}ignore: [{entry}]\n")
    assert run("drift", made.folder).code == 0
