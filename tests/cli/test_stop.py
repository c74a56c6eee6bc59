"""Signals in a real process: the second one ends it at once, and still leaves one document."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
from contextlib import contextmanager

from cli.world import SEATS, existing
from published import held

from reconciler.emulator import Phase


@contextmanager
def hanging_apply(made, method):
    """A process that applies; its first request of a method is answered when it says `answer`."""
    hanging, released = threading.Event(), threading.Event()

    def reached(moment):
        if moment.request.method == method and moment.phase is Phase.BEFORE:
            hanging.set()
            released.wait(30)

    made.server.reached = reached
    command = [sys.executable, "-m", "reconciler", "apply", str(made.folder), "--yes"]
    child = subprocess.Popen(
        [*command, "--format", "json"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    child.answer = released.set
    try:
        assert hanging.wait(20)
        yield child
    finally:
        released.set()
        child.kill()
        child.communicate()


def _ended(child):
    out, err = child.communicate(timeout=5)
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
        assert child.stderr.readline().startswith("Stopping: ")
        child.send_signal(signal.SIGTERM)
        _ended(child)


def test_a_terminal_that_goes_away_does_not_cut_a_request_off(world):
    """However often it says so: what is under way is waited for, and the report is written."""
    made = world(SEATS, {"meters": [existing("seats", "Chairs")]})
    with hanging_apply(made, "POST") as child:
        for _ in range(3):
            child.send_signal(signal.SIGHUP)
        assert child.stderr.readline().startswith("Stopping: ")
        child.answer()
        _ended(child)
    assert len(made.posts()) == 1
