"""HTTP/1.1 on a loopback port: a thread for each connection, until the server is closed."""

from __future__ import annotations

import contextlib
import re
import socket
import struct
import sys
import threading
from collections.abc import Callable
from email.utils import formatdate
from http.client import responses
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from socketserver import TCPServer
from typing import Any

from .errors import RequestError
from .messages import Request, Response

HOST = "127.0.0.1"

PATIENCE = 5.0
"""Seconds for which closing waits for requests in progress."""

LARGEST_BODY = 1 << 20
"""Bytes that a request's body may have."""

LONGEST_LINE = 65536
"""Bytes of a request line."""

LINGER = 1.0
"""Seconds for which a refused client may continue to send."""

_RESET = struct.pack("ii", 1, 0)  # SO_LINGER: closing sends a reset, not an end


class HttpServer(ThreadingHTTPServer):
    """Accept connections on `port` (0: a free one); raises OSError when it is taken.

    `exchange` answers a request; None means that the connection is to be reset. `now` gives the
    time of responses, in Unix seconds.
    """

    request_queue_size = 128
    allow_reuse_port = False

    def __init__(
        self,
        port: int,
        exchange: Callable[[Request], Response | None],
        now: Callable[[], float],
    ) -> None:
        super().__init__((HOST, port), _Handler)
        self.exchange, self.now = exchange, now
        self._closing = False
        self._open: dict[threading.Thread, socket.socket] = {}
        self._accepting = threading.Thread(target=self._accept, daemon=True)
        self._accepting.start()

    def server_bind(self) -> None:
        """Bind without looking the host's name up, which can take seconds."""
        TCPServer.server_bind(self)
        self.server_name, self.server_port = HOST, int(self.server_address[1])

    def close(self) -> None:
        """Accept no more connections, finish requests in progress, end idle connections."""
        self._closing = True
        with contextlib.suppress(OSError):  # ends the wait for the next connection
            socket.create_connection((HOST, self.server_port), timeout=1).close()
        self._accepting.join()
        self.server_close()
        open_now = dict(self._open)
        for connection in open_now.values():
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RD)
        for thread in open_now:
            thread.join(PATIENCE)

    def verify_request(self, *_: object) -> bool:
        """Refuse connections while the server closes."""
        return not self._closing

    def process_request(self, request: Any, client_address: Any) -> None:
        """Serve a connection in a thread for which `close` can wait."""
        thread = threading.Thread(
            target=self.process_request_thread, args=(request, client_address), daemon=True
        )
        self._open[thread] = request
        thread.start()

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        """Serve a connection until it ends."""
        try:
            super().process_request_thread(request, client_address)
        finally:
            self._open.pop(threading.current_thread(), None)

    def shutdown_request(self, request: Any) -> None:
        """Close a connection without a shutdown, which would prevent a reset."""
        self.close_request(request)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Report errors of the program, but not clients that disconnect."""
        if not isinstance(sys.exc_info()[1], OSError):
            super().handle_error(request, client_address)

    def _accept(self) -> None:
        while not self._closing:
            self.handle_request()


class _Handler(BaseHTTPRequestHandler):
    """Read requests from a connection, and write responses."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    command = ""
    server: HttpServer

    def handle_one_request(self) -> None:
        """Read and answer one request of any method; without one, the connection ends."""
        self.raw_requestline = self.rfile.readline(LONGEST_LINE + 1)
        if not self.raw_requestline:
            self.close_connection = True
        elif len(self.raw_requestline) > LONGEST_LINE:
            self._refuse(RequestError(414, "Request-URI Too Long"))
        elif self.parse_request():
            self._respond()

    def _respond(self) -> None:
        try:
            chunked = "transfer-encoding" in self.headers
            body = self._read_chunks() if chunked else self._read_sized()
        except RequestError as error:
            self._refuse(error)
            return
        path, _, query = self.path.partition("?")
        headers = {name.lower(): value for name, value in self.headers.items()}
        request = Request(self.command, path, query, headers, body)
        response = self.server.exchange(request)
        if response is None:
            self.close_connection = True
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
        else:
            self._write(response)

    def _read_sized(self) -> bytes:
        stated = self.headers.get("content-length", "0")
        if not re.fullmatch(r"\d{1,15}", stated, re.ASCII):
            raise RequestError(400, "Bad Request")
        return self._read(int(stated))

    def _read_chunks(self) -> bytes:
        """Read a body in chunks, without its trailers."""
        body = b""
        while size := self._read_chunk_size():
            body += self._read(size)
            if len(body) > LARGEST_BODY:
                raise RequestError(413, "Request Entity Too Large")
            self.rfile.readline(LONGEST_LINE)
        while self.rfile.readline(LONGEST_LINE).strip():
            pass
        return body

    def _read_chunk_size(self) -> int:
        line = self.rfile.readline(LONGEST_LINE).split(b";")[0].strip()
        try:
            return int(line, 16)
        except ValueError:
            raise RequestError(400, "Bad Request") from None

    def _read(self, size: int) -> bytes:
        """Read exactly `size` bytes; raises ConnectionError if the client disconnects."""
        if not 0 <= size <= LARGEST_BODY:
            raise RequestError(413, "Request Entity Too Large")
        data = self.rfile.read(size)
        if len(data) < size:
            raise ConnectionAbortedError("the client disconnected inside its request")
        return data

    def _refuse(self, error: RequestError) -> None:
        """Refuse a request before it reaches the API, and end the connection.

        The rest of the request is read: closing with unread data would reset the connection
        and lose the answer.
        """
        self.close_connection = True
        self._write(Response(error.status, f"{error.message}\n", {"Content-Type": "text/plain"}))
        self.connection.shutdown(socket.SHUT_WR)
        self.connection.settimeout(LINGER)
        for _ in range(16 * LARGEST_BODY // LONGEST_LINE):
            if not self.connection.recv(LONGEST_LINE):
                return

    def _write(self, response: Response) -> None:
        """Send head and body in one write, so that no acknowledgement is waited for."""
        body = response.body.encode()
        phrase = responses.get(response.status, "")
        head = [f"{self.protocol_version} {response.status} {phrase}"]
        head += [f"{name}: {value}" for name, value in response.headers.items()]
        head.append(f"Date: {formatdate(self.server.now(), usegmt=True)}")
        head.append(f"Content-Length: {len(body)}")
        if self.close_connection:
            head.append("Connection: close")
        data = "\r\n".join([*head, "", ""]).encode("latin-1", "replace")
        self.wfile.write(data if self.command == "HEAD" else data + body)

    def log_message(self, *args: Any) -> None:
        """Print nothing: the server has a log of its own."""
