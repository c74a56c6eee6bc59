"""HTTP/1.1 on one connection: keep-alive, sized and chunked bodies, answers in one write."""

from __future__ import annotations

import re
import socket
import struct
from collections.abc import Callable
from http import HTTPStatus
from http.client import responses
from http.server import BaseHTTPRequestHandler
from typing import Any

from .messages import Request, Response

LARGEST_BODY = 1 << 20
"""Bytes that a request's body may have."""

LONGEST_LINE = 65536
"""Bytes of a request line."""

LINGER = 1.0
"""Seconds that a refused client may take to go on sending."""

_RESET = struct.pack("ii", 1, 0)  # SO_LINGER: closing sends a reset, not an end


class BodyError(Exception):
    """A body that is not what its headers promise, and the status to refuse it with."""

    def __init__(self, status: HTTPStatus) -> None:
        super().__init__(status.phrase)
        self.status = status


class Handler(BaseHTTPRequestHandler):
    """Turns what comes over a connection into requests, and responses into bytes.

    `exchange` answers a request; None means that the connection is to be reset.
    """

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    command = ""

    def __init__(
        self, connection: socket.socket, exchange: Callable[[Request], Response | None]
    ) -> None:
        self._exchange = exchange
        no_server: Any = None
        super().__init__(connection, connection.getpeername(), no_server)

    def handle_one_request(self) -> None:
        """Read and answer one request of whatever method; without one, the connection ends."""
        self.raw_requestline = self.rfile.readline(LONGEST_LINE + 1)
        if not self.raw_requestline:
            self.close_connection = True
        elif len(self.raw_requestline) > LONGEST_LINE:
            self._refuse(HTTPStatus.REQUEST_URI_TOO_LONG)
        elif self.parse_request():
            self._answer()

    def _answer(self) -> None:
        """Exchange the request just parsed for a response, or for a reset."""
        try:
            body = self._chunked() if "transfer-encoding" in self.headers else self._sized()
        except BodyError as error:
            self._refuse(error.status)
            return
        path, _, query = self.path.partition("?")
        headers = {name.lower(): value for name, value in self.headers.items()}
        request = Request(self.command, path, query, headers, body)
        response = self._exchange(request)
        if response is None:
            self.close_connection = True
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
        else:
            self._write(response)

    def _sized(self) -> bytes:
        """A body of Content-Length bytes."""
        stated = self.headers.get("content-length", "0")
        if not re.fullmatch(r"\d{1,15}", stated, re.ASCII):
            raise BodyError(HTTPStatus.BAD_REQUEST)
        return self._read(int(stated))

    def _chunked(self) -> bytes:
        """A body in chunks, trailers left out."""
        body = b""
        while size := self._chunk_size():
            body += self._read(size)
            if len(body) > LARGEST_BODY:
                raise BodyError(HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
            self.rfile.readline(LONGEST_LINE)
        while self.rfile.readline(LONGEST_LINE).strip():
            pass
        return body

    def _chunk_size(self) -> int:
        """The size that a chunk begins with."""
        line = self.rfile.readline(LONGEST_LINE).split(b";")[0].strip()
        try:
            return int(line, 16)
        except ValueError:
            raise BodyError(HTTPStatus.BAD_REQUEST) from None

    def _read(self, size: int) -> bytes:
        """Exactly so many bytes; raises ConnectionError when the client is gone before."""
        if not 0 <= size <= LARGEST_BODY:
            raise BodyError(HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
        data = self.rfile.read(size)
        if len(data) < size:
            raise ConnectionAbortedError("the client hung up inside its request")
        return data

    def _refuse(self, status: HTTPStatus) -> None:
        """Refuse a request by HTTP itself, before the API has seen it, and end the connection.

        What the client still sends is read: closing over it would reset the answer away.
        """
        self.close_connection = True
        self._write(Response(status, f"{status.phrase}\n", {"Content-Type": "text/plain"}))
        self.connection.shutdown(socket.SHUT_WR)
        self.connection.settimeout(LINGER)
        for _ in range(16 * LARGEST_BODY // LONGEST_LINE):
            if not self.connection.recv(LONGEST_LINE):
                return

    def _write(self, response: Response) -> None:
        """Send head and body at once: two writes would wait for each other's acknowledgement."""
        body = response.body.encode()
        phrase = responses.get(response.status, "")
        head = [f"{self.protocol_version} {response.status} {phrase}"]
        head += [f"{name}: {value}" for name, value in response.headers.items()]
        head.append(f"Content-Length: {len(body)}")
        if self.close_connection:
            head.append("Connection: close")
        data = "\r\n".join([*head, "", ""]).encode("latin-1", "replace")
        self.wfile.write(data if self.command == "HEAD" else data + body)

    def log_message(self, *args: Any) -> None:
        """Keep quiet: what was asked is in the server's log."""
