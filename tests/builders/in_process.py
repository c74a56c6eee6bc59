"""An emulator that the client reaches without a socket, for the many worlds of a matrix.

What HTTP makes of responses and faults does not depend on the world; `faults/test_in_process.py`
compares the two ways, fault by fault.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from unittest import mock
from urllib.parse import urlencode

from reconciler import emulator
from reconciler.diagnostics.codes import service
from reconciler.emulator.messages import Request as Received
from reconciler.stripe.api_key import Secret
from reconciler.stripe.http import Request, Response, TransportError

URL = "http://127.0.0.1:1"


class InProcess:
    """Replaces the Connection of a transport: passes each request to the emulator."""

    def __init__(self, server: emulator.Server, base: str, key: Secret, *_: object) -> None:
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
