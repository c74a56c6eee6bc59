"""Bursts, steady rates, rejections; as many threads as an apply has, on a virtual clock."""

from __future__ import annotations

import heapq
from itertools import count

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace
from stripe_client.scripted import PATH, Scripted, a_list, http, to

from reconciler.emulator.requests.rate_limit import Bucket as Limit
from reconciler.model.project import Account, Platform
from reconciler.operations.apply_plan import count_workers
from reconciler.stripe.rate_limit import (
    SLOWEST,
    RateLimiter,
    fill_bucket,
    limit_burst,
    slow_down,
    speed_up,
    take,
)
from reconciler.stripe.retry import Attempt, wait_before_retry

LATENCY = 0.002  # seconds
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


def test_a_high_limit_allows_a_larger_burst():
    assert spread(1000, 21) == [0.0] * 20 + [pytest.approx(1 / 200)]
    assert spread(250, 6) == [0.0] * 5 + [pytest.approx(1 / 50)]


def test_a_pause_allows_one_burst():
    bucket, _ = take(fill_bucket(20, 0.0), 0.0)
    waits = []
    for _ in range(7):
        bucket, wait = take(bucket, 60.0)
        waits.append(wait)
    assert waits == pytest.approx([0] * 5 + [1 / 20, 2 / 20])


@given(st.floats(0.5, 2000), st.lists(st.floats(0, 2), min_size=1, max_size=60))
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
            allowed = max(limit_burst(limit), 1) + limit * (sent[last] - sent[first])
            assert last - first + 1 <= allowed + 1 + 1e-6


def test_a_clock_that_steps_back_adds_no_tokens():
    """Threads pass their times in any order."""
    bucket, _ = take(fill_bucket(1, 0.0), 10.0)
    assert take(bucket, 5.0)[1] == pytest.approx(1.0)


def test_concurrent_rejections_halve_the_rate_once():
    bucket = fill_bucket(24, 0.0)
    for _ in range(8):
        bucket = slow_down(bucket, claimed=0.5, now=1.0)
    assert bucket.rate == 12
    assert slow_down(bucket, claimed=1.1, now=1.2).rate == 6


@pytest.mark.parametrize(("limit", "start"), [(20, 20), (25, 25), (100, 25), (1000, 200)])
def test_a_high_limit_is_approached(limit, start):
    """It begins with what is likely to be allowed, and rises with every success."""
    bucket = fill_bucket(limit, 0.0)
    assert bucket.rate == start
    for moment in range(10_000):
        bucket = speed_up(bucket, moment)
    assert bucket.rate == limit


def accepting(rate, seconds=3.0, limit=50.0):
    """A bucket after successes at this rate, and then a rejection."""
    bucket = fill_bucket(limit, 0.0)
    for n in range(int(rate * seconds)):
        bucket = speed_up(bucket, n / rate)
    return slow_down(bucket, claimed=seconds, now=seconds)


@pytest.mark.parametrize("rate", [20, 25, 40])
def test_a_rejection_shows_what_is_accepted(rate):
    """The rate becomes that, and successes hardly raise it again."""
    bucket = accepting(rate)
    assert bucket.rate == pytest.approx(rate, rel=0.1)
    assert bucket.learned == pytest.approx(rate, rel=0.1)
    for n in range(100):
        bucket = speed_up(bucket, 3 + n / rate)
    assert bucket.rate <= bucket.learned + 1.1
    for n in range(10_000):
        bucket = speed_up(bucket, 10 + n / rate)
    assert bucket.rate == bucket.limit


def test_a_rejection_after_a_moment_shows_nothing():
    """Too few requests were accepted before it: a rate that was halved recovers soon."""
    bucket = accepting(100, seconds=0.2)
    assert (bucket.learned, bucket.ceiling) == (None, bucket.limit)


