"""What a newer Stripe may return: unknown statuses, values and fields; and objects of two modes."""

from __future__ import annotations

import pytest
from cli.world import CALLS, RETIRED, SEATS, account_of, existing
from published import held

STORED = existing("seats", "Seats", id="mtr_s")
ROOMS = existing("rooms", "Rooms", id="mtr_r")
OWNING = "{undeclared: deactivate, owns: ['*'], max_deactivations: 9}"


def alter(made, meter_id, **fields):
    """Give a stored object fields that the emulator itself never would."""
    for kept in (made.server.state.ledger.meters, made.server.state.ledger.prices):
        if meter_id in kept:
            kept[meter_id] = {**kept[meter_id], **fields}


def change_of(ran, name="seats"):
    """The change of one event_name."""
    (change,) = [each for each in account_of(ran)["changes"] if each["event_name"] == name]
    return change


@pytest.mark.parametrize(
    "declared", [SEATS, RETIRED, SEATS.replace("seats,", "seats, retires: [mtr_s],")]
)
def test_a_declared_meter_of_an_unknown_status_is_blocked(declared, world, run):
    """It is neither created, reactivated, deactivated nor renamed; other changes are made."""
    made = world(f"{declared}\n{CALLS}", {"meters": [{**STORED, "status": "suspended"}]})
    planned = run("plan", made.folder, "--format", "json")
    change = change_of(planned)
    assert (planned.code, change["action"], change["reason"]) == (3, "blocked", "unknown_status")
    assert (change["meter_id"], change["before"]["status"]) == ("mtr_s", "suspended")
    (diagnostic,) = account_of(planned)["diagnostics"]
    assert diagnostic["code"] == "P006"
    assert "the status of mtr_s is 'suspended'" in diagnostic["message"]
    ran = run("apply", made.folder, "--yes", "--skip-refused")
    assert (ran.code, made.posts()) == (3, ["/v1/billing/meters"])


@pytest.mark.parametrize(("count", "more"), [(5, ""), (6, " and 1 more")])
def test_at_most_five_unknown_fields_are_named(count, more, world, run):
    made = world(SEATS, {"meters": [STORED]})
    alter(made, "mtr_s", **{f"new_{n}": n for n in range(count)})
    (warning,) = account_of(run("plan", made.folder, "--format", "json"))["diagnostics"]
    assert warning["message"] == (
        "mtr_s has fields that this version does not know: "
        f"new_0: 0, new_1: 1, new_2: 2, new_3: 3, new_4: 4{more}"
    )


def test_an_unknown_status_beside_an_active_meter_blocks_the_name(world, run):
    """Which of the two records usage is not known."""
    other = {**STORED, "id": "mtr_o", "status": "suspended"}
    made = world(SEATS.replace("Seats", "Chairs"), {"meters": [STORED, other]})
    ran = run("apply", made.folder, "--yes")
    assert (ran.code, made.posts()) == (3, [])


def test_an_undeclared_meter_of_an_unknown_status_is_left_alone(world, run):
    """Unmanaged, a warning, and never deactivated."""
    made = world(CALLS, {"meters": [{**STORED, "status": "suspended"}]}, policy=OWNING)
    planned = run("plan", made.folder, "--format", "json")
    assert change_of(planned)["action"] == "unmanaged"
    said = [(each["code"], each["level"]) for each in account_of(planned)["diagnostics"]]
    assert said == [("P006", "warning")]
    assert run("apply", made.folder, "--yes").code == 0
    assert made.posts() == ["/v1/billing/meters"]


@pytest.mark.parametrize(
    ("declared", "prices", "severity"),
    [
        (SEATS, [], "high"),
        (RETIRED, [], "high"),
        (CALLS, [], "low"),
        (CALLS, [{"id": "price_1", "meter": "mtr_s"}], "high"),
    ],
)
def test_drift_finds_an_unknown_status(declared, prices, severity, world, run):
    """It claims neither that usage is lost nor that it is recorded, and offers no command."""
    calls = existing("calls", "Calls", "sum")
    seed = {"meters": [{**STORED, "status": "suspended"}, calls], "prices": prices}
    made = world(f"{CALLS}\n{declared}" if declared != CALLS else CALLS, seed)
    ran = run("drift", made.folder, "--format", "json")
    (finding,) = account_of(ran)["findings"]
    assert (finding["kind"], finding["code"], finding["severity"], ran.code) == (
        *("unknown_status", "D011", severity),
        2,
    )
    assert (finding["remediation"], finding["meter_ids"]) == (None, ["mtr_s"])


def test_a_deactivation_that_ends_in_an_unknown_status_is_not_done(world, run):
    """What the new status means is unknown: the change is not reported as done."""
    made = world(RETIRED, {"meters": [STORED]})
    saved = made.folder / "saved.json"
    assert run("plan", made.folder, "--save", saved).code == 0
    alter(made, "mtr_s", status="suspended")
    ran = run("apply", made.folder, "--plan", saved)
    assert (ran.code, made.posts()) == (4, [])


