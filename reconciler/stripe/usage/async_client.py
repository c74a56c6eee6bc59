"""The clients of meter events for asyncio: the same calls, each in a thread."""

from __future__ import annotations

from typing import Unpack

from ..async_client import AsyncClient, run_in_thread
from ..transport import Options
from .client import MeterEvents
from .v2_client import MeterEventsV2


class AsyncMeterEvents(AsyncClient[MeterEvents]):
    """`MeterEvents` for asyncio; an asynchronous context manager.

    Cancelling a call does not cancel its request: the event may still count, and once only if it
    is sent again.
    """

    def __init__(self, api_key: str, **options: Unpack[Options]) -> None:
        super().__init__(lambda given: MeterEvents(api_key, **given), options)

    send = run_in_thread(MeterEvents.send)
    cancel = run_in_thread(MeterEvents.cancel)


class AsyncMeterEventsV2(AsyncClient[MeterEventsV2]):
    """`MeterEventsV2` for asyncio; an asynchronous context manager.

    Cancelling a call does not cancel its requests: those of a stream go on in the background until
    `close`.
    """

    def __init__(
        self, api_key: str, *, stream_base: str | None = None, **options: Unpack[Options]
    ) -> None:
        super().__init__(
            lambda given: MeterEventsV2(api_key, stream_base=stream_base, **given), options
        )

    send = run_in_thread(MeterEventsV2.send)
    cancel = run_in_thread(MeterEventsV2.cancel)
    create_session = run_in_thread(MeterEventsV2.create_session)
    stream = run_in_thread(MeterEventsV2.stream)
