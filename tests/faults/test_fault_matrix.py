"""Whatever fails, whenever: the account ends as declared, and no line has two effects.

Every kind of write, every request of it, every fault, every switch of the emulator. A sample
of the product runs always, all of it behind the marker `full`. Faults that strike the plan
with every kind of write go over HTTP, the rest of the product skips the socket. What comes after
a case depends on the account that it leaves: of cases that leave the same, one shows it, unless
this is a soak.
"""

from __future__ import annotations

import os
from collections import Counter
from functools import cache
from itertools import combinations

import pytest
from builders.emulated import allowed_requests, request_of
from faults.scenarios import FAULTS, SCENARIOS, SWITCHES, acted_out, as_declared, effects, state_of
from msgspec.structs import replace

from reconciler.diagnostics.errors import Exit
from reconciler.emulator import Phase

READS = range(1, 6)  # of a run with every kind: three looks before, two pages after
TAKEN = "names are taken for ever"
ONE_KIND = tuple(name for name in SCENARIOS if name != "every kind")
NEEDS_NAME = ("replace by a new one", "every kind")
SOAK = os.environ.get("HYPOTHESIS_PROFILE") == "soak"


def statuses(report):
    return {str(line.result.status) for line in report.changes if line.result}


def hit(it):
    """Whether the fault struck: one that misses proves nothing."""
    return all(armed.applied for armed in it.server.state.armed)


@cache
def plan_of(scenario, *switches):
    """The plan of a scenario, made once: at the same time the same account gives the same."""
    with acted_out(SCENARIOS[scenario], in_process=True, **dict(switches)) as it:
        planned = it.plan()
    kinds = [change.action for change in planned.plan.changes if change.action.writes]
    assert len(set(kinds)) == len(kinds)  # or they would run side by side
    return planned


shown = set()


def first_to_leave(it, what, scenario, switches):
    """Whether no case of this process has shown what comes after this account, files and switches.

    Every switch that remembers more than the account is one whose cases all show it themselves.
    """
    settings = it.server.state.settings
    case = (what, scenario, *switches.items(), state_of(it))
    if case in shown and not (SOAK or settings.list_lag or settings.rate_limit):
        return False
    shown.add(case)
    return True


def the_next_plan_is_empty(it, scenario, switches):
    if first_to_leave(it, "plan", scenario, switches):
        assert not any(line.change.action.writes for line in it.plan().report.changes)


def the_next_run_finishes(it, scenario, switches):
    """Some time later."""
    if first_to_leave(it, "apply", scenario, switches):
        story = SCENARIOS[scenario]
        it.clock.sleep(10)
        assert it.apply().exit_code is Exit.DONE
        assert as_declared(it, story)
        assert effects(it) == Counter(story.effects)


def strike_from(it, fault, first):
    """Let the fault strike every POST from `first` on: it is armed while the one before waits."""
    posts = []

    def reached(moment):
        if (moment.request.method, moment.phase) == ("POST", Phase.BEFORE):
            posts.append(moment)
            if len(posts) == first - 1:
                it.server.arm(f"{fault}:method=POST")

    it.server.reached = reached
    if first == 1:
        it.server.arm(f"{fault}:method=POST")


def struck_once(scenario, *faults, switches, in_process=True):
    """Each fault strikes one request of the run: the run itself makes good for it."""
    story = SCENARIOS[scenario]
    with acted_out(story, in_process=in_process, **switches) as it:
        before = it.stored()
        planned = plan_of(scenario, *switches.items()) if in_process else it.plan()
        it.server.log.clear()
        it.server.arm(*faults)
        report = it.apply(planned)
        assert hit(it)
        assert {request_of(entry) for entry in it.posts()} <= allowed_requests(planned)
        assert report.exit_code is Exit.DONE
        assert statuses(report) <= {"done", "already"}
        assert effects(it) == Counter(story.effects)
        assert as_declared(it, story)
        if "mtr_e" in before:
            assert it.stored()["mtr_e"] == before["mtr_e"]
        it.server.disarm()
        the_next_plan_is_empty(it, scenario, switches)


