"""The asynchronous client: the same calls; nothing hangs at an end or when cancelled."""

from __future__ import annotations

import asyncio
import inspect
import threading

import pytest
from stripe_client.scripted import KEY, Scripted, http, refusal
from stripe_client.usage import event, world

from reconciler import AsyncMeterEvents, AsyncMeterEventsV2, MeterEvents, MeterEventsV2
from reconciler.diagnostics.errors import StoppedError
from reconciler.stripe.async_client import AsyncMeters
from reconciler.stripe.client import Meters
from reconciler.stripe.errors import NotFoundError


def client(server, **options):
    return AsyncMeters(KEY, **{"api_base": server.url, "rate_limit": None} | options)


@pytest.mark.parametrize(
    ("kind", "same_kind"),
    [
        (Meters, AsyncMeters),
        (MeterEvents, AsyncMeterEvents),
        (MeterEventsV2, AsyncMeterEventsV2),
    ],
)
def test_it_has_the_methods_and_parameters_of_the_client(kind, same_kind):
    for name, call in inspect.getmembers(kind, inspect.isfunction):
        if not name.startswith("_"):
            same = getattr(same_kind, name)
            assert [*inspect.signature(same).parameters] == [*inspect.signature(call).parameters]
            assert same.__doc__


def test_the_life_of_a_meter(server):

    async def existing():
        async with client(server) as meters:
            created = await meters.create(
                event_name="a", display_name="A", default_aggregation={"formula": "sum"}
            )
            renamed = await meters.update(created.id, display_name="B")
            deactivated = await meters.deactivate(created.id)
            assert (await meters.list(status="inactive")).data == (deactivated,)
            reactivated = await meters.reactivate(created.id)
            assert (await meters.everything()) == (reactivated,)
            with pytest.raises(NotFoundError):
                await meters.get("mtr_unknown")
            return renamed, deactivated, reactivated

    renamed, deactivated, reactivated = asyncio.run(existing())
    assert (renamed.display_name, deactivated.active, reactivated.active) == ("B", False, True)


@pytest.mark.parametrize("size", [0, 1, 5, 12])
def test_lists_end(size, server):
    for n in range(size):
        fields = {"display_name": "x", "default_aggregation": {"formula": "sum"}}
        server.edit("/v1/billing/meters", {"event_name": f"name_{n}", **fields})

    async def read():
        async with client(server) as meters:
            some = [existing async for existing in meters.all(limit=5)]
            pages = [len(page.data) async for page in meters.pages(limit=5)]
            return some, pages

    some, pages = asyncio.run(read())
    assert len({existing.id for existing in some}) == size
    assert sum(pages) == size
    assert len(pages) == max(1, -(-size // 5))


def test_calls_run_concurrently():
    """Five slow calls wait for each other."""
    together = threading.Barrier(5, timeout=10)

    def script(asked):
        together.wait()
        return http(404, "")

    async def read():
        async with client(server) as meters:
            calls = [meters.get(f"mtr_{n}") for n in range(5)]
            return await asyncio.gather(*calls, return_exceptions=True)

    with Scripted(script) as server:
        assert all(isinstance(each, NotFoundError) for each in asyncio.run(read()))


def test_cancelling_ends_the_waiting_and_the_retries():
    """The request in progress is not cancelled."""
    asked, answer = threading.Event(), threading.Event()

    def script(_):
        asked.set()
        answer.wait(10)
        return refusal(500)

    async def give_up():
        async with client(server) as meters:
            call = asyncio.create_task(meters.deactivate("mtr_1"))
            await asyncio.to_thread(asked.wait, 10)
            call.cancel()
            with pytest.raises(asyncio.CancelledError):
                await call
        answer.set()

    with Scripted(script) as server:
        asyncio.run(give_up())
    assert len(server.asked) == 1


def test_closing_ends_the_wait_before_a_retry():
    """Which is a minute here."""
    asked = threading.Event()

    def script(_):
        asked.set()
        return refusal(503, headers={"Retry-After": "60"})

    async def close_early():
        meters = client(server)
        call = asyncio.create_task(meters.get("mtr_1"))
        await asyncio.to_thread(asked.wait, 10)
        await meters.close()
        with pytest.raises(StoppedError):
            await asyncio.wait_for(call, 20)

    with Scripted(script) as server:
        asyncio.run(close_early())
    assert len(server.asked) == 1


def test_a_closed_client_sends_nothing(server):

    async def late():
        meters = client(server)
        await meters.close()
        await meters.get("mtr_1")

    with pytest.raises(StoppedError):
        asyncio.run(late())
    assert not len(server.log)


def test_usage_is_sent_concurrently_and_counts_once():
    with world(in_process=False) as one:
        one.server.arm("reset:after:nth=2:path=/v1/billing/meter_events")

        async def send():
            options = one.options
            async with (
                AsyncMeterEvents(KEY, **options) as v1,
                AsyncMeters(KEY, **options) as meters,
            ):
                sent = await asyncio.gather(*(v1.send(event(2)) for _ in range(20)))
                await v1.cancel(event_name="searches", identifier=sent[0].identifier)
                day = {"start_time": 1_789_948_800, "end_time": 1_790_035_200, "customer": "cus_1"}
                found = meters.event_summaries(one.meter_id, value_grouping_window="day", **day)
                return [each async for each in found]

        (day,) = asyncio.run(send())
        assert (day.aggregated_value, day.meter) == (38, one.meter_id)
        assert day.end_time - day.start_time == 86_400


def test_streams_share_a_session():
    with world() as one:

        async def send():
            async with AsyncMeterEventsV2(KEY, **one.options) as v2:
                first = await v2.send(event())
                await v2.cancel(event_name="searches", identifier=first.identifier)
                streams = (v2.stream([event() for _ in range(150)]) for _ in range(5))
                await asyncio.gather(*streams)

        asyncio.run(send())
        sessions = [e for e in one.server.log.posts if e.path.endswith("meter_event_session")]
        assert len(sessions) == 1
        assert one.used() == 750


def test_a_closed_client_ends_a_stream():
    with world() as one:

        async def send():
            v2 = AsyncMeterEventsV2(KEY, **one.options)
            await v2.close()
            await v2.stream([event()])

        with pytest.raises(StoppedError):
            asyncio.run(send())
        assert one.used() == 0
