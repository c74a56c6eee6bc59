"""A rename in a file never deactivates the old meter by itself, whatever the policy."""

from __future__ import annotations

import pytest
from cli.world import RETIRED, SEATS, existing
from published import held

OWNING = '{undeclared: deactivate, owns: ["*"], max_deactivations: 9}'
OLD = existing("seats", "Seats", id="mtr_old", created=1_700_000_000)
RENAMED = {
    "similar name": SEATS.replace("seats,", "seats_v2,").replace("Seats,", "Places,"),
    "same display_name": SEATS.replace("seats,", "places,"),
}


def plan(run, folder, *more):
    """The exit code, and what the plan says of each event_name: its action and what refuses it."""
    ran = run("plan", folder, "--format", "json", *more)
    (account,) = held(ran.out)["accounts"]
    return ran.code, {c["event_name"]: (c["action"], c["refused_by"]) for c in account["changes"]}


@pytest.mark.parametrize("case", RENAMED)
def test_a_renamed_meter_is_not_deactivated_without_consent(case, world, run):
    """Until the old name is declared inactive: its prices and usage senders may still need it."""
    new = RENAMED[case]
    made = world(new, {"meters": [OLD]}, policy=OWNING)
    code, changes = plan(run, made.folder)
    assert (code, changes.pop("seats")) == (3, ("deactivate", ["G012"]))
    assert [action for action, _ in changes.values()] == ["create"]
    ran = run("apply", made.folder, "--yes")
    assert (ran.code, made.posts()) == (3, [])
    planned = run("plan", made.folder, "--format", "json")
    (account,) = held(planned.out)["accounts"]
    (refusal,) = [each for each in account["diagnostics"] if each["code"] == "G012"]
    (name,) = (each["event_name"] for each in account["changes"] if each["action"] == "create")
    assert refusal["message"] == (
        f"'seats' would be deactivated: no file declares it, and {name!r} looks like its rename"
    )
    assert refusal["hint"] == (
        "keep 'seats' in the files; to deactivate it, declare it `status: inactive`"
    )

    made.write(f"{new}\n{RETIRED}", OWNING)
    assert run("apply", made.folder, "--yes").code == 0
    assert made.posts()[-1] == "/v1/billing/meters/mtr_old/deactivate"


@pytest.mark.parametrize("first", ["--skip-refused", "--only=seats_v2"])
def test_a_rename_in_two_runs_needs_the_same_consent(first, world, run, clock):
    """The new meter exists already when the second run comes, until five weeks have passed."""
    made = world(RENAMED["similar name"], {"meters": [OLD]}, policy=OWNING)
    run("apply", made.folder, "--yes", first)
    assert made.posts() == ["/v1/billing/meters"]
    for later in (0, 34 * 86_400):
        clock.sleep(later)
        assert plan(run, made.folder)[1]["seats"] == ("deactivate", ["G012"])
    clock.sleep(2 * 86_400)
    assert plan(run, made.folder)[1]["seats"] == ("deactivate", [])


def test_a_rename_that_reactivates_a_meter_needs_the_same_consent(world, run, clock):
    """Nothing but `updated` shows that the meter of the new name was reactivated lately."""
    former = existing("seats_v2", "Places", id="mtr_new", status="inactive", created=1_600_000_000)
    made = world(RENAMED["similar name"], {"meters": [OLD, former]}, policy=OWNING)
    run("apply", made.folder, "--yes", "--skip-refused")
    assert made.posts() == ["/v1/billing/meters/mtr_new/reactivate"]
    assert plan(run, made.folder)[1]["seats"] == ("deactivate", ["G012"])
    clock.sleep(36 * 86_400)
    assert plan(run, made.folder)[1]["seats"] == ("deactivate", [])


def test_a_rename_is_refused_where_a_run_ended_amid_a_reactivation(world, run, clock):
    """The meter is active again, and does not have its declared display_name yet."""
    times = {"created": 1_600_000_000, "updated": int(clock.now()) - 60}
    former = existing("places", "Former", id="mtr_new", **times)
    made = world(RENAMED["same display_name"], {"meters": [OLD, former]}, policy=OWNING)
    code, changes = plan(run, made.folder)
    assert (code, changes["places"]) == (3, ("update", []))
    assert changes["seats"] == ("deactivate", ["G012"])


@pytest.mark.parametrize(("later", "codes"), [(0, []), (1, ["G012"])])
def test_only_a_later_meter_may_have_replaced_another(later, codes, world, run, clock):
    """Times are in whole seconds; two meters of the same second were planned together."""
    now = int(clock.now()) - 60
    meters = [
        {**OLD, "created": now},
        existing("seats_v2", "Places", created=now + later),
    ]
    made = world(RENAMED["similar name"], {"meters": meters}, policy=OWNING)
    assert plan(run, made.folder)[1]["seats"] == ("deactivate", codes)


def test_a_saved_plan_that_is_applied_twice_does_not_complete_a_rename(world, run, tmp_path):
    """The first time creates the new meter, and the second finds it."""
    made = world(RENAMED["similar name"], {"meters": [OLD]}, policy=OWNING)
    saved = tmp_path / "plan.json"
    assert run("plan", made.folder, "--save", saved).code == 3
    for _ in range(2):
        assert run("apply", made.folder, "--plan", saved, "--skip-refused").code == 3
        assert made.posts() == ["/v1/billing/meters"]


def test_a_rename_back_to_an_inactive_name_is_a_rename_too(world, run):
    """The old meter of that name is reactivated instead of a new one created."""
    back = existing("seats_v2", "Seats", status="inactive")
    made = world(RENAMED["similar name"], {"meters": [OLD, back]}, policy=OWNING)
    code, changes = plan(run, made.folder)
    assert (code, changes["seats_v2"][0]) == (3, "reactivate")
    assert changes["seats"] == ("deactivate", ["G012"])
    assert "looks like a rename of the undeclared meter 'seats'" in " ".join(
        run("plan", made.folder).out.split()
    )


def test_every_meter_that_one_new_meter_may_rename_is_kept(world, run):
    """Not only the most similar one; a meter without a resemblance is deactivated."""
    olds = [existing(name, name, created=1_700_000_000) for name in ("seats_a", "seats_b", "cpu")]
    made = world(SEATS.replace("seats,", "seats_c,"), {"meters": olds}, policy=OWNING)
    _, changes = plan(run, made.folder)
    refused = {name: codes for name, (_, codes) in changes.items()}
    assert refused == {"seats_a": ["G012"], "seats_b": ["G012"], "cpu": [], "seats_c": []}


def test_drift_does_not_recommend_the_apply_that_is_refused(world, run):
    """It gives the declaration that keeps the old meter."""
    made = world(RENAMED["similar name"], {"meters": [OLD]}, policy=OWNING)
    (account,) = held(run("drift", made.folder, "--format", "json").out)["accounts"]
    (finding,) = [each for each in account["findings"] if each["event_name"] == "seats"]
    assert finding["remediation"]["kind"] == "declaration"
    (warning,) = [each for each in account["diagnostics"] if each["event_name"] == "seats_v2"]
    assert "looks like a rename of the undeclared meter 'seats'" in warning["message"]
