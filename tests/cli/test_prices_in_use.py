"""Prices in use: active ones, and archived ones with a subscription that goes on."""

from __future__ import annotations

from functools import partial

import pytest
from cli.world import CALLS, RETIRED, SEATS, existing
from published import held

from reconciler.emulator import Key, Phase, Settings

SEAT = existing("seats", "Seats", id="mtr_seats")
ODD = existing("seats", "Seats", "sum", id="mtr_odd")
REPLACED = SEATS.replace("seats,", "seats, retires: [mtr_odd],")
OWNING = "{undeclared: deactivate, owns: ['*']}"
NOTE = "No prices found. Inline prices cannot be listed and may still use this meter."
CASES = {
    "deactivated": (RETIRED, SEAT, "{}"),
    "replaced": (REPLACED, ODD, "{}"),
    "undeclared": (CALLS, SEAT, OWNING),
}


def account(*meters, status="active", **subscription):
    """These meters, and on the first an archived price with one subscription."""
    price = {"id": "price_old", "meter": meters[0]["id"], "active": False}
    sold = {"id": "sub_1", "status": status, "items": [{"price": "price_old"}], **subscription}
    return {"meters": list(meters), "prices": [price], "subscriptions": [sold]}


def changed(ran, name="seats"):
    """The change of a name in a JSON report, and the diagnostics about it."""
    (entry,) = held(ran.out)["accounts"]
    (change,) = (each for each in entry["changes"] if each["event_name"] == name)
    return change, [each for each in entry["diagnostics"] if each["event_name"] == name]


@pytest.mark.parametrize("case", CASES)
def test_an_archived_price_with_subscriptions_refuses_a_deactivation(case, world, run):
    """Archiving a price stops new subscriptions only; the change is refused, and says why."""
    meters, meter, policy = CASES[case]
    made = world(meters, account(meter), policy=policy)
    ran = run("apply", made.folder, "--yes", "--format", "json")
    change, (refusal, *_) = changed(ran)
    assert (ran.code, change["refused_by"], change["risk"]) == (3, ["G004"], "revenue")
    said = "'seats' has prices in use: price_old (archived price with subscriptions)"
    assert refusal["message"] == said
    assert "accepts: {prices: [price_old]}" in refusal["hint"]
    (price,) = change["prices"]
    assert (price["id"], price["active"], price["missing_permission"]) == ("price_old", False, None)
    assert made.posts() == []


@pytest.mark.parametrize("out", ["text", "markdown", "html", "junit", "sarif", "github", "json"])
def test_every_format_says_why_an_archived_price_counts(out, world, run):
    made = world(RETIRED, account(SEAT))
    ran = run("plan", made.folder, "--format", out)
    assert ran.code == 3
    assert "price_old (archived price with subscriptions)" in " ".join(ran.out.split())


@pytest.mark.parametrize("case", ["deactivated", "replaced"])
def test_consent_that_names_the_archived_price_is_enough(case, world, run):
    meters, meter, _ = CASES[case]
    made = world(meters.replace("seats,", "seats, accepts: {prices: [price_old]},"), account(meter))
    assert run("apply", made.folder, "--yes").code == 0
    assert f"/v1/billing/meters/{meter['id']}/deactivate" in made.posts()


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("status", ["canceled", "incomplete_expired"])
def test_an_archived_price_without_subscriptions_does_not_count(case, status, world, run):
    """Nothing is listed then, which is said: inline prices never are."""
    meters, meter, policy = CASES[case]
    made = world(meters, account(meter, status=status), policy=policy)
    ran = run("plan", made.folder, "--format", "json")
    change, notes = changed(ran)
    assert (ran.code, change["prices"], change["risk"]) == (0, [], "high")
    assert [each["message"] for each in notes if each["code"] == "P108"] == [f"'seats': {NOTE}"]
    assert run("apply", made.folder, "--yes").code == 0


