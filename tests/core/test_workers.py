"""The end of a run while requests are under way: a grace for them, and no new ones."""

from __future__ import annotations

import threading
from collections import Counter
from dataclasses import replace

import pytest
from core.account import NOW, Account, fails, lost, run_of, snapshot
from core.test_apply import crowd, statuses
from core.worlds import declare, existing, lines, stopped
from virtual import VirtualClock

from reconciler.diagnostics.errors import ServiceError
from reconciler.execution.executor import apply

GRACE = 10.0


@pytest.mark.parametrize(("answered", "asked"), [(None, 8), (3, 12), (7, 16), (8, 8)])
def test_an_account_that_answers_nothing_is_not_asked_for_every_line(answered, asked):
    """Each would wait for its timeouts: a build's own patience ends first, and takes the report.

    Eight lines in a row that nobody can settle are enough; one that is settled begins anew.
    """
    silent = {"read": fails(ServiceError), "find": fails(ServiceError)}
    script = [snapshot() if n == answered else lost() for n in range(40)]
    account = Account([], *script)
    account.blind = silent
    ended = apply(run_of(account, *lines(crowd(40), []), workers=1))
    assert len(account.requests) == asked
    found = Counter(str(line.result.status) for line in ended)
    assert found["skipped"] == 40 - asked
    last = ended[-1].result.error
    assert (last.code, "Stripe is not responding" in last.message) == ("A007", True)


def test_nor_is_one_that_cannot_even_be_read():
    """Waking begins with a look, so nothing was sent of any line."""
    meters = [stopped(f"mtr_{n}", f"m{n:02}") for n in range(40)]
    account = Account(meters)
    account.blind = {"read": fails(ServiceError)}
    ended = apply(run_of(account, *lines(crowd(40), meters), workers=1))
    assert (account.requests, len(account.looks)) == ([], 8)
    assert Counter(str(line.result.status) for line in ended) == {"failed": 8, "skipped": 32}


class Gate:
    """Holds the request of a line until it is opened; `held` says whether it was in time."""

    def __init__(self, name):
        self.name = name
        self.reached, self.opened = threading.Event(), threading.Event()
        self.held = []

    def __call__(self, _, step):
        if step.change.event_name == self.name:
            self.reached.set()
            self.held.append(self.opened.wait(5))


class Hands(VirtualClock):
    """A clock that shows these seconds one after another, and at the last one opens a gate."""

    def __init__(self, gate, *seconds):
        super().__init__(NOW)
        self.gate, self.seconds = gate, list(seconds)

    def monotonic(self):
        if len(self.seconds) == 1:
            self.gate.opened.set()
        return self.seconds.pop(0) if len(self.seconds) > 1 else self.seconds[0]


def gated(name, count):
    gate = Gate(name)
    account = Account([])
    account.before = gate
    return gate, account, run_of(account, *lines(crowd(count), []), workers=1)


def test_what_ends_within_the_grace_is_done():
    """Until the tenth second after the signal; the report then tells what was seen."""
    gate, _, run = gated("m00", 2)
    clock = Hands(gate, 0.0, GRACE)
    ended = apply(replace(run, clock=clock, stopped=gate.reached.is_set))
    assert statuses(ended) == {"m00": "done", "m01": "skipped"}
    assert gate.held == [True]


def test_a_replacement_that_takes_longer_is_said_loudly():
    """Nobody knows how far it came: the old meter may be stopped."""
    gate, old = Gate("m00"), existing("mtr_o", "m00", formula="count")
    account = Account([old])
    account.before = gate
    desired = declare("m00", retires=("mtr_o",))
    run = run_of(
        account, *lines([desired], [old]), recovery_command="wake {id}", stopped=gate.reached.is_set
    )
    (line,) = apply(replace(run, clock=Hands(gate, 0.0, GRACE + 0.1, 0.0)))
    gate.opened.set()
    error = line.result.error
    assert (str(line.result.status), error.code, error.location) == (
        "unknown",
        "A005",
        desired.location,
    )
    assert error.message.endswith(
        "usage is being lost: 'm00' was in progress when the run was interrupted"
    )
    assert "`wake mtr_o`" in error.hint


def test_what_takes_longer_is_unknown_and_said():
    """It may still have an effect, which the next run will see."""
    gate, _, run = gated("m00", 1)
    clock = Hands(gate, 0.0, GRACE + 0.1, 0.0)
    (line,) = apply(replace(run, clock=clock, stopped=gate.reached.is_set))
    gate.opened.set()
    assert str(line.result.status) == "unknown"
    assert line.result.error.message == "'m00' was in progress when the run was interrupted"


def test_a_second_interrupt_waits_for_nothing_and_begins_nothing():
    """The request under way is left to itself, and no line after it is begun."""
    gate, account, run = gated("m01", 4)

    def interrupt(line):
        gate.reached.wait(5)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        apply(replace(run, on_result=interrupt))
    assert not gate.opened.is_set()
    gate.opened.set()
    for thread in threading.enumerate():
        if thread.name.startswith("ThreadPoolExecutor"):
            thread.join(5)
    assert gate.held == [True]
    assert [name for _, name in account.sent] == ["m00", "m01"]
