"""Clients for asyncio: the same calls, each in a thread."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from functools import wraps
from typing import Concatenate, Generic, ParamSpec, Protocol, Self, TypeVar, Unpack

from ..clock import SystemClock
from .client import Meters
from .transport import Options

P = ParamSpec("P")
T = TypeVar("T")


class _Closable(Protocol):
    def close(self) -> None: ...


C = TypeVar("C", bound=_Closable)


def run_in_thread(
    call: Callable[Concatenate[C, P], T],
) -> Callable[Concatenate[AsyncClient[C], P], Awaitable[T]]:
    """Return an awaitable version of a call, with its signature."""

    @wraps(call)
    async def _call(self: AsyncClient[C], /, *args: P.args, **kwargs: P.kwargs) -> T:
        return await asyncio.to_thread(call, self.client, *args, **kwargs)

    return _call


def iterate_in_thread(
    call: Callable[Concatenate[C, P], Iterator[T]],
) -> Callable[Concatenate[AsyncClient[C], P], AsyncIterator[T]]:
    """Return an asynchronous version of a generator, with its signature."""

    @wraps(call)
    async def _call(self: AsyncClient[C], /, *args: P.args, **kwargs: P.kwargs) -> AsyncIterator[T]:
        found = call(self.client, *args, **kwargs)
        while one := await asyncio.to_thread(next, found, None):  # a thread cannot StopIteration
            yield one

    return _call


class AsyncClient(Generic[C]):
    """A client whose calls run in threads; after `close` no request starts, and none is retried."""

    def __init__(self, connect: Callable[[Options], C], options: Options) -> None:
        self._closed = threading.Event()
        asked = options.get("stopped")
        options["stopped"] = lambda: self._closed.is_set() or bool(asked and asked())
        options["clock"] = options.get("clock") or SystemClock(self._closed.is_set)
        self.client = connect(options)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def close(self) -> None:
        """Close the connections, and end every wait before a retry."""
        self._closed.set()
        await asyncio.to_thread(self.client.close)


class AsyncMeters(AsyncClient[Meters]):
    """`Meters` for asyncio; an asynchronous context manager.

    Cancelling a call does not cancel its request: a write may still have its effect.
    """

    def __init__(self, api_key: str, **options: Unpack[Options]) -> None:
        super().__init__(lambda given: Meters(api_key, **given), options)

    list = run_in_thread(Meters.list)
    pages = iterate_in_thread(Meters.pages)
    all = iterate_in_thread(Meters.all)
    everything = run_in_thread(Meters.everything)
    get = run_in_thread(Meters.get)
    create = run_in_thread(Meters.create)
    update = run_in_thread(Meters.update)
    deactivate = run_in_thread(Meters.deactivate)
    reactivate = run_in_thread(Meters.reactivate)
    event_summaries = iterate_in_thread(Meters.event_summaries)
