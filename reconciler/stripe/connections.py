"""Connections to one API that are kept alive, and a deadline for what is done over one.

The timeout of a socket starts anew with every byte that is received, and a header can be as slow
as a body. So responses are read with the time that is left, and a connection is opened in a thread
of its own, which is abandoned at the deadline: nothing else ends the search for an address.

Connections are those of http.client: urllib3 takes 50 ms longer to import, and each request takes
twice as long. Only connections through a proxy use it. Imported with the first request.
"""

from __future__ import annotations

import io
import math
import os
import select
import socket
import ssl
import threading
import time
import weakref
from collections import deque
from collections.abc import Callable, Mapping
from contextlib import suppress
from http.client import HTTPConnection, HTTPException, HTTPResponse, HTTPSConnection
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

from ..threads import LONGEST_WAIT, start_thread, wait_for
from .environment import find_proxy

if TYPE_CHECKING:
    from urllib3.util import Url


class _Exchange(threading.local):
    """The exchange of this thread: `ends` is its deadline, by the monotonic clock.

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

    def limit(self, ends: float | None, patience: float, moment: float) -> None:
        """Set the limits of an exchange that begins."""
        self.ends, self.patience, self.moment = ends, patience, moment


_EXCHANGE = _Exchange()
_MALFORMED = "the address of a proxy is malformed"
_PORTS = {"http": 80, "https": 443}
_SHORT = 4096  # bytes of a body that a socket takes at once, also a new one


class _TimedReader(io.RawIOBase):
    """What a socket receives before the deadline."""

    def __init__(self, receiver: socket.socket) -> None:
        self._socket = receiver
        self._file = receiver.makefile("rb", buffering=0)  # never read; keeps the socket open

    def readable(self) -> bool:
        """Return True."""
        return True

    def readinto(self, buffer: Any, /) -> int | None:
        """Receive what there is, or wait for it; signals are handled meanwhile."""
        ends = time.monotonic() + _EXCHANGE.patience
        while (left := min(ends - time.monotonic(), _EXCHANGE.measure_rest())) > 0:
            _set_timeout(self._socket, min(left, _EXCHANGE.moment))
            try:
                return self._socket.recv_into(buffer)
            except TimeoutError as error:
                if error.errno:  # the system's own: the connection has ended
                    raise
        raise TimeoutError("timed out")

    def close(self) -> None:
        """Close the file; the socket is closed with the last of its files."""
        self._file.close()
        super().close()


class _Buffer(io.BufferedReader):
    def read(self, size: int | None = -1, /) -> bytes:
        """Read so many bytes; raise ValueError for a negative size, as of a malformed chunk."""
        if size is None or size < 0:
            raise ValueError("a negative size")
        return super().read(size)


class _Receiver:
    """A socket, as far as a response uses it."""

    def __init__(self, receiver: socket.socket) -> None:
        self._socket = receiver

    def makefile(self, _: str) -> io.BufferedReader:
        """Return what the socket receives."""
        return _Buffer(_TimedReader(self._socket))


class _TimedResponse(HTTPResponse):
    """A response that is read up to the deadline of its exchange."""

    def __init__(self, sock: socket.socket, *rest: Any, **options: Any) -> None:
        receiver: Any = _Receiver(sock)
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


def _set_timeout(connected: socket.socket, seconds: float) -> None:
    """Set the timeout of a socket, if it has another one.

    That is a system call, after which a thread of a fleet waits for the others.
    """
    if connected.gettimeout() != seconds:
        connected.settimeout(seconds)


def _open_in_time(connect: Callable[[], None], timeout: float | None) -> None:
    """Open a connection in a thread; raise TimeoutError, and abandon it, after the deadline."""
    ends, patience = _EXCHANGE.ends, timeout or math.inf

    def work() -> None:
        _EXCHANGE.limit(ends, patience, patience)  # a proxy responds as well
        connect()

    wait_for(start_thread(work), _EXCHANGE.measure_rest())


class _Plain(HTTPConnection):
    response_class = _TimedResponse

    def connect(self) -> None:
        _open_in_time(super().connect, self.timeout)


class _Encrypted(HTTPSConnection):
    response_class = _TimedResponse

    def connect(self) -> None:
        _open_in_time(super().connect, self.timeout)


class ProxyAddressError(Exception):
    """Why no connection can be made through a proxy; only the message hides its password."""


class Pool:
    """Connections to one API that are kept alive, through a proxy where the environment has one.

    `connect` and `read` are seconds to connect, and between two reads. Raises ProxyAddressError.
    """

    def __init__(self, base: str, connect: float, read: float, bundle: str | None) -> None:
        self._prefix, self._read = urlsplit(base).path, read
        self._make = _prepare(base, connect, bundle)
        self._idle: deque[HTTPConnection] = deque()
        self._is_closed = False
        weakref.finalize(self, _close_all, self._idle)  # a pool that is not closed

    def send(
        self,
        method: str,
        target: str,
        body: bytes | None,
        headers: Mapping[str, str],
        ends: float,
    ) -> tuple[HTTPConnection, HTTPResponse]:
        """Send once, and return the connection and the response with its body unread.

        This, and the reading of the body by this thread, end at a time of the monotonic clock.
        Raises what http.client raises; then the connection is closed.
        """
        _EXCHANGE.limit(ends, self._read, LONGEST_WAIT)
        connection = self._take()
        try:
            if connection.sock is None:
                connection.connect()
            moment = LONGEST_WAIT if body is None or len(body) <= _SHORT else self._read
            _set_timeout(connection.sock, min(moment, self._read, _EXCHANGE.measure_rest()))
            words = (method, self._prefix + target, body, headers)
            return connection, _exchange(connection, *words)
        except BaseException:
            connection.close()
            raise

    def _take(self) -> HTTPConnection:
        """Return a connection that is open and silent, or a new one, which is not open yet."""
        while connection := _pop(self._idle):
            if connection.sock is not None and _is_silent(connection.sock):
                return connection
            connection.close()  # the server has closed it, or it sends what was not requested
        return self._make()

    def release(
        self, connection: HTTPConnection, response: HTTPResponse, *, complete: bool
    ) -> None:
        """Keep the connection, or close it: what is left of a response must not be read."""
        if complete and response.isclosed() and connection.sock is not None:
            self._idle.append(connection)
        else:
            response.close()
            connection.close()
        if self._is_closed:
            self.close()

    def close(self) -> None:
        """Close the connections that are not in use, and others as soon as they no longer are."""
        self._is_closed = True
        _close_all(self._idle)


def _pop(idle: deque[HTTPConnection]) -> HTTPConnection | None:
    """Return the connection that was used last; None if other threads have taken all."""
    try:
        return idle.pop()
    except IndexError:
        return None


def _close_all(idle: deque[HTTPConnection]) -> None:
    while connection := _pop(idle):
        connection.close()


def _exchange(connection: HTTPConnection, *request: Any) -> HTTPResponse:
    """Send a request, and return the response, which may come before the request was sent.

    Connections of urllib3 would change the headers, and wrap the response.
    """
    with suppress(BrokenPipeError, ConnectionResetError):  # an early response is better than none
        HTTPConnection.request(connection, *request)
    return HTTPConnection.getresponse(connection)


def _is_silent(connected: Any) -> bool:
    """Whether nothing was received: TLS may have decrypted more than was read.

    TLS within TLS is an `SSLTransport` of urllib3.
    """
    decrypted = getattr(connected, "sslobj", connected)
    if hasattr(decrypted, "pending") and decrypted.pending():
        return False
    polled = select.poll()
    polled.register(connected, select.POLLIN)
    return not polled.poll(0)


def _prepare(base: str, connect: float, bundle: str | None) -> Callable[[], HTTPConnection]:
    """Return what makes a connection, which is not open yet."""
    parts = urlsplit(base)
    host = parts.hostname or ""
    # Without a port, http.client would take the end of an IPv6 address for one.
    port = parts.port or _PORTS[parts.scheme]
    if parts.scheme == "http":
        return lambda: _Plain(host, port, timeout=connect)
    proxy, context = find_proxy(base), _build_tls_context(bundle)
    if proxy:
        return _prepare_tunnel(_parse_proxy(proxy), (host, port), connect, context)
    return lambda: _Encrypted(host, port, timeout=connect, context=context)


def _prepare_tunnel(
    proxy: Url, goal: tuple[str, int], connect: float, context: ssl.SSLContext
) -> Callable[[], HTTPConnection]:
    """Return what makes a connection through a proxy: http.client knows none that speaks TLS."""
    from urllib3 import make_headers
    from urllib3.connection import ProxyConfig

    kind, scheme = _define_tunnel(), proxy.scheme or "http"
    login = unquote(proxy.auth or "")
    named = make_headers(proxy_basic_auth=login if ":" in login else f"{login}:") if login else {}
    config = ProxyConfig(
        ssl_context=context,
        use_forwarding_for_https=False,
        assert_hostname=None,
        assert_fingerprint=None,
    )
    options = {"timeout": connect, "ssl_context": context, "proxy": proxy, "proxy_config": config}

    def make() -> Any:
        made = kind(proxy.host or "", proxy.port or _PORTS[scheme], **options)
        made.set_tunnel(*goal, headers=named, scheme=scheme)
        return made

    return make


def _define_tunnel() -> Any:
    """Return the class of connections through a proxy; few runs need urllib3."""
    from urllib3.connection import HTTPSConnection as Connection
    from urllib3.exceptions import HTTPError

    class Tunnel(Connection):
        response_class = _TimedResponse

        def connect(self) -> None:
            try:
                _open_in_time(super().connect, self.timeout)
            except HTTPError as error:
                if isinstance(error, ValueError):
                    raise ProxyAddressError(_MALFORMED) from error
                raise ConnectionError from error

    return Tunnel


def _parse_proxy(address: str) -> Url:
    """Return the parts of the address of a proxy; raise ProxyAddressError."""
    from urllib3.exceptions import LocationParseError
    from urllib3.util import parse_url

    try:
        proxy = parse_url(address if "://" in address else f"http://{address}")
    except LocationParseError:
        raise ProxyAddressError(_MALFORMED) from None
    if not proxy.host or any(map(str.isspace, proxy.host)):  # which old versions of urllib3 accept
        raise ProxyAddressError(_MALFORMED)
    if proxy.scheme not in _PORTS:
        raise ProxyAddressError("a proxy must be http or https")
    return proxy


def _build_tls_context(bundle: str | None) -> ssl.SSLContext:
    """Return a context that trusts the authorities of a file or folder, by default certifi's."""
    if bundle is None:
        from certifi import where

        bundle = where()
    in_folder = os.path.isdir(bundle)
    context = ssl.create_default_context(
        cafile=None if in_folder else bundle, capath=bundle if in_folder else None
    )
    context.minimum_version = ssl.TLSVersion.TLSv1_2  # which distributions may lower
    context.hostname_checks_common_name = False
    context.set_alpn_protocols(["http/1.1"])
    return context
