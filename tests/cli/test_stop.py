"""Signals in a real process: the second one ends it at once, and still leaves one document."""

from __future__ import annotations

import select
import signal
import subprocess
import sys
import threading
from contextlib import contextmanager

from cli.world import SEATS, existing
from published import held

from reconciler.emulator import Phase

TIMEOUT = 60  # seconds until a child that hangs fails its test, on a busy machine too


@contextmanager
def hanging_apply(made, method):
    """A process that applies; its first request of a method is answered when it says `answer`."""
    hanging, released = threading.Event(), threading.Event()

    def reached(moment):
        if moment.request.method == method and moment.phase is Phase.BEFORE:
            hanging.set()
            released.wait(TIMEOUT)

    made.server.reached = reached
    command = [sys.executable, "-m", "reconciler", "apply", str(made.folder), "--yes"]
    child = subprocess.Popen(
        [*command, "--format", "json"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    child.answer = released.set
    try:
        assert hanging.wait(TIMEOUT)
        yield child
    finally:
        released.set()
        child.kill()
        child.communicate()


def _said(child):
    """The first line on standard error, which has to come while the request hangs."""
    assert select.select([child.stderr], [], [], TIMEOUT)[0], "nothing was said"
    return child.stderr.readline()


def _ended(child):
    out, err = child.communicate(timeout=TIMEOUT)
    assert (child.returncode, held(out)["exit_code"]) == (130, 130)
    assert "Traceback" not in err


def test_one_signal_ends_a_run_that_only_reads(world):
    """Nothing is at stake: no answer is waited for."""
    made = world(SEATS, {"meters": [existing("seats", "Chairs")]})
    with hanging_apply(made, "GET") as child:
        child.send_signal(signal.SIGINT)
        _ended(child)


def test_the_second_signal_ends_a_run_that_writes(world):
    """The first one is answered by a line, and the request under way is waited for."""
    made = world(SEATS, {"meters": [existing("seats", "Chairs")]})
    with hanging_apply(made, "POST") as child:
        child.send_signal(signal.SIGINT)
        assert _said(child).startswith("Stopping: ")
        child.send_signal(signal.SIGTERM)
        _ended(child)


WHERE_AN_EXCEPTION_IS_IGNORED = """
import signal, weakref
from reconciler.cli.signals import Stop

class Module:
    "As the one that an import locks."

stop = Stop()
with stop.listening(lambda: None, lambda: False):
    stop.raise_on_signal()
    module = Module()
    reference = weakref.ref(module, lambda _: signal.raise_signal(signal.SIGTERM))
    try:
        del module
        signal.pause()
    except KeyboardInterrupt:
        print("interrupted", stop())
"""


def test_a_signal_that_arrives_where_no_exception_can_be_raised_is_received_again():
    """The import system has such places; Python would print a traceback, and go on."""
    words = [sys.executable, "-c", WHERE_AN_EXCEPTION_IS_IGNORED]
    child = subprocess.run(words, capture_output=True, text=True, timeout=TIMEOUT)
    assert (child.stdout, child.stderr, child.returncode) == ("interrupted True\n", "", 0)


INTERRUPTED_ANYWHERE = """
import itertools, signal, sys
from reconciler.cli.signals import Stop
from reconciler.clock import SystemClock

def lines_until(number, work):
    "Do it with a SIGHUP before one line of Python in it; whether it has that many lines."
    seen = itertools.count()
    def trace(frame, event, _):
        if event == "line" and next(seen) == number:
            signal.raise_signal(signal.SIGHUP)
        return trace
    sys.settrace(trace)
    work()
    sys.settrace(None)
    return next(seen) > number

def interrupt_everywhere(work):
    for number in itertools.count():
        stop, notified = Stop(), []
        with stop.listening(lambda: print("cut off"), lambda: False):
            stop.defer(lambda: notified.append(number))
            if not lines_until(number, lambda: work(stop)):
                return number
        assert (stop(), notified) == (True, [number])

def sleep(stop):
    SystemClock(stop).sleep(0.3)

def another_signal(_):
    signal.raise_signal(signal.SIGHUP)

print(interrupt_everywhere(sleep) > 3, interrupt_everywhere(another_signal) > 3)
"""


def test_a_signal_may_come_in_the_middle_of_anything():
    """Amid a wait, and amid the handling of another one: nothing waits for itself."""
    child = subprocess.run(
        [sys.executable, "-c", INTERRUPTED_ANYWHERE],
        capture_output=True,
        text=True,
        timeout=TIMEOUT,
    )
    assert (child.stdout, child.stderr) == ("True True\n", "")


def test_a_terminal_that_goes_away_does_not_cut_a_request_off(world):
    """However often it says so: what is under way is waited for, and the report is written."""
    made = world(SEATS, {"meters": [existing("seats", "Chairs")]})
    with hanging_apply(made, "POST") as child:
        for _ in range(3):
            child.send_signal(signal.SIGHUP)
        assert _said(child).startswith("Stopping: ")
        child.answer()
        _ended(child)
    assert len(made.posts()) == 1


def test_a_run_under_nohup_outlives_its_terminal(world):
    """SIGHUP is ignored where it was ignored from the beginning."""
    made = world(SEATS, {"meters": [existing("seats", "Chairs")]})
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with hanging_apply(made, "POST") as child:
            child.send_signal(signal.SIGHUP)
            child.answer()
            out, err = child.communicate(timeout=TIMEOUT)
    finally:
        signal.signal(signal.SIGHUP, before)
    assert (child.returncode, held(out)["exit_code"]) == (0, 0)
    assert "Stopping" not in err
