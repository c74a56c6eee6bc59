"""Whatever fails, whenever, and whatever other clients do: stories that hypothesis makes up.

And some that it need not find again, written as it prints them.
"""

from __future__ import annotations

import pytest
from hypothesis import Phase, settings
from hypothesis.stateful import run_state_machine_as_test
from stateful.ledger import held
from stateful.story import Story

TestAnyStory = Story.TestCase
TestAnyStory.pytestmark = [pytest.mark.long]


def begun(account, files, policy="deactivate * protect= most=9", **switches):
    """A story with an account and files, and the first plan."""
    state = Story()
    return state, state.begin(account=account, files=files, policy=policy, switches=switches)


def test_an_old_answer_is_not_taken_for_success():
    """A reactivated meter looks as it was read: it is deactivated again, not by a replay."""
    state, plans_0 = begun(["x sum raw One"], ["x sum raw One inactive"], updated_moves="off")
    state.apply_saved(during="", faults=[], refusals="SKIP", saved=plans_0)
    state.meanwhile(events=["reactivate x"])
    state.apply_saved(during="", faults=[], refusals="SKIP", saved=plans_0)
    state.teardown()


@pytest.mark.parametrize("tightened", ["protect=x most=9", "protect= most=0"])
def test_a_saved_plan_obeys_the_guards_of_now(tightened):
    """The policy may have been tightened since it was made."""
    state, plans_0 = begun(["x sum raw One"], ["x sum raw One inactive"])
    state.write(files=["ai_a sum raw One"], policy=f"deactivate * {tightened}")
    state.apply_saved(during="", faults=[], refusals="SKIP", saved=plans_0)
    state.teardown()


@pytest.mark.parametrize(
    "moment", [f"{n} {phase}" for n in range(1, 9) for phase in ("before", "after")]
)
def test_two_jobs_with_one_plan_make_one_meter(moment):
    """Wherever the second comes in; and the old meter is replaced once."""
    state, plans_0 = begun(
        ["x count raw One"], ["x sum raw One retires:active", "ai_a sum raw Two"]
    )
    state.apply_two(faults=[], moment=moment, other=plans_0, saved=plans_0)
    state.teardown()


@pytest.mark.parametrize("edit", ["deactivate x", "rename x", "price x", "create ai_a sum raw Two"])
@pytest.mark.parametrize("at", range(1, 9))
def test_an_edit_in_the_dashboard_is_not_overwritten(at, edit):
    """At every request of a run that makes one meter and stops another."""
    state, _ = begun(["x sum raw One"], ["x sum raw One inactive", "ai_a sum raw One"])
    state.apply(during=f"{at} before: {edit}", faults=["reset:after:post=1"])
    state.teardown()


@pytest.mark.parametrize(
    "declared", ["x sum raw One inactive", "x count raw One retires:active", "ai_a sum raw One"]
)
def test_a_meter_that_is_sold_on_an_archived_price_is_kept(declared):
    """However it would be stopped: no consent names the price."""
    state, plans_0 = begun(["x sum raw One sold"], [declared])
    state.apply_saved(during="", faults=[], refusals="SKIP", saved=plans_0)
    (kept,) = (meter for meter in held(state.it, "x") if meter.active)
    assert kept.id == "mtr_0"
    state.teardown()


def test_what_was_only_found_as_wanted_may_be_undone_before_the_closing_look():
    """Nothing was written, so the run has failed, and has not done a part."""
    state, plans_0 = begun([], ["ai_a sum raw One"])
    state.apply_saved(during="", faults=[], refusals="SKIP", saved=plans_0)
    state.apply_saved(during="4 before: stop ai_a", faults=[], refusals="SKIP", saved=plans_0)
    state.teardown()


def test_a_failure_prints_a_script_that_fails_again(monkeypatch):
    """Made of plain words, to be read, run and kept."""

    def no_request_at_all(run):
        assert not run.posts, "a request was sent"

    monkeypatch.setattr("stateful.story.hold", no_request_at_all)
    short = settings(  # the blob, printed where CI is set, is no Python
        max_examples=50, database=None, phases=[Phase.generate], print_blob=False
    )
    with pytest.raises(AssertionError) as failed:
        run_state_machine_as_test(Story, settings=short)
    printed = "\n".join(failed.value.__notes__)
    script, scope = printed[printed.index("state = Story()") :], {"Story": Story}
    with pytest.raises(AssertionError, match="a request was sent"):
        exec(script, scope)
    scope["state"].ends.close()