def learn(rejections, limit, rate=25):
    """The lesson of a limiter with as many rejections, among successes at this rate."""
    limiter = RateLimiter(limit, 0.0)
    for n in range(rate * 2):
        limiter.on_success(n / rate)
    for n in range(rejections):
        limiter.on_rejected(2.0 + n, 1.98)
    return limiter.lesson


@pytest.mark.parametrize(
    ("rejections", "limit", "lesson"),
    [(2, 100, (2, 25)), (1, 100, None), (3, 26, None), (0, 100, None), (9, None, None)],
)
def test_the_lesson_is_about_a_limit_that_is_too_high(rejections, limit, lesson):
    """Not about a few rejections, nor about a limit that is nearly right."""
    assert learn(rejections, limit) == lesson


def test_a_rejection_removes_the_burst_and_pauses():
    bucket = slow_down(fill_bucket(20, 0.0), claimed=0.0, now=0.0)
    assert take(bucket, 0.0)[1] == pytest.approx(0.15 + 1 / 10)


def test_what_waits_is_reserved_again_after_a_rejection():
    """At the former rate it would be rejected too."""
    limiter = RateLimiter(20, 0.0)
    waits = [limiter.reserve(0.0) for _ in range(25)]
    assert waits[-1] == pytest.approx(1.0)
    assert limiter.renew(0.0, waits[-1]) == 0.0
    limiter.on_rejected(0.0, 0.1)
    again = [limiter.renew(0.0, 0.2) for _ in range(3)]
    assert again == pytest.approx([0.15 - 0.1 + n / 10 for n in (1, 2, 3)])
    assert limiter.renew(0.2, 0.4) == 0.0
    assert limiter.reserved == 25


def test_the_rate_has_a_minimum_and_recovers():
    bucket = fill_bucket(20, 0.0)
    for moment in range(50):
        bucket = slow_down(bucket, claimed=moment, now=moment)
    assert bucket.rate == SLOWEST
    for moment in range(50, 250):
        bucket = speed_up(bucket, moment)
    assert bucket.rate == 20


def test_a_configured_rate_below_the_minimum_is_kept():
    assert slow_down(fill_bucket(0.1, 0.0), claimed=0.0, now=0.0).rate == 0.1
    assert spread(0.1, 2)[1] > 0


def test_without_a_limit_nothing_waits():
    pacer = RateLimiter(None, 0.0)
    pacer.on_rejected(0.0, 0.0)
    pacer.on_success(0.0)
    assert [pacer.reserve(0.0) for _ in range(100)] == [0.0] * 100
    assert pacer._bucket is None


@pytest.mark.parametrize("limit", [0, -1, float("nan")])
def test_a_rate_of_zero_is_rejected(limit):
    with pytest.raises(ValueError, match="above 0"):
        RateLimiter(limit, 0.0)


class Sliding:
    """A limit on the requests of the last second, without any other burst."""

    def __init__(self, limit: float, _: float) -> None:
        self.accepted: list[float] = []

    def take(self, limit: float, now: float) -> bool:
        self.accepted = [at for at in self.accepted if at > now - 1]
        if fits := len(self.accepted) < limit:
            self.accepted.append(now)
        return fits


def back_off(tries: int, chance: float) -> float:
    """The seconds before a request that was rejected is sent again."""
    wait = wait_before_retry(tries, LIMITED, chance)
    assert wait is not None, "a meter was given up"
    return wait