def struck_for_good(scenario, fault, at, switches):
    """From request `at` on all that writes fails: the report owns up, and the next run finishes."""
    story = SCENARIOS[scenario]
    with acted_out(story, in_process=True, **switches) as it:
        planned = plan_of(scenario, *switches.items())
        strike_from(it, fault, at)
        report = it.apply(planned)
        happened, came = effects(it), Counter(story.effects)
        assert happened <= came
        assert {request_of(entry) for entry in it.posts()} <= allowed_requests(planned)
        exits = {Exit.DONE} if happened == came else {Exit.FAILED, Exit.PARTIAL}
        assert report.exit_code in exits | ({Exit.PARTIAL} if ":after" in fault else set())
        assert (report.exit_code is Exit.FAILED) <= (not happened)
        if fault.startswith("429"):
            assert (report.exit_code is Exit.PARTIAL) <= bool(happened)
        assert (report.exit_code is Exit.DONE) is (statuses(report) <= {"done", "already"})
        it.server.disarm()
        the_next_run_finishes(it, scenario, switches)


def writes(names=SCENARIOS):
    """Each scenario with each of its requests."""
    return [(name, at) for name in names for at in range(1, SCENARIOS[name].requests + 1)]


def fits(scenario, switch):
    """A name that is taken for ever cannot be given to a new meter; that has its own test."""
    return switch != TAKEN or scenario not in NEEDS_NAME


def switched(rows):
    """Each row, which begins with a scenario, with each switch that fits."""
    return [(*row, switch) for row in rows for switch in SWITCHES if fits(row[0], switch)]


@pytest.mark.parametrize(("scenario", "at"), writes())
def test_one_fault_at_any_request_changes_nothing(scenario, at):
    """Each fault in turn strikes a request that writes: exit 0, each effect once."""
    in_process = scenario != "every kind"
    for fault in FAULTS:
        struck_once(scenario, f"{fault}:post={at}", switches={}, in_process=in_process)


@pytest.mark.parametrize(("scenario", "switch"), switched((name,) for name in SCENARIOS))
def test_every_switch_bears_the_worst_faults(scenario, switch):
    """An answer lost after the effect, and a stored failure before it."""
    struck_once(scenario, "reset:after:post=1", switches=SWITCHES[switch])
    struck_once(scenario, "500:before:post=1", switches=SWITCHES[switch])


@pytest.mark.parametrize(
    "fault", ["503:before", "reset:before", "garbage:after", "truncated:after"]
)
@pytest.mark.parametrize("at", READS)
def test_one_fault_at_any_look_changes_nothing(fault, at):
    """The reads between the writes, and those of the verification."""
    fault = f"{fault}:method=GET:nth={at}"
    struck_once("every kind", fault, switches={}, in_process=False)


@pytest.mark.parametrize(("scenario", "at"), writes(ONE_KIND))
@pytest.mark.parametrize("fault", ["500:before", "reset:after", "429:before", "garbage:after"])
def test_what_fails_for_good_is_owned_up_to(scenario, at, fault):
    """1 if nothing can have been written, 5 otherwise; the next run ends as declared."""
    struck_for_good(scenario, fault, at, {})


@pytest.mark.parametrize(("scenario", "at"), writes(ONE_KIND))
@pytest.mark.parametrize("fault", ["401:before", "403:before"])
def test_a_key_that_is_denied_for_good_is_told_from_a_lost_effect(scenario, at, fault):
    """6 where nothing had an effect, 5 where something had; each request is denied once."""
    story = SCENARIOS[scenario]
    with acted_out(story, in_process=True) as it:
        planned = plan_of(scenario)
        strike_from(it, fault, at)
        report = it.apply(planned)
        happened = effects(it)
        assert report.exit_code is (Exit.PARTIAL if happened else Exit.DENIED)
        assert happened.total() == at - 1
        assert len(it.posts()) == at + (scenario.startswith("replace") and at == 2)
        it.server.disarm()
        the_next_run_finishes(it, scenario, {})


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_a_network_that_delivers_every_request_twice_changes_nothing(scenario):
    """Every first answer says that it was stored; the effects are those of this run."""
    story = SCENARIOS[scenario]
    with acted_out(story) as it:
        planned = it.plan()
        it.server.arm("dup")
        report = it.apply(planned)
        assert (report.exit_code, statuses(report)) == (Exit.DONE, {"done"})
        assert effects(it) == Counter(story.effects)
        assert as_declared(it, story)