@pytest.mark.parametrize("out", ["text", "markdown", "html", "junit", "sarif", "github", "json"])
@pytest.mark.parametrize("case", ["deactivated", "replaced"])
def test_every_format_says_that_inline_prices_are_not_listed(case, out, world, run):
    meters, meter, _ = CASES[case]
    made = world(meters, {"meters": [meter]})
    ran = run("plan", made.folder, "--format", out)
    assert ran.code == 0
    assert NOTE in " ".join(ran.out.split())


def test_a_priced_deactivation_does_not_say_that_there_are_no_prices(world, run):
    made = world(RETIRED.replace("seats,", "seats, accepts: {prices: [price_old]},"), account(SEAT))
    ran = run("plan", made.folder, "--format", "json")
    change, notes = changed(ran)
    assert (ran.code, change["action"], change["prices"][0]["id"]) == (0, "deactivate", "price_old")
    assert "P108" not in [each["code"] for each in notes]


def test_of_two_inactive_meters_the_one_with_customers_is_reactivated(world, run):
    """Its price is archived, and the other meter was deactivated later."""
    inactive = {**SEAT, "status": "inactive", "updated": 1_700_000_000}
    later = {**inactive, "id": "mtr_later", "updated": 1_700_009_000}
    made = world(SEATS, account(inactive, later))
    ran = run("apply", made.folder, "--yes", "--format", "json")
    change, _ = changed(ran)
    assert (ran.code, change["action"], change["meter_id"]) == (0, "reactivate", "mtr_seats")
    assert made.posts() == ["/v1/billing/meters/mtr_seats/reactivate"]


def test_an_archived_price_on_an_inactive_meter_that_differs_blocks_a_create(world, run):
    made = world(SEATS, account({**ODD, "status": "inactive"}))
    ran = run("plan", made.folder, "--format", "json")
    change, (error,) = changed(ran)
    assert (ran.code, change["action"], error["code"]) == (3, "blocked", "P002")
    assert "price_old (archived price with subscriptions) on mtr_odd" in error["message"]


@pytest.mark.parametrize("case", CASES)
def test_where_subscriptions_may_not_be_read_an_archived_price_counts(
    case, world, run, monkeypatch
):
    """The message names the permission that would tell."""
    meters, meter, policy = CASES[case]
    key = Key("rk_test_x", frozenset({"billing_meter_write", "plan_read"}))
    seed = account(meter, status="canceled")
    made = world(meters, seed, policy=policy, settings=Settings(keys=(key,)))
    monkeypatch.setenv("SANDBOX_KEY", key.secret)
    ran = run("plan", made.folder, "--format", "json")
    change, (refusal, *_) = changed(ran)
    assert (ran.code, change["refused_by"]) == (3, ["G004"])
    said = "archived price, whose subscriptions may not be read (permission: subscription_read)"
    assert said in refusal["message"]
    assert refusal["hint"].endswith(
        "`; with the permission subscription_read, "
        "archived prices without subscriptions do not count"
    )
    assert change["prices"][0]["missing_permission"] == "subscription_read"


def test_a_saved_plan_is_refused_when_its_price_is_in_use_by_now(world, run):
    """At the time of the plan no subscription was left; archived since, with customers."""
    made = world(RETIRED, account(SEAT, status="canceled"))
    plan = made.folder / "plan.json"
    assert run("plan", made.folder, "--save", plan).code == 0
    held_ = made.server.state.ledger.subscriptions
    held_["sub_1"] = {**held_["sub_1"], "status": "past_due"}
    ran = run("apply", made.folder, "--plan", plan, "--format", "json")
    assert (ran.code, changed(ran)[0]["refused_by"]) == (3, ["G004"])
    assert made.posts() == []


def test_a_price_that_was_archived_since_the_plan_keeps_its_meter_active(world, run):
    """Attached and archived while other changes were applied."""
    made = world(f"{CALLS}\n{RETIRED}", account(SEAT, status="canceled"))

    ledger = made.server.state.ledger.subscriptions
    subscribed = made.at(lambda: ledger.update(sub_1={**ledger["sub_1"], "status": "active"}))
    ran = run("apply", made.folder, "--yes", "--format", "json")
    change, _ = changed(ran)
    assert (ran.code, change["result"]["status"]) == (5, "stale")
    assert change["result"]["error"]["code"] == "A012"
    said = "a new price is in use on it: price_old (archived price with subscriptions)"
    assert said in change["result"]["error"]["message"]
    assert made.posts() == subscribed == ["/v1/billing/meters"]


