"""HTTP/1.1 on one address: a thread for each connection, until the server is closed."""

from __future__ import annotations

import contextlib
import ipaddress
import re
import socket
import struct
import sys
import threading
from collections.abc import Callable
from email.utils import formatdate
from functools import cached_property
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

_Address = ipaddress.IPv4Address | ipaddress.IPv6Address

_TLS_HANDSHAKE = b"\x16"
_EMPTY_LINES = (b"\r\n", b"\n")
_TARGET = re.compile(r"^https?://[^/?#]+(?=[/?#]|$)", re.IGNORECASE)
_RESET = struct.pack("ii", 1, 0)  # SO_LINGER: closing sends a reset, not an end


def is_loopback(host: str) -> bool:
    """Return whether only this machine reaches a host; a name may mean any address."""
    address = _parse_address(host)
    return address.is_loopback if address else host.lower() == "localhost"


def build_url(host: str, port: int) -> str:
    """Build the address for clients on this machine."""
    host = _replace_wildcard(host)
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def _replace_wildcard(host: str) -> str:
    """Return an address that can be connected to, also for one that means all addresses."""
    address = _parse_address(host)
    if address is None or not address.is_unspecified:
        return host
    return HOST if address.version == 4 else "::1"


def _resolve(host: str) -> tuple[socket.AddressFamily, str]:
    """Return the family and the address of a host; only a name is looked up."""
    if address := _parse_address(host):
        return socket.AF_INET if address.version == 4 else socket.AF_INET6, host
    family, _, _, _, found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)[0]
    return family, str(found[0])


def _parse_address(host: str) -> _Address | None:
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        return None


class HttpServer(ThreadingHTTPServer):
    """Accept connections at `host` and `port` (0: a free one); raises OSError when it is taken.

    `exchange` answers a request; None means that the connection is to be reset. `on_refused` is
    called with the status and the message of what is no request of the API. `now` gives the time
    of responses, in Unix seconds.
    """

    request_queue_size = 1024
    allow_reuse_port = False

    def __init__(
        self,
        host: str,
        port: int,
        exchange: Callable[[Request], Response | None],
        on_refused: Callable[[int, str], None],
        now: Callable[[], float],
    ) -> None:
        self.host = host
        self.address_family, address = _resolve(host)
        super().__init__((address, port), _Handler)
        self.exchange, self.on_refused, self.now = exchange, on_refused, now
        self._closing = False
        self._open: dict[threading.Thread, socket.socket] = {}
        self._accepting = threading.Thread(target=self._accept, daemon=True)
        self._accepting.start()

    @cached_property
    def url(self) -> str:
        """Where clients find it."""
        return build_url(self.host, self.server_port)

    def server_bind(self) -> None:
        """Bind without looking the host's name up, which can take seconds."""
        if self.host == "::":
            self.socket.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        TCPServer.server_bind(self)
        self.server_name, self.server_port = self.host, int(self.server_address[1])

    def close(self) -> None:
        """Accept no more connections, finish requests in progress, end idle connections."""
        self._closing = True
        with contextlib.suppress(OSError):  # ends the wait for the next connection
            host = _replace_wildcard(str(self.server_address[0]))
            socket.create_connection((host, self.server_port), timeout=1).close()
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
    request_version = protocol_version
    server: HttpServer

    def handle(self) -> None:
        """Answer the requests of a connection, which does not begin with a TLS handshake."""
        if self.connection.recv(1, socket.MSG_PEEK) == _TLS_HANDSHAKE:
            self._refuse(RequestError(400, f"This is not HTTPS: use {self.server.url}"))
        else:
            super().handle()

    def handle_one_request(self) -> None:
        """Read and answer one request of any method; without one, the connection ends."""
        self.command = ""
        self.raw_requestline = self._read_request_line()
        if not self.raw_requestline:
            self.close_connection = True
        elif len(self.raw_requestline) > LONGEST_LINE:
            self._refuse(RequestError(414, "Request-URI Too Long"))
        elif self.parse_request():
            self._respond()

    def send_error(self, code: int, message: str | None = None, *_: Any) -> None:
        """Refuse what is not HTTP, or more than is read."""
        self.command = self.command or ""
        self._refuse(RequestError(int(code), message or responses.get(code, "")))

    def _read_request_line(self) -> bytes:
        """Read the first line of a request; empty lines before it are ignored."""
        while (line := self.rfile.readline(LONGEST_LINE + 1)) in _EMPTY_LINES:
            pass
        return line

    def _respond(self) -> None:
        try:
            body = self._read_body()
        except RequestError as error:
            self._refuse(error)
            return
        path, _, query = _TARGET.sub("", self.path, count=1).partition("?")
        headers = {name.lower(): _unfold(value) for name, value in self.headers.items()}
        response = self.server.exchange(Request(self.command, path or "/", query, headers, body))
        if response is None:
            self.close_connection = True
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
        else:
            self._write(response)

    def _read_body(self) -> bytes:
        """Read the body by its chunks or its length; both, or another encoding, are refused."""
        encodings = self.headers.get_all("transfer-encoding", ())
        if not encodings:
            return self._read_sized()
        if ",".join(encodings).strip().lower() != "chunked":
            raise RequestError(501, "Not Implemented: only chunked is read as Transfer-Encoding")
        if "content-length" in self.headers:
            raise RequestError(400, "Bad Request: both Content-Length and Transfer-Encoding")
        return self._read_chunks()

    def _read_sized(self) -> bytes:
        stated = set(self.headers.get_all("content-length", ("0",)))
        if len(stated) > 1 or not re.fullmatch(r"\d{1,15}", min(stated), re.ASCII):
            raise RequestError(400, "Bad Request: invalid Content-Length")
        return self._read(int(min(stated)))

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
        if not re.fullmatch(rb"[0-9A-Fa-f]{1,15}", line):
            raise RequestError(400, "Bad Request: invalid size of a chunk")
        return int(line, 16)

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
        self.server.on_refused(error.status, error.message)
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
        elif self.request_version == "HTTP/1.0":
            head.append("Connection: keep-alive")
        data = "\r\n".join([*head, "", ""]).encode("latin-1", "replace")
        self.wfile.write(data if self.command == "HEAD" else data + body)

    def log_message(self, *args: Any) -> None:
        """Print nothing: the server has a log of its own."""


def _unfold(value: str) -> str:
    """Return the value of a header in one line."""
    return " ".join(value.splitlines())
