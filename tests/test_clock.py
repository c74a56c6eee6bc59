"""The real clock: how long a sleep lasts, with and without a stop (time itself is replaced)."""

from __future__ import annotations

import pytest

from reconciler import clock
from reconciler.clock import SystemClock


class Time:
    """Stands for the module `time`; a sleep passes at once."""

    def __init__(self):
        self.passed = 0.0

    def monotonic(self):
        return self.passed

    def sleep(self, seconds):
        assert seconds > 0
        self.passed += seconds


@pytest.fixture
def passing(monkeypatch):
    monkeypatch.setattr(clock, "time", Time())
    return clock.time


@pytest.mark.parametrize("seconds", [-1.0, 0.0, 0.05, 0.1, 2.5, 30.0])
def test_a_sleep_lasts_as_long_as_it_was_asked_for(passing, seconds):
    """Neither shorter nor longer, in whatever pieces."""
    SystemClock().sleep(seconds)
    assert passing.passed == pytest.approx(max(0.0, seconds))


def test_a_stop_ends_a_sleep_soon(passing):
    """Within a tenth of a second."""
    SystemClock(lambda: passing.passed > 1).sleep(30)
    assert 1 < passing.passed < 1.2


def test_no_stop_ends_the_sleeps_of_what_has_to_be_finished(passing):
    """Nor does that clock change the one that it came from."""
    heeding = SystemClock(lambda: True)
    heeding.ignoring_stop().sleep(30)
    assert passing.passed == pytest.approx(30)
    heeding.sleep(30)
    assert passing.passed == pytest.approx(30)
