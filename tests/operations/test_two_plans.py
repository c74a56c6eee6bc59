"""Two projects, one account: another plan is applied in the middle of ours."""

from __future__ import annotations

import dataclasses
import threading

import pytest
from builders.emulated import allowed_requests, context, request_of
from builders.meters import OWNING, declare, existing, inactive, retire
from builders.random_accounts import SWITCHES, worlds
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace
from operations.test_promise import on, open_names

from reconciler.diagnostics.errors import Exit
from reconciler.operations.apply_plan import OnRefused, apply_plan


class Interrupted:
    """The meters of a session, with an action of another client before or after a request."""

    def __init__(self, meters, at, after, act):
        self.meters, self.at, self.after, self.act = meters, at, after, act
        self.count, self.lock = 0, threading.Lock()

    def ignoring_stop(self):
        return self

    def send(self, step, key, may_retry):
        with self.lock:
            self.count += 1
            mine = self.count == self.at
        if mine and not self.after:
            self.act()
        answer = self.meters.send(step, key, may_retry)
        if mine and self.after:
            self.act()
        return answer

    def __getattr__(self, name):
        return getattr(self.meters, name)


def apply_around(it, planned, theirs, at, after):
    """Return our report, where their plan is applied around our request number `at`."""
    with it.session() as session:
        session.meters = Interrupted(session.meters, at, after, theirs)
        return apply_plan(planned, session, on_refused=OnRefused.SKIP)


def is_applied(change, now):
    """Whether an event_name is in the state that its change leads to."""
    active = [
        meter.meter for meter in now if meter.event_name == change.event_name and meter.active
    ]
    running = change.desired is not None and change.desired.status == "active"
    return active == ([change.desired.meter] if running else [])


@given(
    ours=worlds(),
    other=worlds(),
    settings=SWITCHES,
    at=st.integers(1, 6),
    after=st.booleans(),
)
def test_exit_0_means_that_the_account_is_as_planned(ours, other, settings, at, after):
    """Each plan sends only its own requests, no event_name has two active meters, and our
    next run starts from wherever the two have left the account.
    """
    with on(ours, settings) as it:
        planned, made = it.plan(), []
        account = replace(it.account, declared=other.declared, policy=other.policy)
        theirs = dataclasses.replace(it, account=account)

        def act():
            made.append(theirs.plan())
            theirs.apply(made[0])

        report = apply_around(it, planned, act, at, after)
        both = allowed_requests(planned).union(*map(allowed_requests, made))
        assert {request_of(entry) for entry in it.posts()} <= both
        now = it.list_all().values()
        free = [
            change for change in planned.plan.changes if change.event_name in open_names(planned)
        ]
        if report.exit_code is Exit.DONE:
            assert all(is_applied(change, now) for change in free if change.action.writes)
        twice = {name for name in ours.names if len(running(now, name)) > 1}
        assert twice <= {name for name in ours.names if len(running(ours.meters, name)) > 1}
        last = it.apply()
        assert last.exit_code in (Exit.DONE, Exit.REFUSED)
        assert all(
            change.change.refused_by for change in it.plan().report.changes if writes(change)
        )


def running(meters, name):
    return [meter for meter in meters if meter.event_name == name and meter.active]


def writes(change):
    return change.change.action.writes


CREATE, CREATE_ELSE = declare(), declare(formula="last")
RACES = {
    "both create the same": ([], CREATE, CREATE, 1, "already"),
    "they create another": ([], CREATE, CREATE_ELSE, 1, "stale"),
    "both deactivate it": ([existing()], retire(), retire(), 0, "already"),
    "they rename what we deactivate": (
        [existing()],
        retire(),
        declare(display="Theirs"),
        0,
        "stale",
    ),
    "they deactivate what we rename": ([existing()], declare(display="Ours"), retire(), 1, "stale"),
    "both reactivate it": ([inactive()], declare(), declare(), 0, "already"),
    "they replace what we replace": (
        [existing(formula="count")],
        declare(retires=("mtr_a",)),
        declare(formula="last", retires=("mtr_a",)),
        2,
        "stale",
    ),
    "they create what we replaced": (
        [existing(formula="count")],
        declare(retires=("mtr_a",)),
        declare(formula="count"),
        2,
        "failed",
    ),
}


@pytest.mark.parametrize("race", RACES)
def test_the_second_of_two_runs_reports_already_or_stale(race):
    """Their plan is applied before our run (at 0), or before our request of that number."""
    meters, desired, other, at, status = RACES[race]
    with context(meters, declared=[desired], policy=replace(OWNING, owns=())) as it:
        theirs = dataclasses.replace(it, account=replace(it.account, declared=(other,)))
        planned = it.plan()
        it.clock.sleep(60)
        if at == 0:
            theirs.apply()
        report = apply_around(it, planned, theirs.apply, at, after=False)
        (change,) = report.changes
        assert str(change.result.status) == status
        if status != "already":
            assert report.exit_code in (Exit.STALE, Exit.PARTIAL)
            held = [meter.meter for meter in running(it.list_all().values(), "calls")]
            assert held == ([other.meter] if other.status == "active" else [])