@pytest.mark.parametrize("case", ["deactivated", "replaced"])
def test_the_meter_is_read_before_its_prices(case, world, run):
    """The last requests before a deactivation are those for its prices."""
    meters, meter, _ = CASES[case]
    made = world(meters, account(meter, status="canceled"))
    assert run("apply", made.folder, "--yes").code == 0
    asked = [(entry.method, entry.path) for entry in made.server.log]
    at = asked.index(("POST", f"/v1/billing/meters/{meter['id']}/deactivate"))
    assert asked[at - 4 : at] == [
        ("GET", f"/v1/billing/meters/{meter['id']}"),
        ("GET", "/v1/prices"),
        ("GET", "/v1/prices"),
        ("GET", "/v1/subscriptions"),
    ]


def attach(made, meter, **more):
    """Attach a price to a meter just before the next deactivation takes effect."""
    recurring = {"interval": "month", "usage_type": "metered", "meter": meter}
    asked = {"currency": "usd", "unit_amount": 1, "recurring": recurring}
    asked["product_data"] = {"name": "Seats"}
    made.at(lambda: made.server.edit("/v1/prices", asked | more), path="/deactivate")


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("saved", [False, True])
def test_a_price_that_comes_between_the_check_and_the_deactivation_is_reported(
    case, saved, world, run
):
    """The verification reads the prices once more; the meter is inactive, and the exit code 5."""
    meters, meter, policy = CASES[case]
    made = world(meters, {"meters": [meter]}, policy=policy)
    plan = made.folder / "plan.json"
    assert run("plan", made.folder, "--save", plan).code == 0
    attach(made, meter["id"], nickname="Late")
    how = ["--plan", plan] if saved else ["--yes"]
    ran = run("apply", made.folder, *how, "--format", "json")
    change, notes = changed(ran)
    assert (ran.code, change["result"]["status"]) == (5, "done")
    (error,) = (each for each in notes if each["level"] == "error")
    (price,) = made.server.state.ledger.prices
    assert error["code"] == "A104"
    came = f"a price came into use on {meter['id']} while it was deactivated"
    assert came in error["message"]
    assert price in error["message"]
    assert not [each for each in held(ran.out)["accounts"][0]["diagnostics"]
                if each["code"] == "A101"]  # fmt: skip
    if case == "deactivated":
        made.write(SEATS)
        assert run("apply", made.folder, "--yes").code == 0
        assert made.server.state.ledger.meters["mtr_seats"]["status"] == "active"


def test_an_accepted_price_is_no_news_to_the_verification(world, run):
    made = world(RETIRED.replace("seats,", "seats, accepts: {prices: [price_old]},"), account(SEAT))
    ran = run("apply", made.folder, "--yes", "--format", "json")
    (entry,) = held(ran.out)["accounts"]
    assert (ran.code, [each["code"] for each in entry["diagnostics"]]) == (0, ["A101"])
    assert len(made.server.log.matching("GET", "/v1/subscriptions")) == 3


def test_prices_that_cannot_be_read_again_are_not_called_verified(world, run):
    """The key lost its permission during the run."""
    made = world(RETIRED, {"meters": [SEAT]})
    few = Settings(keys=(Key("sk_test_emulator", frozenset({"billing_meter_write"})),))
    revoke = partial(setattr, made.server.state, "settings", few)
    made.at(revoke, path="/deactivate", phase=Phase.AFTER)
    ran = run("apply", made.folder, "--yes", "--format", "json")
    (entry,) = held(ran.out)["accounts"]
    (error,) = (each for each in entry["diagnostics"] if each["level"] == "error")
    assert (ran.code, error["code"]) == (5, "A103")
    assert "permission: plan_read" in error["message"]


