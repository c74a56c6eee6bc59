"""The system clock: how long a sleep lasts, with and without an interruption."""

from __future__ import annotations

import pytest

from reconciler import clock
from reconciler.clock import SystemClock


class Time:
    """A replacement for the module `time` in which sleeps return at once."""

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
def test_how_long_a_sleep_lasts(passing, seconds):
    SystemClock().sleep(seconds)
    assert passing.passed == pytest.approx(max(0.0, seconds))


def test_an_interruption_ends_a_sleep_within_a_tenth_of_a_second(passing):
    SystemClock(lambda: passing.passed > 1).sleep(30)
    assert 1 < passing.passed < 1.2


def test_a_clock_that_ignores_interruptions(passing):
    """The original clock is not changed."""
    clock = SystemClock(lambda: True)
    clock.ignoring_stop().sleep(30)
    assert passing.passed == pytest.approx(30)
    clock.sleep(30)
    assert passing.passed == pytest.approx(30)
