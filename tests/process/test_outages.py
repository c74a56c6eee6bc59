"""An outage after the first signal: what has begun outlasts it at its normal pace (real time)."""

from __future__ import annotations

import signal
import threading
import time
from collections import Counter

import pytest
from process.children import TIMEOUT, apply
from process.test_kill import succeeded
from process.test_signals import interrupted

from reconciler.emulator import Phase

SECONDS = 2.5
STOP = 20  # the number of the POST that deactivates the old meter of over_1
TRIES = 5  # of one request, before the account is looked at
NAMED = "/v1/billing/meters/mtr_named_2"


def outage(stand, kind, path="*"):
    """From now on no POST of the path succeeds, nor the next three reads."""
    stand.server.arm(f"{kind}:method=POST:path={path}", f"{kind}:method=GET:times=3")


def active(stand, name):
    found = [meter for meter in stand.meters.values() if meter["event_name"] == name]
    return [meter["id"] for meter in found if meter["status"] == "active"]


@pytest.mark.parametrize(
    ("kind", "answer"),
    [
        ("503", "arrives"),
        ("reset", "is lost"),
        pytest.param("503", "is lost", marks=pytest.mark.full),
        pytest.param("reset", "arrives", marks=pytest.mark.full),
    ],
)
def test_a_replacement_outlasts_an_outage_between_its_halves(stand, kind, answer):
    """The signal comes right after the deactivate: the name has its meter in the end."""
    begun = []

    def stop(*_):
        child.stop(signal.SIGINT)
        outage(stand, kind)
        threading.Timer(SECONDS, stand.server.disarm).start()
        begun.append(time.monotonic())
        if answer == "is lost":
            raise ConnectionAbortedError

    stand.at(STOP, Phase.AFTER, stop)
    child = apply(stand.folder)
    ended = child.end()

    assert time.monotonic() - begun[0] > SECONDS
    assert interrupted(stand, ended) == {"done": 15, "skipped": 4}
    assert ended.results["over_1"] == "done"
    (one,) = active(stand, "over_1")
    assert one != "mtr_over_1"
    assert STOP < stand.posts <= STOP + 3 * TRIES
    assert max(stand.effects.values()) == 1
    stand.hook = lambda *_: None
    succeeded(stand, apply(stand.folder).end())


def test_an_update_that_may_have_been_done_is_finished_too(stand):
    """The signal comes before its answer, a 503; what comes after it in the plan is not begun."""
    outage(stand, "503", NAMED)
    asked = Counter()

    def stop(_, moment):
        path = moment.request.path
        if moment.request.method == "POST" and moment.phase is Phase.AFTER:
            asked[path] += 1
            if path == NAMED and asked[path] == 1:
                child.stop(signal.SIGTERM)
            elif path == NAMED:
                stand.server.disarm()

    stand.hook = stop
    child = apply(stand.folder)
    ended = child.end()

    assert set(interrupted(stand, ended)) == {"done", "skipped"}
    assert (ended.results["named_2"], ended.results["again_1"]) == ("done", "skipped")
    assert asked[NAMED] == 3
    assert stand.meters["mtr_named_2"]["display_name"] == "Wanted"


def test_a_second_signal_ends_the_wait_for_the_end_of_an_outage(stand):
    """At once, with one document that says what may have happened."""
    failed = threading.Event()

    def stop(number, moment):
        if moment.request.method == "POST" and moment.phase is Phase.AFTER:
            if number == STOP:
                child.stop(signal.SIGINT)
                outage(stand, "503")
            elif number > STOP:
                failed.set()

    stand.hook = stop
    child = apply(stand.folder)
    assert failed.wait(TIMEOUT)
    child.process.send_signal(signal.SIGINT)
    child.process.wait(10)  # else it would try for a quarter of a minute at least

    ended = child.end()

    assert ended.code == ended.document["exit_code"] == 130
    assert ended.out.count("U102") == 1
    assert stand.posts <= STOP + TRIES
    assert not active(stand, "over_1")
    stand.server.disarm()
    stand.hook = lambda *_: None
    succeeded(stand, apply(stand.folder).end())
