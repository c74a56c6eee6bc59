"""`apply --plan`: the consent and the protection of the meter files of now count."""

from __future__ import annotations

import pytest
from cli.world import CALLS, SEATS, existing
from published import held

OLD = existing("seats", "Seats", "sum", id="mtr_old")
SAME = existing("seats", "Seats", id="mtr_same")
ASLEEP = existing("seats", "Seats", id="mtr_asleep", status="inactive")
ODD = existing("seats", "Seats", "sum", id="mtr_odd", status="inactive")
PRICE = {"id": "price_1", "meter": "mtr_same"}


def declare(keys):
    """The declaration of seats with some keys more."""
    return SEATS.replace("seats,", f"seats, {keys},")


RETIRED = declare("status: inactive")
ACCEPTED = declare("status: inactive, accepts: {prices: [price_1]}")
WITHDRAWN = {
    "protected since": (RETIRED, [SAME], [], declare("status: inactive, protect: true"), "G002"),
    "no longer accepted": (ACCEPTED, [SAME], [PRICE], RETIRED, "G004"),
    "another price accepted": (
        *(ACCEPTED, [SAME], [PRICE]),
        *(ACCEPTED.replace("price_1", "price_2"), "G004"),
    ),
    "accepted, declared active since": (ACCEPTED, [SAME], [PRICE], SEATS, "G004"),
    "replacement no longer consented to": (declare("retires: [mtr_old]"), [OLD], [], SEATS, "G011"),
    "replacement protected": (
        *(declare("retires: [mtr_old]"), [OLD], []),
        *(declare("retires: [mtr_old], protect: true"), "G002"),
    ),
    "deactivation no longer consented to": (
        *(declare("status: inactive, retires: [mtr_old]"), [OLD], [], RETIRED, "G011"),
    ),
    "inactive meter no longer given up": (
        *(declare("retires: [mtr_odd]"), [ODD], [{**PRICE, "meter": "mtr_odd"}], SEATS, "G011"),
    ),
    "inactive meter given up since": (
        SEATS,
        [ASLEEP],
        [],
        declare("retires: [mtr_asleep]"),
        "G011",
    ),
    "declaration removed": (declare("retires: [mtr_old]"), [OLD], [], "", "G011"),
}


@pytest.mark.parametrize("case", WITHDRAWN)
def test_consent_withdrawn_after_the_plan_refuses_its_change(case, world, run):
    """Exit 3 and nothing is sent, for this change; the others are applied if that is asked for."""
    declared, meters, prices, later, code = WITHDRAWN[case]
    made = world(f"{declared}\n{CALLS}", {"meters": meters, "prices": prices})
    saved = made.folder / "saved.json"
    assert run("plan", made.folder, "--save", saved).code == 0
    made.write(f"{later}\n{CALLS}")
    ran = run("apply", made.folder, "--plan", saved, "--format", "json")
    (account,) = held(ran.out)["accounts"]
    refused = {each["event_name"]: each["refused_by"] for each in account["changes"]}
    assert refused == {"seats": [code], "calls": []}
    assert (ran.code, made.posts()) == (3, [])
    (diagnostic,) = [each for each in account["diagnostics"] if each["code"] == code]
    assert diagnostic["level"] == "error"

    ran = run("apply", made.folder, "--plan", saved, "--skip-refused")
    assert (ran.code, made.posts()) == (3, ["/v1/billing/meters"])
    seats = run("list", made.folder, "--only", "seats", "--format", "json").out
    assert {each["id"] for each in held(seats)["accounts"][0]["meters"]} == {meters[0]["id"]}


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        ("mtr_old", None, "no longer lists mtr_old"),
        ("mtr_x, mtr_old", None, "no longer lists mtr_old, mtr_x"),
        ("mtr_old", "mtr_y, mtr_x", "no longer lists mtr_old and lists mtr_x, mtr_y now"),
    ],
)
def test_the_refusal_says_what_the_files_list_now(before, after, said, world, run):
    made = world(declare(f"retires: [{before}]"), {"meters": [OLD]})
    saved = made.folder / "saved.json"
    assert run("plan", made.folder, "--save", saved).code == 0
    made.write(declare(f"retires: [{after}]") if after else SEATS)
    ran = run("apply", made.folder, "--plan", saved, "--format", "json")
    diagnostics = held(ran.out)["accounts"][0]["diagnostics"]
    (message,) = [each["message"] for each in diagnostics if each["code"] == "G011"]
    assert message == (f"'seats': `retires` in the meter files {said}; replace is not allowed")


def test_protection_of_a_meter_that_was_undeclared_refuses_its_deactivation(world, run):
    """The plan deactivates it for being undeclared; it was declared and protected since."""
    policy = "{undeclared: deactivate, owns: ['*']}"
    made = world(CALLS, {"meters": [SAME]}, policy=policy)
    saved = made.folder / "saved.json"
    assert run("plan", made.folder, "--save", saved).code == 0
    made.write(f"{declare('protect: true')}\n{CALLS}", policy)
    ran = run("apply", made.folder, "--plan", saved)
    assert (ran.code, "G002" in ran.out, made.posts()) == (3, True, [])


def test_consent_that_was_given_after_the_plan_changes_nothing_that_is_blocked(world, run):
    """The changes are those of the plan; only consent that it relied on can be missed."""
    made = world(SEATS, {"meters": [OLD]})
    saved = made.folder / "saved.json"
    assert run("plan", made.folder, "--save", saved).code == 3
    made.write(declare("retires: [mtr_old]"))
    ran = run("apply", made.folder, "--plan", saved)
    assert (ran.code, "P001" in ran.out, made.posts()) == (3, True, [])


def test_what_is_applied_already_needs_no_consent(world, run):
    """A saved plan that was applied before is `already` made, whatever the files say since."""
    made = world(declare("retires: [mtr_old]"), {"meters": [OLD]})
    saved = made.folder / "saved.json"
    assert run("plan", made.folder, "--save", saved).code == 0
    assert run("apply", made.folder, "--plan", saved).code == 0
    sent = made.posts()
    made.write(SEATS)
    ran = run("apply", made.folder, "--plan", saved)
    assert (ran.code, made.posts()) == (0, sent), ran.out
