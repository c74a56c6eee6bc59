"""Properties of random accounts: apply makes the account match, however a run ends.

All requests go through the real client to the emulator. The expected state is computed here,
independently of the package, for all changes that are neither blocked nor refused.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Set
from concurrent.futures import ThreadPoolExecutor

from builders.emulated import Context, allowed_requests, context, request_of
from builders.meters import decide_all
from builders.random_accounts import SWITCHES, World, worlds
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from reconciler.diagnostics.errors import Exit
from reconciler.model.change import Action
from reconciler.model.match import has_same_settings
from reconciler.model.price import group_by_meter
from reconciler.model.project import Undeclared
from reconciler.operations.apply_plan import OnRefused, apply_plan
from reconciler.operations.make_plan import Planned, make_plan
from reconciler.report.report import AccountReport

NONE: Set[str] = frozenset()
ANY = {"world": worlds(), "settings": SWITCHES}


def on(world: World, settings):
    everything = {"settings": settings, "policy": world.policy, "in_process": True}
    facts = {"subscribed": world.subscribed, **everything}
    return context(world.meters, world.prices, world.declared, **facts)


def open_names(planned: Planned) -> set[str]:
    """Return the event_names whose changes are neither blocked nor refused."""
    done = planned.report.changes
    free = (change.change for change in done if change.change.action is not Action.BLOCKED)
    return {change.event_name for change in free if not change.refused_by}


def assert_applied(
    it: Context, world: World, planned: Planned, before: dict[str, str], spared: Set[str] = NONE
) -> None:
    """Assert that declared meters are as declared, and all others byte for byte as before."""
    existing, after, free = it.list_all(), it.stored(), open_names(planned) - spared
    wanted = {desired.event_name: desired for desired in world.declared}
    for name in world.names:
        active = [m for m in existing.values() if m.event_name == name and m.active]
        was = [m for m in world.meters if m.event_name == name]
        touched = [m.id for m in was if after[m.id] != before[m.id]]
        desired = wanted.get(name)
        if name not in free:
            assert not touched, name
            assert len([m for m in existing.values() if m.event_name == name]) == len(was)
        elif desired is None:
            assert_undeclared(name, world, active, touched)
        elif desired.status == "inactive":
            assert not active
        else:
            (now,) = active
            assert now.meter == desired.meter
            assert_kept(now, desired, was, world)
    kept = {id_ for id_, text in before.items() if after.get(id_) == text}
    targets = {
        m.id for change in planned.plan.changes for m in (change.existing, change.reactivates) if m
    }
    writing = {change.event_name for change in planned.plan.changes if change.action.writes}
    assert set(before) - kept <= {i for i in targets if existing[i].event_name in writing}


def assert_undeclared(name, world, active, touched):
    """Assert that an owned meter is deactivated by the policy, and any other unchanged."""
    owned = world.policy.owns == ("*",) or name.startswith("ai_")
    if world.policy.undeclared is Undeclared.DEACTIVATE and owned:
        assert len(active) != 1
    else:
        assert not touched


def assert_kept(now, desired, was, world):
    """Assert that a meter is reactivated where possible, first of all one with prices."""
    if any(m.active and has_same_settings(m, desired.meter) for m in was):
        return
    alike = [
        m
        for m in was
        if not m.active and has_same_settings(m, desired.meter) and m.id not in desired.retires
    ]
    assert (now.id in {m.id for m in alike}) is bool(alike)
    used = {price.meter for price in world.in_use}
    if used & {m.id for m in alike}:
        assert now.id in used
    elif alike:
        last = max(alike, key=lambda m: (m.status_transitions.deactivated_at, m.created, m.id))
        assert now.id == last.id


def assert_nothing_left(
    it: Context, world: World, planned: Planned, spared: Set[str] = NONE
) -> None:
    """Assert that all changes of the next plan are refused, as they were before."""
    again = it.plan()
    assert open_names(again) >= open_names(planned) - spared
    for change in again.report.changes:
        assert not change.change.action.writes or change.change.refused_by
    assert {change.event_name for change in again.plan.changes} == world.names


@given(world=worlds())
def test_every_event_name_has_exactly_one_change(world):
    """And every existing meter is in the change of its event_name, once."""
    prices = group_by_meter(world.in_use)
    found = decide_all(world.declared, world.meters, prices, world.policy)
    assert sorted(change.event_name for change in found) == sorted(world.names)
    assert sorted(m.id for change in found for m in change.existing_meters) == sorted(
        m.id for m in world.meters
    )
    for change in found:
        assert {m.event_name for m in change.existing_meters} <= {change.event_name}
        assert change.desired == next(
            (w for w in world.declared if w.event_name == change.event_name), None
        )


@given(**ANY)
def test_applying_a_plan_makes_the_account_match(world, settings):
    """With the requests of the plan, each at most once; then nothing is left to do."""
    with on(world, settings) as it:
        before, planned = it.stored(), it.plan()
        report = it.apply(planned)
        refused = any(change.change.refused_by for change in report.changes)
        blocked = any(change.change.action is Action.BLOCKED for change in report.changes)
        assert report.exit_code is (Exit.REFUSED if refused or blocked else Exit.DONE)
        sent = [request_of(entry) for entry in it.posts()]
        assert len(sent) == len(set(sent))
        assert set(sent) <= allowed_requests(planned)
        assert_applied(it, world, planned, before)
        assert_nothing_left(it, world, planned)


@given(**ANY)
def test_a_saved_plan_is_applied_as_a_whole_or_not_at_all(world, settings):
    """Where refused changes abort."""
    with on(world, settings) as it:
        before, planned = it.stored(), it.plan()
        report = it.revalidate(planned, on_refused=OnRefused.ABORT)
        if planned.report.exit_code is Exit.REFUSED:
            assert it.stored() == before
            assert report.exit_code is Exit.REFUSED
        else:
            assert report.exit_code is Exit.DONE
            assert_applied(it, world, planned, before)


def may_look_new(planned: Planned) -> bool:
    """Whether a killed run may leave a meter that looks as if it had just become active.

    A change of two requests does, and so does an update: it moves `updated` as well.
    """
    changes = (Action.REPLACE, Action.REACTIVATE, Action.UPDATE)
    return any(change.action in changes for change in planned.plan.changes)


def look_renamed(report: AccountReport) -> set[str]:
    """Return the event_names that another one may have renamed, in the state of that moment.

    A meter that a run has reactivated, and not yet updated, has a former display_name; one that is
    half replaced is not active.
    """
    changes = (each.change for each in report.changes)
    return {change.event_name for change in changes if "G012" in change.refused_by}


class Killed(BaseException):
    """The process has ended: not even an `except Exception` runs."""


class KilledMeters:
    """The meters of a session until request number `at`; then every call ends the process."""

    def __init__(self, meters, at, after):
        self.meters, self.at, self.after = meters, at, after
        self.count, self.is_dead, self.lock = 0, False, threading.Lock()

    def ignoring_stop(self):
        """The second half of a replacement is killed like any other request."""
        return self

    def send(self, step, key, may_retry):
        with self.lock:
            self.count += 1
            is_last = self.count == self.at
            self.is_dead |= is_last and not self.after
        if self.is_dead:
            raise Killed
        answer = self.meters.send(step, key, may_retry)
        self.is_dead |= is_last
        if self.is_dead:
            raise Killed
        return answer

    def __getattr__(self, name):
        if self.is_dead:
            raise Killed
        return getattr(self.meters, name)


@given(**ANY, at=st.integers(1, 9), after=st.booleans(), again=st.integers(1, 9))
def test_a_run_killed_anywhere_is_finished_by_the_next(world, settings, at, after, again):
    """Killed twice, at any request, before or after its effect.

    No meter is created twice, and none is changed that is not in the plan. Nothing but `updated`
    shows that an earlier run reactivated a meter, so that undeclared ones may be its former names.
    """
    if world.policy.undeclared is Undeclared.DEACTIVATE:
        settings = replace(settings, updated_moves="on")
    with on(world, settings) as it:
        before, planned = it.stored(), it.plan()
        for moment in (at, again):
            with it.session() as session, contextlib.suppress(Killed):
                current = make_plan(it.project, session)
                session.meters = KilledMeters(session.meters, moment, after)
                apply_plan(current, session, on_refused=OnRefused.SKIP)
        report = it.apply()
        assert report.exit_code in (Exit.DONE, Exit.REFUSED)
        spared = look_renamed(report) if may_look_new(planned) else NONE
        assert_applied(it, world, planned, before, spared)
        assert_nothing_left(it, world, planned, spared)
        made = [
            change for change in planned.plan.changes if change.event_name in open_names(planned)
        ]
        creates = [c for c in made if c.action is Action.CREATE]
        creates += [c for c in made if c.action is Action.REPLACE and c.reactivates is None]
        assert len(it.stored()) == len(before) + len(creates)


@given(**ANY, lag=st.sampled_from([0.0, 2.0]))
def test_two_jobs_that_apply_one_plan_at_once_write_once(world, settings, lag):
    """The account is as declared; a job exits with 0, 3, 4 or 5."""
    with on(world, replace(settings, list_lag=lag)) as it:
        before, planned = it.stored(), it.plan()
        with ThreadPoolExecutor(2) as pool:
            jobs = [pool.submit(it.apply, planned) for _ in range(2)]
        ends = [job.result().exit_code for job in jobs]
        assert set(ends) <= {Exit.DONE, Exit.REFUSED, Exit.STALE, Exit.PARTIAL}
        assert {request_of(entry) for entry in it.posts()} <= allowed_requests(planned)
        it.clock.sleep(10)
        names = [name for name in world.names if name in open_names(planned)]
        for name in names:
            every = [m for m in it.list_all().values() if m.event_name == name]
            assert len([m for m in every if m.active]) <= max(
                1, len([m for m in world.meters if m.event_name == name and m.active])
            )
        it.apply()
        assert_applied(it, world, planned, before)
