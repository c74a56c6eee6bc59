"""Send a request over an open socket, and read the response up to a deadline.

The timeout of a socket starts anew with every byte that is received, and a header can be as slow
as a body. So everything is read with the time that is left.

A response whose head arrives at once, is in ASCII and has one length, as those of Stripe, is read
here. Any other, such as one in chunks, is left to http.client, which takes ten times as long to
read a head, and 15 ms to import, a tenth of the time before the first request of a plan.
"""

from __future__ import annotations

import io
import math
import re
import ssl
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from functools import cache, partial
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

if TYPE_CHECKING:
    import socket
    from http.client import HTTPResponse

T = TypeVar("T")


class _Limits(threading.local):
    """Those of the exchange of this thread: `ends` is its deadline, by the monotonic clock.

    `patience` are seconds between two reads, `moment` those that it waits at a time.
    """

    ends: float | None = None
    patience = moment = math.inf

    def measure_rest(self) -> float:
        """Return the seconds that are left; raise TimeoutError if there are none."""
        left = threading.TIMEOUT_MAX if self.ends is None else self.ends - time.monotonic()
        if left <= 0:
            raise TimeoutError("the deadline has passed")
        return left

    def set(self, ends: float | None, patience: float, moment: float) -> None:
        """Set the limits of an exchange that begins."""
        self.ends, self.patience, self.moment = ends, patience, moment


LIMITS = _Limits()

_AT_ONCE = 2**16  # bytes to receive
PORTS = {"http": 80, "https": 443}
_LONGEST = 18  # digits of a length
_HEAD = re.compile(
    rb"HTTP/1\.1 ([2-5]\d\d)(?: [ -~]*)?\r\n((?:[!#-'*+\-.^-z|~0-9A-Z]+:[\t -~]*\r\n){1,99})\r\n"
)
_NOT_IN_TARGET = re.compile(r"[^!-~]")
_NOT_IN_HEADER = re.compile(r"[\r\n\0]")


class MalformedRequestError(Exception):
    """A request that cannot be sent: its head would be another one."""


class Answer(Protocol):
    """A response of which the head was read; `length` are bytes of the body that are missing."""

    status: int
    length: int | None
    will_close: bool

    def getheaders(self) -> list[tuple[str, str]]:
        """Return the names and values of the headers."""

    def read(self, amt: int, /) -> bytes:
        """Return more of the body, at most so many bytes; none at its end."""

    def isclosed(self) -> bool:
        """Whether the whole body was read."""

    def close(self) -> None:
        """Read no more."""


def set_timeout(connected: socket.socket, seconds: float) -> None:
    """Set the timeout of a socket, if it has another one.

    That is a system call, after which a thread of a fleet waits for the others.
    """
    if connected.gettimeout() != seconds:
        connected.settimeout(seconds)


def _receive(connected: socket.socket, receive: Callable[[], T]) -> T:
    """Receive what there is, or wait for it; signals are handled meanwhile."""
    ends = time.monotonic() + LIMITS.patience
    while (left := min(ends - time.monotonic(), LIMITS.measure_rest())) > 0:
        set_timeout(connected, min(left, LIMITS.moment))
        try:
            return receive()
        except TimeoutError as error:
            if error.errno:  # the system's own: the connection has ended
                raise
    raise TimeoutError("timed out")


def _take(connected: socket.socket, most: int) -> bytes:
    """Return at most so many bytes of what a socket receives; none at its end.

    There, the sockets of TLS within TLS return 0.
    """
    return _receive(connected, lambda: connected.recv(most) or b"")


def send(connected: socket.socket, head: bytes, body: bytes | None, method: str) -> Answer:
    """Send a request, and return the response, which may come before the request was sent."""
    with suppress(BrokenPipeError, ConnectionResetError):  # an early response is better than none
        connected.sendall(head + body if body else head)
    return _read_head(connected, method)


def write_head(
    method: str, target: str, host: str, headers: Mapping[str, str], length: int | None
) -> bytes:
    """Return the head of a request; raise MalformedRequestError, or UnicodeError."""
    if _NOT_IN_TARGET.search(target):
        raise MalformedRequestError("a path contains a character that is not allowed there")
    lines = [f"{method} {target} HTTP/1.1", f"Host: {host}"]
    if length is not None:
        lines.append(f"Content-Length: {length}")
    for name, value in headers.items():
        if _NOT_IN_HEADER.search(value):
            raise MalformedRequestError(f"the header {name} contains a line break")
        lines.append(f"{name}: {value}")
    return "\r\n".join([*lines, "\r\n"]).encode("latin-1")


