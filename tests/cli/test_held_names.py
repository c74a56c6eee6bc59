"""A name that an inactive meter holds, and remedies that neither fail again nor cost revenue."""

from __future__ import annotations

import re
import shlex

import pytest
import yaml
from cli.world import CALLS, RETIRED, SEATS, account_of, existing

from reconciler.emulator import Key, Settings

HELD = Settings(name_scope="all")
ODD = existing("seats", "Seats", "sum", id="mtr_odd", status="inactive")
SAME = existing("seats", "Seats", id="mtr_same", status="inactive")
OLD = existing("seats", "Seats", "sum", id="mtr_old")
ACTIVE = existing("seats", "Seats", id="mtr_seats")
PRICES = [{"id": "price_1", "meter": "mtr_seats"}]


def finding_of(ran):
    """The one finding of a JSON report."""
    (finding,) = account_of(ran)["findings"]
    return finding


def edit(entry, text):
    """A declaration with the edit that a remedy or a hint names; its comments are left out."""
    declared, changed = yaml.safe_load(entry), yaml.safe_load(text)
    return yaml.safe_dump({**declared, **changed}, default_flow_style=True, width=9999).strip()


CREATES = {
    "one with other settings": (SEATS, [ODD]),
    "two with other settings": (
        *(SEATS, [{**ODD, "id": "mtr_a", "default_aggregation": {"formula": "last"}}, ODD]),
    ),
    "the same, given up": (SEATS.replace("seats,", "seats, retires: [mtr_same],"), [SAME]),
}


@pytest.mark.parametrize("case", CREATES)
def test_a_refused_create_says_what_holds_the_name_and_how_to_use_it(case, world, run):
    """The hint leads out: with its edit, apply reactivates the meter, and no drift is left."""
    declared, seed = CREATES[case]
    made = world(f"{declared}\n{CALLS}", {"meters": seed}, settings=HELD)
    ran = run("apply", made.folder, "--yes", "--format", "json")
    changes = {each["event_name"]: each["result"] for each in account_of(ran)["changes"]}
    assert (changes["calls"]["status"], changes["seats"]["status"]) == ("done", "failed")
    error = changes["seats"]["error"]
    assert error["code"] == "A013"
    assert all(meter["id"] in error["message"] for meter in seed)
    (text,) = re.findall(r"`(.*)`", error["hint"])
    made.write(f"{edit(declared, text)}\n{CALLS}")
    assert run("apply", made.folder, "--yes").code == 0
    assert run("drift", made.folder).code == 0
    assert len(made.server.state.ledger.meters) == len(seed) + 1


@pytest.mark.parametrize("case", CREATES)
def test_drift_offers_the_inactive_meter_and_no_apply(case, world, run):
    """A create may be refused for ever, and drift cannot know."""
    declared, seed = CREATES[case]
    made = world(declared, {"meters": seed}, settings=HELD)
    finding = finding_of(run("drift", made.folder, "--format", "json"))
    assert (finding["kind"], finding["remediation"]["kind"]) == ("missing", "edit")
    made.write(edit(declared, finding["remediation"]["text"]))
    again = finding_of(run("drift", made.folder, "--format", "json"))
    assert (again["kind"], again["remediation"]["kind"]) == ("inactive", "command")
    command = shlex.split(again["remediation"]["text"])
    assert run(*command[1:], "--yes").code == 0
    assert run("drift", made.folder).code == 0


def test_a_replacement_of_a_held_name_says_so_as_well(world, run):
    """The old meter is active again; the hint is to keep it."""
    declared = SEATS.replace("seats,", "seats, retires: [mtr_old],")
    made = world(declared, {"meters": [OLD]}, settings=HELD)
    ran = run("apply", made.folder, "--yes", "--format", "json")
    (change,) = account_of(ran)["changes"]
    error = change["result"]["error"]
    assert error["code"] == "A006"
    assert "mtr_old, which is inactive, seems to hold the event_name" in error["message"]
    (text,) = re.findall(r"`(.*)`", error["hint"])
    made.write(edit(declared, text))
    assert run("plan", made.folder, "--detailed-exitcode").code == 0


def test_a_create_without_inactive_meters_is_refused_as_before(world, run):
    """Nothing is known to hold the name."""
    made = world(SEATS)
    made.server.arm("garbage:method=POST:status=400")
    ran = run("apply", made.folder, "--yes", "--format", "json")
    (change,) = account_of(ran)["changes"]
    assert change["result"]["error"]["code"] == "A003"


