"""A lost or rejected create searches for the created meter, and no other."""

from __future__ import annotations

import pytest
from builders.fake_account import Account, confirmed, followed_by, lost_request, rejected, run_of
from builders.meters import decide_all, declare, existing
from execution.test_execute_step import NEW, put
from msgspec.structs import replace

from reconciler.execution.execute_step import execute_step
from reconciler.execution.steps import list_steps


@pytest.mark.parametrize(
    ("appears", "status", "looks"), [(0, "already", 1), (2, "already", 3), (9, "failed", 4)]
)
def test_a_rejected_create_waits_for_the_list_to_catch_up(appears, status, looks):
    """The name is taken, so a meter exists; lists may lag."""
    account = Account([], rejected())
    run = run_of(account, *decide_all([declare()], []))
    find = account.find

    def lagging(event_name, known):
        if len(account.looks) == appears:
            account.put(NEW)
        return find(event_name, known)

    account.find = lagging
    part = execute_step(list_steps(run.plan)["calls"][0], None, run)
    assert (str(part.status), len(account.looks), len(account.requests)) == (status, looks, 1)
    assert sum(run.clock.slept) <= 3.5


@pytest.mark.parametrize(
    "other",
    [replace(NEW, event_name="else"), replace(NEW, id="mtr_t")],
    ids=["another name", "listed in the plan"],
)
def test_a_create_does_not_adopt_another_meter(other):
    """Only an active meter of this name that the plan did not list."""
    account = Account([], followed_by(lost_request(), put(other)))
    run = run_of(account, *decide_all([declare()], []))
    run = replace(run, plan=replace(run.plan, listed=("mtr_t",)))
    part = execute_step(list_steps(run.plan)["calls"][0], None, run)
    assert (str(part.status), account.keys) == ("done", ["1-1", "1-1"])
    assert part.existing.id == "mtr_new_calls"


def test_clocks_need_not_agree():
    """A meter created by a lost request is found whatever its date."""
    account = Account([], followed_by(lost_request(), put(replace(NEW, created=1))))
    run = run_of(account, *decide_all([declare()], []))
    part = execute_step(list_steps(run.plan)["calls"][0], None, run)
    assert (str(part.status), account.keys) == ("done", ["1-1"])


@pytest.mark.parametrize("stored", [False, True])
def test_a_create_that_makes_a_meter_of_another_name_is_not_repeated(stored):
    """Stripe might store names in lower case; a meter that is one too many stays for ever.

    Nor if the response was stored: the plan is applied again, or the first response was lost.
    """
    other = existing("mtr_other", "CALLS")
    account = Account([], confirmed(shows=other, replayed=stored))
    run = run_of(account, *decide_all([declare()], []))
    part = execute_step(list_steps(run.plan)["calls"][0], None, run)
    assert (str(part.status), part.error.code, account.keys) == ("failed", "A017", ["1-1"])
    assert "Stripe created mtr_other with event_name 'CALLS'" in part.error.message
    assert part.sent[0].wrote


def test_a_create_that_returns_a_known_meter_is_searched_by_its_name():
    other = existing("mtr_other", "other")
    account = Account([other], confirmed(shows=other))
    run = run_of(account, *decide_all([declare()], []))
    run = replace(run, plan=replace(run.plan, listed=("mtr_other",)))
    part = execute_step(list_steps(run.plan)["calls"][0], None, run)
    assert (str(part.status), account.looks, len(account.requests)) == ("done", ["find"], 2)