def _read_head(connected: socket.socket, method: str) -> Answer:
    received = _take(connected, _AT_ONCE)
    found = _HEAD.match(received)
    if found and (plain := _parse_head(found, connected, received[found.end() :])):
        return plain
    response: HTTPResponse = define_response()(connected, received, method=method)
    try:
        response.begin()
    except BaseException:
        response.close()
        raise
    return response


def _parse_head(found: re.Match[bytes], connected: socket.socket, rest: bytes) -> Answer | None:
    """Return a response with one length; None for any other."""
    lines = [line.partition(":") for line in found[2].decode("ascii").split("\r\n")[:-1]]
    headers = [(name.lower(), value.strip(" \t")) for name, _, value in lines]
    lengths = [value for name, value in headers if name == "content-length"]
    status, is_chunked = int(found[1]), any(name == "transfer-encoding" for name, _ in headers)
    if is_chunked or status in (204, 304) or len(lengths) != 1:
        return None
    if not lengths[0].isdecimal() or len(lengths[0]) > _LONGEST:
        return None
    closes = any(name == "connection" and "close" in value.lower() for name, value in headers)
    return _Sized(connected, status, headers, int(lengths[0]), rest, closes=closes)


class _Sized:
    """A response with a length."""

    def __init__(
        self,
        connected: socket.socket,
        status: int,
        headers: list[tuple[str, str]],
        length: int,
        received: bytes,
        *,
        closes: bool,
    ) -> None:
        self.status = status
        self.length: int | None = length
        self.will_close = closes or len(received) > length  # the rest is not the next response
        self._connected = connected
        self._headers = headers
        self._received = received[:length]

    def getheaders(self) -> list[tuple[str, str]]:
        return self._headers

    def read(self, amt: int, /) -> bytes:
        if not self.length:
            return b""
        piece, self._received = self._received, b""
        piece = piece or _take(self._connected, min(amt, self.length))
        self.length -= len(piece)
        return piece

    def isclosed(self) -> bool:
        return not self.length

    def close(self) -> None:
        self._received = b""


class _Reader(io.RawIOBase):
    """What a socket receives before the deadline, after what it has received already."""

    def __init__(self, connected: socket.socket, received: bytes) -> None:
        self._connected, self._received = connected, received

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any, /) -> int | None:
        if not self._received:
            return _receive(self._connected, partial(self._connected.recv_into, buffer))
        length = min(len(buffer), len(self._received))
        buffer[:length], self._received = self._received[:length], self._received[length:]
        return length


class _Buffer(io.BufferedReader):
    def read(self, size: int | None = -1, /) -> bytes:
        """Read so many bytes; raise ValueError for a negative size, as of a malformed chunk."""
        if size is None or size < 0:
            raise ValueError("a negative size")
        return super().read(size)


class _Receiver:
    """A socket, as far as a response uses it."""

    def __init__(self, connected: socket.socket, received: bytes) -> None:
        self._connected, self._received = connected, received

    def makefile(self, _: str) -> io.BufferedReader:
        return _Buffer(_Reader(self._connected, self._received))


def has_ended(error: ssl.SSLError) -> bool:
    """Whether the server has ended a connection within TLS, as one does that is shut down."""
    ends = isinstance(error, ssl.SSLEOFError | ssl.SSLZeroReturnError)
    return ends or getattr(error, "reason", None) == "UNEXPECTED_EOF_WHILE_READING"


@cache
def define_response() -> Any:
    """Return the class of responses that are read up to the deadline; few runs need it.

    It is a `HTTPResponse` that may be given what was received already.
    """
    from http.client import HTTPException, HTTPResponse

    class Response(HTTPResponse):
        def __init__(
            self, sock: socket.socket, received: bytes = b"", *rest: Any, **options: Any
        ) -> None:
            receiver: Any = _Receiver(sock, received)
            super().__init__(receiver, *rest, **options)

        def begin(self) -> None:
            """Read the status and the headers; raise HTTPException where lengths differ."""
            super().begin()
            lines = self.headers.get_all("content-length", ())
            if len(lines) == 1 and lines[0].isdecimal():
                return
            lengths = {each.strip() for line in lines for each in line.split(",")}
            if len(lengths) > 1:
                raise HTTPException("different values of Content-Length")
            if self.length is None and not self.chunked and "".join(lengths).isdecimal():
                self.length = int(lengths.pop())

    return Response
