"""The meter client for asyncio: the same calls, each in a thread."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from functools import wraps
from typing import Concatenate, ParamSpec, Self, TypeVar, Unpack

from ..clock import SystemClock
from .client import Meters
from .transport import Options

P = ParamSpec("P")
T = TypeVar("T")


def _run_in_thread(
    call: Callable[Concatenate[Meters, P], T],
) -> Callable[Concatenate[AsyncMeters, P], Awaitable[T]]:
    """Return an awaitable version of a call, with its signature."""

    @wraps(call)
    async def _call(self: AsyncMeters, /, *args: P.args, **kwargs: P.kwargs) -> T:
        return await asyncio.to_thread(call, self.meters, *args, **kwargs)

    return _call


def _iterate_in_thread(
    call: Callable[Concatenate[Meters, P], Iterator[T]],
) -> Callable[Concatenate[AsyncMeters, P], AsyncIterator[T]]:
    """Return an asynchronous version of a generator, with its signature."""

    @wraps(call)
    async def _call(self: AsyncMeters, /, *args: P.args, **kwargs: P.kwargs) -> AsyncIterator[T]:
        found = call(self.meters, *args, **kwargs)
        while one := await asyncio.to_thread(next, found, None):  # a thread cannot StopIteration
            yield one

    return _call


class AsyncMeters:
    """`Meters` for asyncio; an asynchronous context manager.

    Cancelling a call does not cancel its request: a write may still have its effect. After
    `close` no request starts, and none is retried.
    """

    def __init__(self, api_key: str, **options: Unpack[Options]) -> None:
        self._closed = threading.Event()
        asked = options.get("stopped")
        options["stopped"] = lambda: self._closed.is_set() or bool(asked and asked())
        options["clock"] = options.get("clock") or SystemClock(self._closed.is_set)
        self.meters = Meters(api_key, **options)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def close(self) -> None:
        """Close the connections, and end every wait before a retry."""
        self._closed.set()
        await asyncio.to_thread(self.meters.close)

    list = _run_in_thread(Meters.list)
    pages = _iterate_in_thread(Meters.pages)
    all = _iterate_in_thread(Meters.all)
    everything = _run_in_thread(Meters.everything)
    get = _run_in_thread(Meters.get)
    create = _run_in_thread(Meters.create)
    update = _run_in_thread(Meters.update)
    deactivate = _run_in_thread(Meters.deactivate)
    reactivate = _run_in_thread(Meters.reactivate)
