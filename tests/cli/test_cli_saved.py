"""`apply --plan` through the command line: what is told of a plan that no longer fits."""

from __future__ import annotations

from cli.world import CALLS, SEATS, live
from published import held


def test_a_stale_plan_is_shown_in_full_with_what_became_of_every_line(world, run):
    """Which line moved and how, which one somebody else did already, which were left alone."""
    meters = [live("seats", "Chairs", id="mtr_s"), live("calls", "Rings", "sum", id="mtr_c")]
    fresh = SEATS.replace("seats", "desks")
    made = world(f"{SEATS}\n{CALLS}\n{fresh}", {"meters": meters})
    saved = made.folder / "saved.json"
    assert run("plan", made.folder, "--save", saved).code == 0
    made.server.edit("/v1/billing/meters/mtr_s", {"display_name": "Stools"})
    made.server.edit("/v1/billing/meters/mtr_c", {"display_name": "Calls"})

    ran = run("apply", made.folder, "--plan", saved, "--format", "json")
    (account,) = held(ran.out)["accounts"]
    became = {line["event_name"]: line["outcome"] for line in account["changes"]}
    assert {name: outcome["status"] for name, outcome in became.items()} == {
        "seats": "stale",
        "calls": "already",
        "desks": "skipped",
    }
    moved = became["seats"]["error"]["message"]
    assert "mtr_s changed (display_name 'Chairs' -> 'Stools')" in moved
    assert [problem["code"] for problem in account["problems"]] == ["A001"]
    assert (account["account"]["livemode"], account["exit_code"], ran.code) == (False, 4, 4)
    assert made.posts() == []

    shown = run("apply", made.folder, "--plan", saved).out
    assert shown.count("no longer as it was read") == 1
    assert "Apply: 1 already, 1 skipped, 1 stale." in shown
