"""The session of a stream: its token, which expires, and the transport that it authorizes."""

from __future__ import annotations

import math
import threading
import uuid
from collections.abc import Callable, Mapping
from typing import Any

from ..errors import AuthenticationError
from ..transport import Transport
from .objects import MeterEventSession

_MARGIN = 60.0  # seconds before its end at which a session is renewed


class StreamSession:
    """Sends the requests of a stream; several threads may share it.

    A session is created for the first request. It is renewed shortly before its end, by its own
    times and not by this machine's, and once if the stream rejects its token.
    """

    def __init__(
        self, transport: Transport, base: str, create: Callable[[], MeterEventSession]
    ) -> None:
        self._transport = transport
        self._base = base
        self._create = create
        self._lock = threading.Lock()
        self._stream: Transport | None = None
        self._ends = -math.inf

    def close(self) -> None:
        """Close the connections to the stream."""
        with self._lock:
            self._drop()

    def post(self, path: str, body: Mapping[str, Any]) -> None:
        """Send a request, again under a new token if its token is rejected. Raises StripeError."""
        key = str(uuid.uuid4())
        stream = self._open()
        try:
            stream.post_json(path, body, key, may_answer_empty=True)
        except AuthenticationError:
            self._open(rejected=stream).post_json(path, body, key, may_answer_empty=True)

    def _open(self, rejected: Transport | None = None) -> Transport:
        """Return the transport of the session; create another if there is none to be used."""
        with self._lock:
            now = self._transport.monotonic()
            if self._stream and self._stream is not rejected and now < self._ends:
                return self._stream
            session = self._create()
            self._drop()
            self._stream = self._transport.with_token(session.authentication_token, self._base)
            self._ends = now + session.expires_at - session.created - _MARGIN
            return self._stream

    def _drop(self) -> None:
        if self._stream:
            self._stream.close()
        self._stream = None