def found(ran):
    """The kind and severity of each finding, with the ids of its prices."""
    (entry,) = held(ran.out)["accounts"]
    return [
        (each["kind"], each["severity"], [price["id"] for price in each["prices"]])
        for each in entry["findings"]
    ]


OLD = ["price_old"]
DRIFT = {
    "inactive beside an active one": (
        SEATS,
        [{**SEAT, "id": "mtr_2", "status": "inactive"}, SEAT],
        [("price_on_inactive", "revenue", OLD)],
    ),
    "declared inactive": (
        RETIRED,
        [{**SEAT, "status": "inactive"}],
        [("price_on_inactive", "revenue", OLD)],
    ),
    "undeclared": (CALLS, [SEAT, existing("calls", "Calls", "sum", id="mtr_calls")],
                   [("price_on_undeclared", "high", OLD)]),
    "undeclared and inactive": (
        CALLS,
        [{**SEAT, "status": "inactive"}, existing("calls", "Calls", "sum", id="mtr_calls")],
        [("price_on_inactive", "revenue", OLD)],
    ),
    "still active": (RETIRED, [SEAT], [("running", "low", OLD)]),
    "differs": (SEATS, [ODD], [("differs", "high", OLD)]),
    "missing": (SEATS, [{**SEAT, "status": "inactive"}], [("inactive", "revenue", OLD)]),
}  # fmt: skip


@pytest.mark.parametrize("case", DRIFT)
def test_drift_finds_archived_prices_with_subscriptions(case, world, run):
    meters, seed, expected = DRIFT[case]
    made = world(meters, account(*seed))
    ran = run("drift", made.folder, "--format", "json")
    assert (ran.code, found(ran)) == (2, expected)
    assert "price_old (archived price with subscriptions)" not in ran.out  # facts, not sentences
    text = " ".join(run("drift", made.folder).out.split())
    assert "archived price with subscriptions" in text


WITHOUT_SUBSCRIPTIONS = {
    "inactive beside an active one": [],
    "declared inactive": [],
    "undeclared": ["unmanaged"],
    "undeclared and inactive": [],
}


@pytest.mark.parametrize("case", DRIFT)
def test_drift_ignores_archived_prices_without_subscriptions(case, world, run):
    """What else there is to find is still found."""
    meters, seed, (found_with_them,) = DRIFT[case]
    made = world(meters, account(*seed, status="canceled"))
    findings = found(run("drift", made.folder, "--format", "json"))
    assert made.server.log.matching("GET", "/v1/subscriptions")
    kinds = WITHOUT_SUBSCRIPTIONS.get(case, [found_with_them[0]])
    assert [(kind, prices) for kind, _, prices in findings] == [(kind, []) for kind in kinds]


def test_drift_accepts_an_archived_price_that_the_file_names(world, run):
    made = world(
        RETIRED.replace("seats,", "seats, accepts: {prices: [price_old]},"),
        account({**SEAT, "status": "inactive"}),
    )
    assert run("drift", made.folder).code == 0


def test_drift_names_the_permission_without_which_an_archived_price_counts(world, run, monkeypatch):
    key = Key("rk_test_x", frozenset({"billing_meter_read", "plan_read", "event_read"}))
    seed = account({**SEAT, "status": "inactive"}, status="canceled")
    made = world(RETIRED, seed, settings=Settings(keys=(key,)))
    monkeypatch.setenv("SANDBOX_KEY", key.secret)
    ran = run("drift", made.folder)
    assert ran.code == 2
    assert "permission: subscription_read" in " ".join(ran.out.split())


def test_drift_does_not_read_archived_prices_of_meters_as_declared(world, run):
    """One list of active prices, and nothing for a meter that needs no change."""
    made = world(SEATS, account(SEAT))
    assert run("drift", made.folder).code == 0
    (asked,) = made.server.log.matching("GET", "/v1/prices")
    assert asked.params["active"] == "true"
    assert not made.server.log.matching("GET", "/v1/subscriptions")
