"""An emulator that the client reaches without a socket, for the many worlds of a matrix.

What HTTP makes of responses and faults does not depend on the world; `faults/test_in_process.py`
compares the two ways, fault by fault.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import ExitStack, contextmanager
from functools import partial
from typing import Any, Protocol
from unittest import mock
from urllib.parse import urlencode

from reconciler import emulator
from reconciler.diagnostics.codes import service
from reconciler.emulator.http_server import HttpServer
from reconciler.emulator.messages import Request as Received
from reconciler.emulator.messages import Response as Answer
from reconciler.stripe.api_key import Secret
from reconciler.stripe.http.connection import Connection, Request, Response, TransportError

URL = "http://127.0.0.1:1"


class _Answers(Protocol):
    """An emulator, or what serves one."""

    @property
    def exchange(self) -> Callable[[Received], Answer | None]:
        """Answers a request; None means that the connection is to be reset."""


class InProcess:
    """Replaces the Connection of a transport: passes each request to the emulator."""

    def __init__(self, server: _Answers, base: str, key: Secret, *_: object) -> None:
        self._server, self._base, self._key = server, base, key

    def close(self) -> None:
        """Nothing is open."""

    def with_key(self, key: Secret) -> InProcess:
        """The same emulator, reached with another key."""
        return InProcess(self._server, self._base, key)

    def send(self, outgoing: Request) -> Response | TransportError:
        """The answer, or the error of a connection that was reset."""
        form = urlencode(outgoing.fields)
        query, body = (form, b"") if outgoing.method == "GET" else ("", form.encode())
        body = body if outgoing.content is None else outgoing.content
        headers = {name.lower(): value for name, value in outgoing.headers.items()}
        headers["authorization"] = f"Bearer {self._key.reveal()}"
        answer = self._server.exchange(
            Received(outgoing.method, outgoing.path, query, headers, body)
        )
        if answer is None:
            why = f"no response from {self._base}: Connection reset by peer"
            return TransportError(service.UNREACHABLE, why)
        received = {name.lower(): value for name, value in answer.headers.items()}
        return Response(answer.status, received, answer.body.encode())


@contextmanager
def reached_in_process(server: emulator.Server) -> Iterator[str]:
    """Lead every client to this emulator; yields an address to give them."""
    with mock.patch("reconciler.stripe.transport.Connection", partial(InProcess, server)):
        yield URL


@contextmanager
def without_sockets() -> Iterator[None]:
    """Let clients in this process call the emulators that start in this block.

    They are served over HTTP too, for other processes; any other address is reached over HTTP.
    """
    served: dict[str, HttpServer] = {}

    class Served(HttpServer):
        def __init__(self, *settings: Any) -> None:
            super().__init__(*settings)
            served[self.url] = self

        def close(self) -> None:
            del served[self.url]
            super().close()

    def reach(base: str, key: Secret, *more: Any) -> Connection | InProcess:
        server = served.get(base)
        return InProcess(server, base, key) if server else Connection(base, key, *more)

    with ExitStack() as stack:
        stack.enter_context(mock.patch("reconciler.emulator.server.HttpServer", Served))
        for module in ("operations.session", "stripe.transport"):
            stack.enter_context(mock.patch(f"reconciler.{module}.Connection", reach))
        yield


class InTurn:
    """Replaces a pool of threads: does what is submitted at once, in the thread that submits it."""

    def __init__(self, **_: Any) -> None:
        """Of any size."""

    def submit(self, work: Callable[..., Any], *given: Any) -> Future[Any]:
        """Return a future that is done."""
        return done(partial(work, *given))

    def shutdown(self, **_: Any) -> None:
        """Nothing is left to do."""


def done(work: Callable[[], Any]) -> Future[Any]:
    """Do this work, and return its future."""
    future: Future[Any] = Future()
    try:
        future.set_result(work())
    except BaseException as error:
        future.set_exception(error)
    return future


_POOLS = ("execution.executor", "stripe.client")
_THREADS = ("operations.session", "stripe.pagination")


@contextmanager
def in_turn() -> Iterator[None]:
    """Do what a run does side by side one after another, for plans with one change of a kind.

    To start threads and to wait for them is more than half of what a run in process costs.
    """
    with ExitStack() as stack:
        for module in _POOLS:
            stack.enter_context(mock.patch(f"reconciler.{module}.ThreadPoolExecutor", InTurn))
        for module in _THREADS:
            stack.enter_context(mock.patch(f"reconciler.{module}.start_thread", done))
        yield