@pytest.mark.parametrize("declared", [SEATS, CALLS])
def test_unknown_formulas_and_windows_are_values(declared, world, run):
    """A difference like any other; what drift proposes to declare is accepted by `validate`."""
    made = world(f"{CALLS}\n{declared}" if declared != CALLS else CALLS, {"meters": [STORED]})
    alter(made, "mtr_s", default_aggregation={"formula": "p99"}, event_time_window="minute")
    assert run("apply", made.folder, "--yes", "--only", "calls").code == 0
    planned = run("plan", made.folder, "--format", "json")
    change = change_of(planned)
    assert change["action"] == ("blocked" if declared == SEATS else "unmanaged")
    assert change["before"]["default_aggregation"] == {"formula": "p99"}
    (finding,) = account_of(run("drift", made.folder, "--format", "json"))["findings"]
    text = finding["remediation"]["text"]
    assert "allow_unknown_values: true" in text
    entry = (
        text.removeprefix("- ")
        if declared == CALLS
        else "{event_name: seats, " + (f"display_name: Seats, {text[1:]}")
    )
    made.file(
        "meters.yaml",
        f"version: 1\nallow_unknown_values: true\nmeters:\n  - {CALLS}\n  - {entry}\n",
    )
    assert run("validate", made.folder).code == 0
    assert run("plan", made.folder, "--detailed-exitcode").code == 0


UNKNOWN = {
    "dimension_payload_keys": ["region"],
    "default_aggregation": {"formula": "count", "resolution": 5},
    "tenant_keys": None,
}


@pytest.mark.parametrize("command", ["plan", "drift", "list"])
@pytest.mark.parametrize("declared", [SEATS, CALLS, SEATS.replace("count", "sum")])
def test_unknown_fields_are_a_warning_on_their_meter(command, declared, world, run):
    """Never silence, and never an error; what is not set is not named."""
    made = world(declared, {"meters": [STORED, ROOMS]})
    alter(made, "mtr_s", **UNKNOWN)
    account = account_of(run(command, made.folder, "--format", "json"))
    (said,) = [each for each in account["diagnostics"] if each["code"] == "P107"]
    assert (said["level"], said["event_name"]) == ("warning", "seats")
    assert "mtr_s" in said["message"]
    assert 'dimension_payload_keys: ["region"]' in said["message"]
    assert "default_aggregation.resolution: 5" in said["message"]
    assert "tenant_keys" not in said["message"]
    text = run(command, made.folder, *(["-v"] if command == "plan" else []))
    assert "dimension_payload_keys" in text.out


def test_unknown_fields_are_kept_and_decide_nothing(world, run):
    """In `before`, in the saved plan and in `list`; one that changes makes no plan stale."""
    made = world(SEATS.replace("Seats", "Chairs"), {"meters": [STORED]})
    alter(made, "mtr_s", **UNKNOWN, last_event_at=1)
    saved = made.folder / "saved.json"
    planned = run("plan", made.folder, "--save", saved, "--format", "json")
    before = change_of(planned)["before"]
    assert {name: before[name] for name in UNKNOWN} == UNKNOWN
    listed = account_of(run("list", made.folder, "--format", "json"))["meters"]
    assert listed[0]["dimension_payload_keys"] == ["region"]
    alter(made, "mtr_s", last_event_at=2)
    expected = account_of(planned)["plan_hash"]
    assert account_of(run("plan", made.folder, "--format", "json"))["plan_hash"] == expected
    ran = run("apply", made.folder, "--plan", saved, "--format", "json")
    assert (ran.code, change_of(ran)["result"]["status"]) == (0, "done")
    assert change_of(ran)["before"]["last_event_at"] == 1


@pytest.mark.parametrize("where", ["meter", "defaults"])
def test_a_preview_field_that_is_declared_has_a_message_of_its_own(where, world, run):
    """Not "unknown key": the field exists, and cannot be added later."""
    made = world(SEATS)
    keys = "{dimension_payload_keys: [region]}"
    if where == "meter":
        made.write(SEATS.replace("seats,", "seats, dimension_payload_keys: [region],"))
    else:
        made.file("meters.yaml", f"version: 1\ndefaults: {keys}\nmeters:\n  - {SEATS}\n")
    ran = run("validate", made.folder, "--format", "json")
    (said,) = held(ran.out)["diagnostics"]
    assert (ran.code, said["code"]) == (1, "C035")
    assert "preview" in said["message"]


@pytest.mark.parametrize("livemode", [False, True])
@pytest.mark.parametrize("odd", ["mtr_r", "mtr_s", "price_1"])
@pytest.mark.parametrize(
    "command", [["plan"], ["apply", "--yes"], ["apply", "--yes", "--skip-refused"], ["drift"]]
)
def test_one_object_of_the_other_mode_ends_the_run(command, odd, livemode, world, run, monkeypatch):
    """Wherever it is in the list, and whatever the others are: exit 3 before any write."""
    retired = RETIRED.replace("status", "accepts: {prices: [price_1]}, status")
    seed = {
        "account": {"livemode": livemode},
        "meters": [STORED, ROOMS],
        "prices": [{"id": "price_1", "meter": "mtr_s"}],
    }
    made = world(f"{retired}\n{CALLS}", seed, livemode=livemode)
    monkeypatch.setenv("SANDBOX_KEY", "sk_live_emulator" if livemode else "sk_test_emulator")
    alter(made, odd, livemode=not livemode)
    ran = run(*command, made.folder, "--format", "json")
    assert (ran.code, made.posts()) == (3, [])
    (said,) = account_of(ran)["diagnostics"]
    assert said["code"] == "G006"
    assert f"{odd} is in {'test' if livemode else 'live'} mode" in said["message"]