def race(
    meters: int,
    rate_limit: float,
    limit: float = 25.0,
    kind: type[Limit | Sliding] = Limit,
    latency: float = LATENCY,
) -> tuple[int, int, float]:
    """All workers create meters: how many succeed, how many refusals, in how many seconds.

    The limit is the emulator's own, or another kind; time jumps from one event to the next.
    """
    pacer, server = RateLimiter(rate_limit, 0.0), kind(limit, 0.0)
    todo, done, refusals, posts = meters, 0, 0, []
    order = count()
    workers = count_workers(Account("test", rate_limit=rate_limit))
    queue = [(0.0, next(order), "next", 0, 0.0) for _ in range(workers)]
    # when, in what order, what, tries so far, claimed

    def then(when: float, what: str, tries: int, claimed: float = 0.0) -> None:
        heapq.heappush(queue, (when, next(order), what, tries, claimed))

    while queue:
        now, _, what, tries, claimed = heapq.heappop(queue)
        if what == "next":
            todo -= tries == 0
            if tries or todo >= 0:
                then(now + pacer.reserve(now), "send", tries + 1, now)
        elif what == "send" and (wait := pacer.renew(claimed, now)):
            then(now + wait, "send", tries, now)
        elif what == "send":
            posts.append(now)
            then(now + latency, "done" if server.take(limit, now) else "refused", tries, now)
        elif what == "done":
            done += 1
            pacer.on_success(now)
            then(now, "next", 0)
        else:
            refusals += 1
            pacer.on_rejected(claimed, now)
            then(now + back_off(tries, refusals * 0.618 % 1), "next", tries)
    return done, refusals, posts[-1] - posts[0]


@pytest.mark.parametrize("meters", [100, 1000])
def test_below_the_limit_nothing_is_rejected(meters):
    """25 a second allowed, 24 used: no 429, and at most 1.15 times the ideal time."""
    done, refusals, seconds = race(meters, rate_limit=24)
    assert (done, refusals) == (meters, 0)
    assert seconds <= 1.15 * meters / 24


@pytest.mark.parametrize(("meters", "most"), [(100, 0.3), (1000, 1.3)])
def test_a_high_limit_is_reached_soon(meters, most):
    """1,000 a second allowed and configured, at 50 ms a request."""
    done, refusals, seconds = race(meters, rate_limit=1000, limit=1000, latency=0.05)
    assert (done, refusals) == (meters, 0)
    assert seconds <= most


@pytest.mark.parametrize("meters", [100, 1000])
@pytest.mark.parametrize("rate_limit", [30, 50, 100, 1000])
def test_above_the_limit_all_succeed_with_few_rejections(rate_limit, meters):
    done, refusals, seconds = race(meters, rate_limit)
    assert done == meters
    assert refusals <= max(10, 0.04 * meters)
    assert seconds <= 1.15 * meters / 25


@pytest.mark.parametrize("kind", [Limit, Sliding])
@pytest.mark.parametrize("latency", [LATENCY, 0.05, 0.3])
@pytest.mark.parametrize("rate_limit", [30, 50, 100, 1000])
def test_a_wrong_limit_costs_no_time(rate_limit, latency, kind):
    """100 meters take no longer than with the right limit, but for a few hundredths."""
    _, _, right = race(100, 25, kind=kind, latency=latency)
    done, _, seconds = race(100, rate_limit, kind=kind, latency=latency)
    assert done == 100
    assert seconds <= 1.1 * right


@pytest.mark.parametrize(
    ("rate_limit", "workers"), [(None, 8), (1, 8), (25, 8), (100, 30), (200, 60), (1000, 64)]
)
def test_as_many_changes_at_a_time_as_reach_the_limit(rate_limit, workers):
    """Not those of connected accounts, which share a limit."""
    account = Account("test", rate_limit=rate_limit)
    assert count_workers(account) == workers
    assert count_workers(replace(account, platform=Platform("platform"))) == 8


def test_a_request_that_waits_is_sent_at_the_rate_after_a_rejection(clock, monkeypatch):
    """Not when its turn would have been at the former rate."""
    with (
        Scripted(lambda _: http(200, a_list())) as server,
        to(server, clock, rate_limit=20) as transport,
    ):
        for _ in range(5):
            transport.get(PATH)
        sleep, began = clock.sleep, clock.monotonic()

        def reject_another(seconds):
            monkeypatch.undo()
            sleep(seconds)
            now = clock.monotonic()
            transport._rate_limiter.on_rejected(now, now)

        monkeypatch.setattr(clock, "sleep", reject_another)
        transport.get(PATH)
    assert clock.monotonic() - began == pytest.approx(1 / 20 + 0.15 + 1 / 10)
