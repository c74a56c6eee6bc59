"""Which invoice ends the time in which lost usage can be sent again."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from reconciler.drift.deadlines import DRAFT, find_invoice_deadline
from reconciler.model.event import RESEND
from reconciler.model.subscription import BillingPeriod, PricePeriods

NOW = 100 * 86_400


@st.composite
def subscriptions(draw) -> BillingPeriod:
    """A period around now, of a subscription that began with it or earlier."""
    start = draw(st.integers(0, 40 * 24)) * 3600
    length = draw(st.integers(1, 40 * 24)) * 3600
    older = draw(st.sampled_from([0, 0, 3600, 50 * 86_400]))
    begin = NOW - start
    return BillingPeriod(f"sub_{draw(st.integers(0, 3))}", begin - older, begin, begin + length)


@given(st.lists(subscriptions(), max_size=5), st.integers(0, 50 * 24), st.integers(0, 50 * 24))
def test_the_first_open_invoice_with_lost_usage_decides(periods, since, last):
    """Compared with every invoice spelled out, hour by hour."""
    began, ended = NOW - max(since, last) * 3600, NOW - min(since, last) * 3600
    current = [one for one in periods if one.end + DRAFT > NOW]
    spans = [
        (one.subscription, start, end)
        for one in current
        for start, end in ((one.began, one.start), (one.start, one.end))
        if any(start <= at < end for at in range(began, ended + 1, 3600))
    ]
    open_ends = [end + DRAFT for _, _, end in spans if end + DRAFT > NOW]
    closed = [(name, end) for name, _, end in spans if end + DRAFT <= NOW]
    until = began + RESEND if began + RESEND > NOW else None
    known = [PricePeriods((one,)) for one in periods]
    found = find_invoice_deadline(known, (began, ended), until, NOW)
    if not spans:
        assert found is None
        return
    assert found is not None
    assert found.next_finalization == min(open_ends, default=None)
    assert found.finalized_before == max((end for _, end in closed), default=None)
    assert found.finalized_subscriptions == len({name for name, _ in closed})
    assert found.subscriptions == len({name for name, _, _ in spans})
    first = min(open_ends, default=NOW)
    assert (found.resend_limit == "invoice") == (not open_ends or (until or 0) > first)
