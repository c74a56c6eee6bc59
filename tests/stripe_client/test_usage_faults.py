"""Whatever goes wrong on the way: no event counts twice, and none is lost silently."""

from __future__ import annotations

import asyncio

from hypothesis import given
from hypothesis import strategies as st
from stripe_client.scripted import KEY
from stripe_client.usage import World, event, world

from reconciler import (
    AsyncMeterEvents,
    AsyncMeterEventsV2,
    MeterEvents,
    MeterEventsV2,
    ServiceError,
)
from reconciler.stripe.errors import DuplicateEventError, StripeError

KINDS = ("429", "409", "401", "403", "500", "503", "garbage", "truncated", "reset", "timeout")
CHANCES = st.sampled_from(["0.1", "0.5", "1"])
FAULTS = st.lists(
    st.builds(
        "{}:{}:chance={}:method=post".format,
        st.sampled_from(KINDS),
        st.sampled_from(["before", "after"]),
        CHANCES,
    )
    | st.builds("dup:chance={}:method=post".format, CHANCES),
    max_size=3,
)
DAYS = st.sampled_from(["0", "400", "901", "4000"])
CALLS = st.sampled_from(["v1", "v2", "stream", "async v1", "async v2", "async stream"])


def send(one: World, how: str, events: list) -> list:
    """Send events, and return those that arrived for certain."""
    return asyncio.run(_send_async(one, how, events)) if "async" in how else _send(one, how, events)


def _send(one, how, events):
    arrived = []
    with MeterEvents(KEY, **one.options) as v1, MeterEventsV2(KEY, **one.options) as v2:
        if how == "stream":
            try:
                v2.stream(events)
            except StripeError as error:
                return [each for each in events if each not in error.unsent]
            return events
        for each in events:
            try:
                (v1 if how == "v1" else v2).send(each)
            except DuplicateEventError:
                arrived.append(each)
            except ServiceError:
                continue
            else:
                arrived.append(each)
    return arrived


async def _send_async(one, how, events):
    arrived = []
    async with (
        AsyncMeterEvents(KEY, **one.options) as v1,
        AsyncMeterEventsV2(KEY, **one.options) as v2,
    ):
        if "stream" in how:
            try:
                await v2.stream(events)
            except StripeError as error:
                return [each for each in events if each not in error.unsent]
            return events
        for each in events:
            try:
                await (v1 if "v1" in how else v2).send(each)
            except DuplicateEventError:
                arrived.append(each)
            except ServiceError:
                continue
            else:
                arrived.append(each)
    return arrived


@given(st.data(), CALLS, st.lists(FAULTS, min_size=1, max_size=3), st.integers(0, 9))
def test_no_event_counts_twice_and_none_is_lost_silently(data, how, rounds, seed):
    """Each round sends what is not known to have arrived, under other faults, at a later time.

    Powers of 2 show which events count, and how often.
    """
    with world(chance_seed=seed) as one:
        size = data.draw(st.sampled_from([1, 3, 120] if "stream" in how else [1, 3]))
        events = [event(1 << n % 40, f"cus_{1 + n // 40 % 3}") for n in range(size)]
        left = events
        for faults in rounds:
            one.server.arm(*faults)
            arrived = send(one, how, left)
            left = [each for each in left if each not in arrived]
            _check_counts(one, [each for each in events if each not in left], left)
            one.server.advance(float(data.draw(DAYS)))
        send(one, how, left)
        _check_counts(one, events, [])


def _check_counts(one, arrived, unknown):
    """Whatever arrived counts once; what failed counts once, or not at all."""
    later = int(one.server.now()) // 60 * 60 + 600
    for customer in ("cus_1", "cus_2", "cus_3"):

        def add(some, whose=customer):
            return sum(
                int(e.texts["value"]) for e in some if e.texts["stripe_customer_id"] == whose
            )

        used = int(one.used(customer, end_time=later))
        extra = used - add(arrived)
        assert extra & add(unknown) == extra