@pytest.mark.parametrize("twice", [(), ("dup:post=1",), ("dup",)], ids=["once", "first", "all"])
@pytest.mark.parametrize("switch", SWITCHES)
def test_a_successor_that_is_always_rejected_leaves_the_old_meter_active(switch, twice):
    """Only the create fails: the old meter is deactivated, reactivated and reported so.

    Also if the network delivers the deactivation, or every request, twice.
    """
    story = SCENARIOS["replace by a new one"]
    with acted_out(story, **SWITCHES[switch]) as it:
        planned = it.plan()
        if switch != TAKEN:
            it.server.arm("500:before:path=/v1/billing/meters:method=POST")
        it.server.arm(*twice)
        report = it.apply(planned)
        assert effects(it) == Counter(["deactivated old", "reactivated old"])
        assert {request_of(entry) for entry in it.posts()} <= allowed_requests(planned)
        (line,) = report.changes
        assert (report.exit_code, line.result.error.code) == (Exit.PARTIAL, "A006")
        assert it.list_all()["mtr_o"].active


@pytest.mark.parametrize("switch", SWITCHES)
@pytest.mark.parametrize("scenario", ["create", "reactivate"])
def test_a_name_that_was_given_away_meanwhile_is_not_taken(scenario, switch):
    """However it is refused: nothing of ours happened, and the next run finds what is there."""
    story = SCENARIOS[scenario]
    with acted_out(story, **SWITCHES[switch]) as it:
        planned = it.plan()
        (desired,) = story.declared
        other = replace(desired.meter, display_name="Theirs").as_api()
        if not (switch == TAKEN and story.meters):
            it.server.edit("/v1/billing/meters", {k: v for k, v in other.items() if v})
            before = it.stored()
            report = it.apply(planned)
            assert report.exit_code in (Exit.FAILED, Exit.PARTIAL, Exit.STALE)
            assert {request_of(entry) for entry in it.posts()} <= allowed_requests(planned)
            assert it.stored() == before
            it.clock.sleep(10)
        assert it.apply().exit_code is Exit.DONE
        assert as_declared(it, story)


@pytest.mark.full
@pytest.mark.parametrize(("scenario", "at", "switch"), switched(writes()))
def test_the_whole_product_of_single_faults(scenario, at, switch):
    """Every kind, every request, every fault, every switch."""
    for fault in FAULTS:
        struck_once(scenario, f"{fault}:post={at}", switches=SWITCHES[switch])


@pytest.mark.full
@pytest.mark.parametrize(("scenario", "at", "switch"), switched(writes()))
def test_the_whole_product_of_lasting_faults(scenario, at, switch):
    """From each request on, each fault for good."""
    for fault in FAULTS:
        struck_for_good(scenario, fault, at, SWITCHES[switch])


PAIRS = [
    (scenario, one, other)
    for scenario in SCENARIOS
    for one, other in combinations(SWITCHES, 2)
    if fits(scenario, one) and fits(scenario, other)
]


STRIDE = 1 if SOAK else 3


@pytest.mark.full
@pytest.mark.parametrize(("nth", "pair"), list(enumerate(PAIRS)))
def test_every_pair_of_switches(nth, pair):
    """With a third of the faults, in turn, at the last request, where most is at stake.

    Each switch meets each fault in many pairs; a soak strikes every pair with all of them.
    """
    scenario, one, other = pair
    at = SCENARIOS[scenario].requests
    for fault in FAULTS[nth % STRIDE :: STRIDE]:
        struck_once(scenario, f"{fault}:post={at}", switches=SWITCHES[one] | SWITCHES[other])


@pytest.mark.full
@pytest.mark.parametrize(
    ("scenario", "lost", "at"),
    [
        (scenario, lost, at)
        for scenario, lost in writes()
        for at in (READS if scenario == "every kind" else READS[:3])
    ],
)
def test_every_look_with_every_fault(scenario, lost, at):
    """Also the look that a lost answer asks for: reading is repeated until it says something.

    A denied read ends the run, and a read that arrives twice is no fault.
    """
    passing = [fault for fault in FAULTS if fault not in ("401:after", "403:after", "dup")]
    for fault in passing:
        last = f"reset:after:post={lost}"
        struck_once(scenario, last, f"{fault}:method=GET:nth={at}", switches={})
