"""The end of a run while requests are in progress: they are finished, and no others begin."""

from __future__ import annotations

import threading
from collections import Counter

import pytest
from builders.fake_account import NOW, Account, confirmed, lost_request, read_error, run_of
from builders.meters import decide_all, declare, existing, inactive
from execution.test_executor import crowd, statuses
from msgspec.structs import replace
from virtual import VirtualClock

from reconciler.diagnostics.errors import ServiceError
from reconciler.execution.executor import apply

GRACE = 10.0


@pytest.mark.parametrize(("answered", "asked"), [(None, 8), (3, 12), (7, 16), (8, 8)])
def test_after_eight_unconfirmed_changes_the_run_gives_up(answered, asked):
    """A confirmed one starts the count again."""
    silent = {"read": read_error(ServiceError), "find": read_error(ServiceError)}
    script = [confirmed() if n == answered else lost_request() for n in range(40)]
    account = Account([], *script)
    account.blind = silent
    ended = apply(run_of(account, *decide_all(crowd(40), []), workers=1))
    assert len(account.requests) == asked
    found = Counter(str(line.result.status) for line in ended)
    assert found["skipped"] == 40 - asked
    last = ended[-1].result.error
    assert (last.code, "Stripe is not responding" in last.message) == ("A007", True)


def test_after_eight_unreadable_meters_the_run_gives_up():
    meters = [inactive(f"mtr_{n}", f"m{n:02}") for n in range(40)]
    account = Account(meters)
    account.blind = {"read": read_error(ServiceError)}
    ended = apply(run_of(account, *decide_all(crowd(40), meters), workers=1))
    assert (account.requests, len(account.looks)) == ([], 8)
    assert Counter(str(line.result.status) for line in ended) == {"failed": 8, "skipped": 32}


class Gate:
    """Hold the request of a change until it is opened; `held` says whether it was in time."""

    def __init__(self, name):
        self.name = name
        self.reached, self.opened = threading.Event(), threading.Event()
        self.held = []

    def __call__(self, _, step):
        if step.change.event_name == self.name:
            self.hold()

    def hold(self):
        self.reached.set()
        self.held.append(self.opened.wait(5))


class Steps(VirtualClock):
    """A clock with these times in turn; the last one opens a gate."""

    def __init__(self, gate, *seconds):
        super().__init__(NOW)
        self.gate, self.seconds = gate, list(seconds)

    def monotonic(self):
        if len(self.seconds) == 1:
            self.gate.opened.set()
        return self.seconds.pop(0) if len(self.seconds) > 1 else self.seconds[0]


def join_workers():
    """Wait for the threads that a run has abandoned."""
    for thread in threading.enumerate():
        if thread.name.startswith("ThreadPoolExecutor"):
            thread.join(5)


def gated(name, count):
    gate = Gate(name)
    account = Account([])
    account.before = gate
    return gate, account, run_of(account, *decide_all(crowd(count), []), workers=1)


@pytest.mark.parametrize("moments", [(0.0, GRACE), (0.0, 6 * GRACE, 7 * GRACE)])
def test_a_request_in_progress_is_waited_for(moments):
    """It may have its effect; nothing else begins."""
    gate, _, run = gated("m00", 2)
    ended = apply(replace(run, clock=Steps(gate, *moments), stopped=gate.reached.is_set))
    assert statuses(ended) == {"m00": "done", "m01": "skipped"}
    assert gate.held == [True]


@pytest.mark.parametrize("operation", ["deactivate", "create"])
def test_a_replacement_is_finished_however_long_it_takes(operation):
    """Otherwise the name would have no active meter."""
    gate, old = Gate("m00"), existing("mtr_o", "m00", formula="count")
    account = Account([old])
    account.before = lambda it, step: step.operation == operation and gate(it, step)
    run = run_of(account, *decide_all([declare("m00", retires=("mtr_o",))], [old]))
    clock = Steps(gate, 0.0, 6 * GRACE, 7 * GRACE)
    (line,) = apply(replace(run, clock=clock, stopped=gate.reached.is_set))
    assert str(line.result.status) == "done"
    assert account.sent == [("deactivate", "mtr_o"), ("create", "m00")]
    assert gate.held == [True]


def test_without_an_interrupt_a_slow_read_is_waited_for():
    """However much time passes."""
    gate, meter, polls = Gate("m00"), inactive("mtr_w", "m00"), []

    class Slow(Account):
        def read(self, meter_id):
            gate.hold()
            return super().read(meter_id)

    def poll():
        if threading.current_thread() is threading.main_thread():
            polls.append(run.clock.sleep(6 * GRACE))
            if len(polls) == 3:
                gate.opened.set()
        return False

    run = run_of(Slow([meter]), *decide_all(crowd(1), [meter]))
    run = replace(run, clock=VirtualClock(NOW), stopped=poll)
    assert statuses(apply(run)) == {"m00": "done"}
    assert gate.held == [True]


@pytest.mark.parametrize("moments", [(0.0, GRACE), (0.0, GRACE + 0.1, 0.0)])
def test_a_read_that_exceeds_the_grace_period_is_abandoned(moments):
    """Its change has sent nothing, and does not begin afterwards."""
    gate, meter = Gate("m00"), inactive("mtr_w", "m00")

    class Slow(Account):
        def read(self, meter_id):
            gate.hold()
            return super().read(meter_id)

    account = Slow([meter])
    run = run_of(account, *decide_all(crowd(1), [meter]), stopped=gate.reached.is_set)
    (line,) = apply(replace(run, clock=Steps(gate, *moments)))
    gate.opened.set()
    join_workers()
    assert (str(line.result.status), line.result.error.code) == ("skipped", "A008")
    assert (account.requests, gate.held) == ([], [True])


def test_a_second_interrupt_waits_for_nothing_and_begins_nothing():
    gate, account, run = gated("m01", 4)

    def interrupt(line):
        gate.reached.wait(5)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        apply(replace(run, on_result=interrupt))
    assert not gate.opened.is_set()
    gate.opened.set()
    join_workers()
    assert gate.held == [True]
    assert [name for _, name in account.sent] == ["m00", "m01"]


@pytest.mark.parametrize("signalled", [False, True])
@pytest.mark.parametrize("doubts", [0, 1])
@pytest.mark.parametrize("edit", [None, "display_name", "unreadable"])
def test_an_attempt_is_repeated_while_the_meter_is_as_planned(signalled, doubts, edit):
    """After a signal only one that may have had an effect is."""
    account, signals = Account([existing()]), []
    agreed = []

    def answer(it, step):
        signals.extend([1] if signalled else [])
        if edit == "unreadable":
            it.blind = {"read": read_error(ServiceError)}
        elif edit:
            it.change("mtr_a", display_name="Theirs")
        lost = lost_request(503 if doubts else 429, doubts=doubts)(it, step)
        agreed.append(it.may_retry(lost.record))
        return lost

    account.script = [answer]
    changes = decide_all([declare(display="New")], [existing()])
    apply(run_of(account, *changes, workers=1, stopped=lambda: bool(signals)))
    assert agreed == [edit is None and (doubts > 0 or not signalled)]


def test_a_create_is_repeated_without_a_reading():
    account, agreed = Account([]), []

    def answer(it, step):
        agreed.append(it.may_retry(lost_request()(it, step).record))
        return confirmed()(it, step)

    account.script = [answer]
    apply(run_of(account, *decide_all([declare()], []), workers=1))
    assert (agreed, account.looks) == ([True], [])
