"""Requests that arrive twice, and effects whose answer says that the key was denied."""

from __future__ import annotations

import pytest
from cli.world import CALLS, REPLACED, RETIRED, SEATS, existing
from published import held

from reconciler.emulator import Settings

OLD = existing("seats", "Seats", "sum", id="mtr_old")
STORIES = {
    "create": (SEATS, None),
    "update": (SEATS, existing("seats", "Chairs", id="mtr_a")),
    "reactivate": (CALLS, existing("calls", "Was", "sum", id="mtr_a", status="inactive")),
    "deactivate": (RETIRED, existing("seats", "Seats", id="mtr_a")),
    "replace": (REPLACED, OLD),
}
CREATES = "method=POST:path=/v1/billing/meters"
STORY = pytest.mark.parametrize("story", STORIES)
DENIAL = pytest.mark.parametrize("denial", ["401", "403"])


@pytest.fixture
def applied(world, run):
    """`applied(story, *faults)`: the account after an apply, its exit code, and the only change."""

    def act(story, *faults, **switches):
        declared, meter = STORIES[story]
        settings = Settings(**switches)
        made = world(declared, {"meters": [meter] if meter else []}, settings=settings)
        made.server.arm(*faults)
        ran = run("apply", made.folder, "--yes", "--format", "json")
        (line,) = (each for each in held(ran.out)["accounts"][0]["changes"] if "result" in each)
        return made, ran.code, line["result"]

    return act


@STORY
def test_a_request_that_arrives_twice_is_done(story, applied):
    """Every first answer is a stored one, of the first delivery."""
    made, code, result = applied(story, "dup")
    assert (code, result["status"]) == (0, "done")
    assert len(made.posts()) == (2 if story in ("reactivate", "replace") else 1)


@pytest.mark.parametrize("twice", ["dup", "dup:post=1"])
@pytest.mark.parametrize("failure", ["500:before", "403:before", "reset:before"])
def test_a_deactivation_that_arrived_twice_is_undone(twice, failure, applied):
    """It is ours although its answer was stored: the old meter is active again."""
    made, code, result = applied("replace", twice, f"{failure}:{CREATES}")
    assert made.server.state.ledger.meters["mtr_old"]["status"] == "active"
    assert (code, result["error"]["code"]) == (5, "A006")


def test_a_refusal_that_arrived_twice_does_not_stretch_the_gap(world, run, clock):
    """The name is taken: every answer is a stored refusal, and none is waited for long."""
    made = world(REPLACED, {"meters": [OLD]})
    made.server.state.settings = type(made.server.state.settings)(name_scope="all")
    made.server.arm("dup")
    ran = run("apply", made.folder, "--yes", "--format", "json")
    assert made.server.state.ledger.meters["mtr_old"]["status"] == "active"
    assert (ran.code, "A006" in ran.out) == (5, True)
    assert clock.monotonic() < 10


def test_a_denied_duplicate_whose_effect_is_not_listed_yet_is_done(applied):
    """The stored answer says that the first delivery had its effect, whatever the list shows."""
    faults = ("dup:post=1", "401:after:post=1")
    made, code, result = applied("create", *faults, list_lag=2)
    assert (code, result["status"]) == (0, "done")
    assert len(made.server.state.ledger.meters) == 1


@STORY
@DENIAL
def test_an_effect_whose_answer_is_a_denial_is_done(story, denial, applied):
    _, code, result = applied(story, f"{denial}:after:method=POST")
    assert (code, result["status"]) == (0, "done")


@STORY
@DENIAL
def test_a_denial_without_effect_is_a_missing_permission(story, denial, applied):
    made, code, result = applied(story, f"{denial}:before:method=POST")
    assert (code, result["status"], result["error"]["code"]) == (6, "failed", "A011")
    assert len(made.posts()) == 1


@STORY
@DENIAL
def test_a_denial_after_which_nothing_can_be_read_leaves_the_effect_open(story, denial, world, run):
    """The key is denied from the first request that writes on, after its effect."""
    declared, meter = STORIES[story]
    made = world(declared, {"meters": [meter] if meter else []})

    def deny(moment):
        if moment.request.method == "POST" and not made.server.state.armed[1:]:
            made.server.arm(f"{denial}:before:method=GET")

    made.server.arm(f"{denial}:after:method=POST")
    made.server.reached = deny
    ran = run("apply", made.folder, "--yes", "--format", "json")
    (line,) = (each for each in held(ran.out)["accounts"][0]["changes"] if "result" in each)
    expected = "A005" if story == "replace" else "A011"
    assert (ran.code, line["result"]["status"]) == (5, "unknown")
    assert line["result"]["error"]["code"] == expected