READING = Key("rk_test_read", frozenset({"billing_meter_write", "event_read"}))
LIMITED = "{max_deactivations: 0}"
PROTECTING = "{protect: [seats]}"
OWNING = "{undeclared: deactivate, owns: [seats]}"
CONSENT = SEATS.replace("seats,", "seats, retires: [mtr_old],")
REFUSED = {
    "deactivation, prices unreadable": (RETIRED, [ACTIVE], "{}", [READING]),
    "deactivation, too many": (RETIRED, [ACTIVE], LIMITED, []),
    "deactivation, protected": (RETIRED, [ACTIVE], PROTECTING, []),
    "replacement, prices unreadable": (CONSENT, [OLD], "{}", [READING]),
    "replacement, protected": (CONSENT, [OLD], PROTECTING, []),
    "reactivation, prices unreadable": (SEATS, [SAME, {**SAME, "id": "mtr_2"}], "{}", [READING]),
    "undeclared, too many": (CALLS, [ACTIVE], OWNING.replace("}", ", max_deactivations: 0}"), []),
    "undeclared, another change is blocked": (
        *(CALLS, [ACTIVE, existing("calls", "Calls", "last")], OWNING, []),
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_no_remedy_is_a_command_that_would_be_refused(case, world, run, monkeypatch):
    """What is offered instead is an edit after which nothing is refused, if there is one."""
    declared, seed, policy, keys = REFUSED[case]
    settings = Settings(keys=tuple(keys))
    named = [existing("calls", "Calls", "sum")]
    calls = [] if any(meter["event_name"] == "calls" for meter in seed) else named
    meters = f"{declared}\n{CALLS}" if declared != CALLS else CALLS
    made = world(meters, {"meters": [*seed, *calls]}, policy=policy, settings=settings)
    if keys:
        monkeypatch.setenv("SANDBOX_KEY", keys[0].secret)
    ran = run("drift", made.folder, "--format", "json")
    remedies = [each["remediation"] for each in account_of(ran)["findings"]]
    assert ran.code == 2
    assert [each for each in remedies if each and each["kind"] == "command"] == []


FORMER = existing("seats_used", "Seats", id="mtr_former")


def test_drift_warns_of_a_rename_and_offers_the_old_name_first(world, run):
    """A new meter would have no usage; the old event_name keeps what is billed."""
    made = world(SEATS, {"meters": [FORMER]})
    ran = run("drift", made.folder, "--format", "json")
    said = {(each["code"], each["event_name"]) for each in account_of(ran)["diagnostics"]}
    assert said == {("P101", "seats")}
    remedies = {each["kind"]: each["remediation"] for each in account_of(ran)["findings"]}
    assert remedies["missing"] == {"kind": "edit", "text": 'event_name: "seats_used"'}
    made.write(edit(SEATS, remedies["missing"]["text"]))
    assert run("drift", made.folder).code == 0
    assert "P101" not in run("drift", made.folder).out


KEEPING = {
    "to be deactivated": (RETIRED, [ACTIVE]),
    "to be deactivated, different": (RETIRED, [{**ACTIVE, **existing("seats", "Seats", "sum")}]),
    "to be replaced": (
        CONSENT.replace("mtr_old", "mtr_seats"),
        [{**ACTIVE, **OLD, "id": "mtr_seats"}],
    ),
    "inactive": (RETIRED, [{**ACTIVE, "status": "inactive"}]),
    "inactive, different": (RETIRED, [{**ODD, "id": "mtr_seats"}]),
    "inactive, given up": (
        *(SEATS.replace("seats,", "seats, retires: [mtr_seats],"), [{**ODD, "id": "mtr_seats"}]),
    ),
}


@pytest.mark.parametrize("case", KEEPING)
def test_the_remedy_that_keeps_revenue_comes_first(case, world, run):
    """The edit keeps the meter active, or reactivates it; consent is the comment behind it."""
    declared, seed = KEEPING[case]
    made = world(declared, {"meters": seed, "prices": PRICES})
    found = account_of(run("drift", made.folder, "--format", "json"))["findings"]
    remedies = {each["kind"]: each["remediation"]["text"] for each in found}
    for text in remedies.values():
        assert "accepts" not in text.partition("#")[0]
    assert any("# or give it up: " in text and "price_1" in text for text in remedies.values())
    merged = declared
    for text in remedies.values():
        merged = edit(merged, text) if yaml.safe_load(text) else merged
    made.write(merged)
    assert run("apply", made.folder, "--yes").code == 0
    assert made.server.state.ledger.meters["mtr_seats"]["status"] == "active"
    assert run("drift", made.folder).code == 0


def test_an_undeclared_inactive_meter_with_prices_is_declared_active_first(world, run):
    """The entry reactivates it; giving it up with its prices is the comment behind it."""
    made = world(
        CALLS,
        {
            "meters": [{**ACTIVE, "status": "inactive"}, existing("calls", "Calls", "sum")],
            "prices": PRICES,
        },
    )
    text = finding_of(run("drift", made.folder, "--format", "json"))["remediation"]["text"]
    entry, _, otherwise = text.partition("  # or give it up: ")
    assert "status" not in entry
    assert yaml.safe_load(f"{{{otherwise}}}") == {
        "status": "inactive",
        "accepts": {"prices": ["price_1"]},
    }
    made.write(f"{CALLS}\n{entry.removeprefix('- ')}")
    assert run("apply", made.folder, "--yes").code == 0
    assert run("drift", made.folder).code == 0
