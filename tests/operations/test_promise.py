"""The promise over random worlds: obeying a plan gives what was declared, whatever ends a run.

Everything goes through the real client and the real emulator. What the account should hold
is worked out here, apart from the tool, for all lines that are neither blocked nor refused.
"""

from __future__ import annotations

import contextlib
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

from builders.emulated import Context, allowed_requests, context, request_of
from builders.meters import decide_all
from builders.random_accounts import SWITCHES, World, worlds
from hypothesis import given
from hypothesis import strategies as st

from reconciler.diagnostics.errors import Exit
from reconciler.model.change import Action
from reconciler.model.match import has_same_settings
from reconciler.model.price import group_by_meter
from reconciler.model.project import Undeclared
from reconciler.operations.apply_plan import OnRefused, apply_plan
from reconciler.operations.make_plan import Planned, make_plan

ANY = {"world": worlds(), "settings": SWITCHES}


def on(world: World, settings):
    everything = {"settings": settings, "policy": world.policy, "in_process": True}
    return context(world.meters, world.prices, world.declared, **everything)


def open_names(planned: Planned) -> set[str]:
    """The names whose lines nothing forbids."""
    done = planned.report.changes
    free = (line.change for line in done if line.change.action is not Action.BLOCKED)
    return {line.event_name for line in free if not line.refused_by}


def assert_obeyed(it: Context, world: World, planned: Planned, before: dict[str, str]) -> None:
    """The account holds what is declared; what was not to be touched is byte for byte as before."""
    existing, after, free = it.list_all(), it.stored(), open_names(planned)
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
        m.id for line in planned.plan.changes for m in (line.existing, line.reactivates) if m
    }
    writing = {line.event_name for line in planned.plan.changes if line.action.writes}
    assert set(before) - kept <= {i for i in targets if existing[i].event_name in writing}


def assert_undeclared(name, world, active, touched):
    """Stopped when the project owns it and says so, and else as it was."""
    owned = world.policy.owns == ("*",) or name.startswith("ai_")
    if world.policy.undeclared is Undeclared.DEACTIVATE and owned:
        assert len(active) != 1
    else:
        assert not touched


def assert_kept(now, desired, was, world):
    """A price and its meter stay together where they can: nothing is made that could be woken."""
    if any(m.active and has_same_settings(m, desired.meter) for m in was):
        return
    alike = [
        m
        for m in was
        if not m.active and has_same_settings(m, desired.meter) and m.id not in desired.retires
    ]
    assert (now.id in {m.id for m in alike}) is bool(alike)
    billed = {price.meter for price in world.prices if price.active}
    if billed & {m.id for m in alike}:
        assert now.id in billed
    elif alike:
        last = max(alike, key=lambda m: (m.status_transitions.deactivated_at, m.created, m.id))
        assert now.id == last.id


def assert_nothing_left(it: Context, world: World, planned: Planned) -> None:
    """The next plan writes nothing but what is refused now as it was then."""
    again = it.plan()
    assert open_names(again) >= open_names(planned)
    for line in again.report.changes:
        assert not line.change.action.writes or line.change.refused_by
    assert {line.event_name for line in again.plan.changes} == world.names


@given(world=worlds())
def test_every_name_is_on_exactly_one_line(world):
    """And every live meter of it on that line, once."""
    prices = group_by_meter(price for price in world.prices if price.active)
    found = decide_all(world.declared, world.meters, prices, world.policy)
    assert sorted(line.event_name for line in found) == sorted(world.names)
    assert sorted(m.id for line in found for m in line.existing_meters) == sorted(
        m.id for m in world.meters
    )
    for line in found:
        assert {m.event_name for m in line.existing_meters} <= {line.event_name}
        assert line.desired == next(
            (w for w in world.declared if w.event_name == line.event_name), None
        )


@given(**ANY)
def test_obeying_a_plan_gives_what_is_declared(world, settings):
    """Requests are those of the plan, each at most once; then nothing is left to do."""
    with on(world, settings) as it:
        before, planned = it.stored(), it.plan()
        report = it.apply(planned)
        refused = any(line.change.refused_by for line in report.changes)
        blocked = any(line.change.action is Action.BLOCKED for line in report.changes)
        assert report.exit_code is (Exit.REFUSED if refused or blocked else Exit.DONE)
        sent = [request_of(entry) for entry in it.posts()]
        assert len(sent) == len(set(sent))
        assert set(sent) <= allowed_requests(planned)
        assert_obeyed(it, world, planned, before)
        assert_nothing_left(it, world, planned)


@given(**ANY)
def test_a_saved_plan_gives_the_same(world, settings):
    """Carried out later, and by a run that halts at what is refused: all of it or nothing."""
    with on(world, settings) as it:
        before, planned = it.stored(), it.plan()
        report = it.revalidate(planned, on_refused=OnRefused.ABORT)
        if planned.report.exit_code is Exit.REFUSED:
            assert it.stored() == before
            assert report.exit_code is Exit.REFUSED
        else:
            assert report.exit_code is Exit.DONE
            assert_obeyed(it, world, planned, before)


class Killed(BaseException):
    """The process is gone: not even an `except Exception` runs."""


class Mortal:
    """The meters of a session until request number `at`; then every call ends the process."""

    def __init__(self, meters, at, after):
        self.meters, self.at, self.after = meters, at, after
        self.count, self.lock = 0, threading.Lock()

    def send(self, step, key):
        with self.lock:
            self.count += 1
            mine = self.count
        if mine > self.at or (mine == self.at and not self.after):
            raise Killed
        answer = self.meters.send(step, key)
        if mine == self.at:
            raise Killed
        return answer

    def __getattr__(self, name):
        if self.count > self.at:
            raise Killed
        return getattr(self.meters, name)


@given(**ANY, at=st.integers(1, 9), after=st.booleans(), again=st.integers(1, 9))
def test_a_run_killed_anywhere_is_finished_by_the_next(world, settings, at, after, again):
    """Killed twice, at any request, before or after its effect: the third run ends as one would.

    No meter comes into being twice, and none is touched that was not on the plan.
    """
    with on(world, settings) as it:
        before, planned = it.stored(), it.plan()
        for moment in (at, again):
            with it.session() as session, contextlib.suppress(Killed):
                current = make_plan(it.project, session)
                session.meters = Mortal(session.meters, moment, after)
                apply_plan(current, session, on_refused=OnRefused.SKIP)
        report = it.apply()
        assert report.exit_code in (Exit.DONE, Exit.REFUSED)
        assert_obeyed(it, world, planned, before)
        assert_nothing_left(it, world, planned)
        made = [line for line in planned.plan.changes if line.event_name in open_names(planned)]
        creates = [c for c in made if c.action is Action.CREATE]
        creates += [c for c in made if c.action is Action.REPLACE and c.reactivates is None]
        assert len(it.stored()) == len(before) + len(creates)


@given(**ANY, lag=st.sampled_from([0.0, 2.0]))
def test_two_jobs_that_apply_one_plan_at_once_write_once(world, settings, lag):
    """Each line has one effect; a job ends 0, 3, 4 or 5, and the account as declared."""
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
        assert_obeyed(it, world, planned, before)
