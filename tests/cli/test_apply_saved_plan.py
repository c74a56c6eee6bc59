"""`apply --plan` through the command line: the report of a plan that is stale."""

from __future__ import annotations

from dataclasses import replace

import pytest
from cli.world import CALLS, SEATS, existing
from published import held

from reconciler.planning.plan import seal
from reconciler.planning.plan_file import dump_plan, load_plan


def test_a_stale_plan_is_shown_with_the_result_of_every_change(world, run):
    """Stale, applied already by someone else, or skipped."""
    meters = [
        existing("seats", "Chairs", id="mtr_s"),
        existing("calls", "Rings", "sum", id="mtr_c"),
    ]
    fresh = SEATS.replace("seats", "desks")
    made = world(f"{SEATS}\n{CALLS}\n{fresh}", {"meters": meters})
    saved = made.folder / "saved.json"
    assert run("plan", made.folder, "--save", saved).code == 0
    made.server.edit("/v1/billing/meters/mtr_s", {"display_name": "Stools"})
    made.server.edit("/v1/billing/meters/mtr_c", {"display_name": "Calls"})

    ran = run("apply", made.folder, "--plan", saved, "--format", "json")
    (account,) = held(ran.out)["accounts"]
    became = {line["event_name"]: line["result"] for line in account["changes"]}
    assert {name: result["status"] for name, result in became.items()} == {
        "seats": "stale",
        "calls": "already",
        "desks": "skipped",
    }
    moved = became["seats"]["error"]["message"]
    assert "mtr_s changed (display_name 'Chairs' -> 'Stools')" in moved
    assert [diagnostic["code"] for diagnostic in account["diagnostics"]] == ["A001"]
    assert (account["account"]["livemode"], account["exit_code"], ran.code) == (False, 4, 4)
    assert made.posts() == []

    shown = run("apply", made.folder, "--plan", saved).out
    assert shown.count("changed in Stripe after the plan was made") == 1
    assert "1 already as planned, 1 skipped, 1 stale." in shown


def test_the_journal_names_the_commit_of_the_plan(world, run):
    """Not the one that is checked out when the plan is applied."""
    made = world(SEATS)
    saved = made.folder / "saved.json"
    run("plan", made.folder, "--save", saved)
    plan = load_plan(saved.read_text("utf-8"), "saved.json")
    saved.write_text(dump_plan(seal(replace(plan, commit="c" * 40))), "utf-8")
    assert run("apply", made.folder, "--plan", saved, "--yes").code == 0
    assert "c" * 40 in (made.folder / ".reconciler" / "journal.jsonl").read_text("utf-8")


def results(ran):
    """The changes of a JSON report by event_name."""
    (account,) = held(ran.out)["accounts"]
    return {line["event_name"]: line for line in account["changes"]}


def test_a_meter_that_exists_already_is_named_by_its_id(world, run):
    """A create that is already done has the id from the listing."""
    made = world(f"{SEATS}\n{CALLS}")
    saved = made.folder / "saved.json"
    assert run("plan", made.folder, "--save", saved).code == 0
    assert run("apply", made.folder, "--yes", "--only", "seats").code == 0
    lines = results(run("apply", made.folder, "--plan", saved, "--format", "json"))
    became = {name: line["result"]["status"] for name, line in lines.items()}
    assert became == {"seats": "already", "calls": "done"}
    assert {line["meter_id"] for line in lines.values()} == set(made.server.state.ledger.meters)


@pytest.mark.parametrize("skip", [[], ["--skip-refused"]])
def test_a_blocked_change_is_reported_as_not_applied(skip, world, run):
    """Every change that is not as declared has a result, unchanged ones have none."""
    seed = [existing("seats", "Seats", "sum"), existing("desks", "Desks")]
    desks = SEATS.replace("seats", "desks").replace("Seats", "Desks")
    made = world(f"{SEATS}\n{CALLS}\n{desks}", {"meters": seed})
    ran = run("apply", made.folder, "--yes", *skip, "--format", "json")
    lines = results(ran)
    assert ran.code == 3
    assert lines["seats"]["result"]["status"] == "skipped"
    assert lines["seats"]["result"]["error"]["code"] == "A009"
    assert lines["calls"]["result"]["status"] == ("done" if skip else "skipped")
    assert "result" not in lines["desks"]


def test_verified_is_only_reported_after_listing_again(world, run):
    """A run without changes does not claim it."""
    made = world(SEATS)
    assert "A101" in run("apply", made.folder, "--yes", "--format", "json").out
    made.server.log.clear()
    again = run("apply", made.folder, "--yes", "--format", "json")
    assert (again.code, "A101" in again.out) == (0, False)
    assert len(made.server.log.matching("GET", "/v1/billing/meters")) <= 3
