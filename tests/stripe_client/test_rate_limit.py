"""Bursts, steady rates, rejections; eight threads on a virtual clock."""

from __future__ import annotations

import heapq

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.emulator.rate_limit import Bucket as Limit
from reconciler.stripe.rate_limit import (
    BURST,
    SLOWEST,
    RateLimiter,
    fill_bucket,
    slow_down,
    speed_up,
    take,
)
from reconciler.stripe.retry import Attempt, wait_before_retry

LATENCY = 0.002  # seconds
WAITING = -1.0
LIMITED = Attempt(status=429, limited=True)


def spread(limit: float, requests: int) -> list[float]:
    """The times at which requests that are all ready may be sent."""
    bucket, moments = fill_bucket(limit, 0.0), []
    for _ in range(requests):
        bucket, wait = take(bucket, 0.0)
        moments.append(wait)
    return moments


def test_a_burst_then_the_rate():
    moments = spread(20, 25)
    assert moments[:5] == [0.0] * 5
    assert moments[5:] == pytest.approx([n / 20 for n in range(1, 21)])


def test_a_pause_allows_one_burst():
    bucket, _ = take(fill_bucket(20, 0.0), 0.0)
    waits = []
    for _ in range(7):
        bucket, wait = take(bucket, 60.0)
        waits.append(wait)
    assert waits == pytest.approx([0] * 5 + [1 / 20, 2 / 20])


@given(st.floats(0.5, 200), st.lists(st.floats(0, 2), min_size=1, max_size=60))
def test_never_more_than_rate_and_burst(limit, gaps):
    """In any period."""
    bucket, now, sent = fill_bucket(limit, 0.0), 0.0, []
    for gap in gaps:
        now += gap
        bucket, wait = take(bucket, now)
        sent.append(now + wait)
    assert sent == sorted(sent)
    for first in range(len(sent)):
        for last in range(first, len(sent)):
            allowed = min(BURST, max(limit, 1)) + limit * (sent[last] - sent[first])
            assert last - first + 1 <= allowed + 1 + 1e-6


def test_a_clock_that_steps_back_adds_no_tokens():
    """Threads pass their times in any order."""
    bucket, _ = take(fill_bucket(1, 0.0), 10.0)
    assert take(bucket, 5.0)[1] == pytest.approx(1.0)


def test_concurrent_rejections_halve_the_rate_once():
    bucket = fill_bucket(100, 0.0)
    for _ in range(8):
        bucket = slow_down(bucket, claimed=0.5, now=1.0)
    assert bucket.rate == 50
    assert slow_down(bucket, claimed=1.1, now=1.2).rate == 25


def test_a_rejection_removes_the_burst():
    bucket = slow_down(fill_bucket(20, 0.0), claimed=0.0, now=0.0)
    assert take(bucket, 0.0)[1] == pytest.approx(1 / 10)


def test_the_rate_has_a_minimum_and_recovers():
    bucket = fill_bucket(20, 0.0)
    for moment in range(50):
        bucket = slow_down(bucket, claimed=moment, now=moment)
    assert bucket.rate == SLOWEST
    for _ in range(200):
        bucket = speed_up(bucket)
    assert bucket.rate == 20


def test_a_configured_rate_below_the_minimum_is_kept():
    assert slow_down(fill_bucket(0.1, 0.0), claimed=0.0, now=0.0).rate == 0.1
    assert spread(0.1, 2)[1] > 0


def test_without_a_limit_nothing_waits():
    pacer = RateLimiter(None, 0.0)
    pacer.on_rejected(0.0, 0.0)
    pacer.on_success()
    assert [pacer.reserve(0.0) for _ in range(100)] == [0.0] * 100
    assert pacer.rate is None


@pytest.mark.parametrize("limit", [0, -1, float("nan")])
def test_a_rate_of_zero_is_rejected(limit):
    with pytest.raises(ValueError, match="above 0"):
        RateLimiter(limit, 0.0)


def race(meters: int, rate_limit: float, limit: float = 25.0) -> tuple[int, int, float]:
    """Eight workers create meters: how many succeed, how many refusals, in how many seconds.

    The limit is the emulator's own; time jumps from one event to the next.
    """
    pacer, server = RateLimiter(rate_limit, 0.0), Limit(limit, 0.0)
    todo, done, refusals, posts = meters, 0, 0, []
    queue = [(0.0, worker, 0, WAITING) for worker in range(8)]  # when, who, tries so far, claimed
    while queue:
        now, worker, tries, claimed = heapq.heappop(queue)
        if claimed == WAITING:
            todo -= tries == 0
            if tries or todo >= 0:
                heapq.heappush(queue, (now + pacer.reserve(now), worker, tries + 1, now))
            continue
        posts.append(now)
        answered = now + LATENCY
        if server.take(limit, now):
            done += 1
            pacer.on_success()
            heapq.heappush(queue, (answered, worker, 0, WAITING))
        else:
            refusals += 1
            pacer.on_rejected(claimed, answered)
            wait = wait_before_retry(tries, LIMITED, refusals * 0.618 % 1)
            assert wait is not None, "a meter was given up"
            heapq.heappush(queue, (answered + wait, worker, tries, WAITING))
    return done, refusals, posts[-1] - posts[0]


@pytest.mark.parametrize("meters", [100, 1000])
def test_below_the_limit_nothing_is_rejected(meters):
    """25 a second allowed, 24 used: no 429, and at most 1.15 times the ideal time."""
    done, refusals, seconds = race(meters, rate_limit=24)
    assert (done, refusals) == (meters, 0)
    assert seconds <= 1.15 * meters / 24


@pytest.mark.parametrize("meters", [100, 1000])
@pytest.mark.parametrize("rate_limit", [30, 50, 100, 1000])
def test_above_the_limit_all_succeed_with_few_rejections(rate_limit, meters):
    done, refusals, seconds = race(meters, rate_limit)
    assert done == meters
    assert refusals <= 0.15 * (meters + refusals)
    assert seconds <= 1.15 * meters / 25
