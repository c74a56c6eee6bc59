"""Retry decisions: what is retried, after how long, and how often."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.stripe.retry import (
    ATTEMPTS,
    FIRST_WAIT,
    LONGEST_ADVICE,
    LONGEST_WAIT,
    Attempt,
    Budget,
    is_retryable,
    wait_before_retry,
)

NO_ANSWER = Attempt()
LIMITED = Attempt(status=429, limited=True)


@pytest.mark.parametrize(
    ("tried", "again"),
    [
        (NO_ANSWER, True),
        (Attempt(permanent=True), False),
        *((Attempt(status=status), True) for status in (409, 429, 500, 501, 503, 504, 520, 599)),
        *((Attempt(status=status), False) for status in (400, 401, 402, 403, 404, 424, 499)),
        (LIMITED, True),
        (Attempt(status=400, advice=True), True),
        (Attempt(status=404, advice=True), True),
        (Attempt(status=500, advice=False), False),
        (Attempt(status=520, advice=False), False),
        (Attempt(status=429, limited=True, advice=False), False),
        (Attempt(status=409, advice=False), False),
        (Attempt(status=500, replayed=True), False),
        (Attempt(status=500, replayed=True, advice=True), False),
        (Attempt(permanent=True, advice=True), False),
    ],
)
def test_what_is_retried(tried, again):
    """Stripe's advice overrides the status; a stored response would only be returned again."""
    assert is_retryable(tried) is again
    assert (wait_before_retry(1, tried, 0.5) is not None) is again


@pytest.mark.parametrize("attempt", range(1, ATTEMPTS))
def test_waits_double_up_to_a_ceiling_with_full_jitter(attempt):
    ceiling = min(LONGEST_WAIT, FIRST_WAIT * 2 ** (attempt - 1))
    assert wait_before_retry(attempt, NO_ANSWER, 0.0) == 0.0
    assert wait_before_retry(attempt, NO_ANSWER, 0.25) == pytest.approx(ceiling / 4)
    assert wait_before_retry(attempt, NO_ANSWER, 1.0) == pytest.approx(ceiling)


@pytest.mark.parametrize("attempt", range(1, ATTEMPTS))
def test_a_429_waits_at_least_half_the_ceiling(attempt):
    ceiling = min(LONGEST_WAIT, FIRST_WAIT * 2 ** (attempt - 1))
    assert wait_before_retry(attempt, LIMITED, 0.0) == pytest.approx(ceiling / 2)
    assert wait_before_retry(attempt, LIMITED, 1.0) == pytest.approx(ceiling)


@pytest.mark.parametrize(
    ("asked", "waited"), [(0.0, 0.25), (3.0, 3.0), (30.0, 30.0), (86_400.0, LONGEST_ADVICE)]
)
def test_a_retry_after_is_honoured_up_to_a_limit(asked, waited):
    """Stripe sends none; a gateway may."""
    assert wait_before_retry(1, Attempt(status=503, pause=asked), 0.5) == waited


def test_attempts_end():
    assert wait_before_retry(ATTEMPTS - 1, NO_ANSWER, 0.5) is not None
    assert wait_before_retry(ATTEMPTS, NO_ANSWER, 0.5) is None
    assert wait_before_retry(ATTEMPTS, Attempt(status=500, advice=True), 0.5) is None


@given(
    st.integers(1, ATTEMPTS + 2),
    st.builds(
        Attempt,
        status=st.none() | st.integers(200, 599),
        permanent=st.booleans(),
        advice=st.none() | st.booleans(),
        pause=st.none() | st.floats(0, 1e9),
        limited=st.booleans(),
        replayed=st.booleans(),
    ),
    st.floats(0, 1, exclude_max=True),
)
def test_no_wait_is_negative_or_long(attempt, tried, chance):
    wait = wait_before_retry(attempt, tried, chance)
    assert wait is None or 0 <= wait <= LONGEST_ADVICE


def test_an_outage_uses_the_budget_up():
    budget = Budget(most=3)
    assert [budget.spend(NO_ANSWER) for _ in range(5)] == [True, True, True, False, False]


def test_a_run_may_spend_fifty_retries():
    """Unless requests succeed in between."""
    budget = Budget()
    assert [budget.spend(NO_ANSWER) for _ in range(51)] == [True] * 50 + [False]


def test_success_adds_retries():
    """Two successes pay for one retry, up to a maximum."""
    budget = Budget(most=1)
    assert budget.spend(NO_ANSWER)
    budget.earn()
    assert not budget.spend(NO_ANSWER)
    for _ in range(9):
        budget.earn()
    assert [budget.spend(NO_ANSWER) for _ in range(2)] == [True, False]


def test_rejections_by_the_rate_limit_are_free():
    budget = Budget(most=1)
    assert all(budget.spend(LIMITED) for _ in range(100))
    assert budget.spend(NO_ANSWER)
