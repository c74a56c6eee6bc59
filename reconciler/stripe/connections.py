"""Connections to one API that are kept alive, and a deadline for what is done over one.

The timeout of a socket starts anew with every byte that is received, and a header can be as slow
as a body. So responses are read with the time that is left, and a connection is opened in a thread
of its own, which is abandoned at the deadline: nothing else ends the search for an address.

Connections are those of http.client: urllib3 takes 50 ms more to import, and twice the time of
each request. Only a connection through a proxy is its. Imported with the first request.
"""

from __future__ import annotations

import io
import os
import select
import socket
import threading
import time
import weakref
from collections import deque
from collections.abc import Callable, Mapping
from http.client import HTTPConnection, HTTPResponse, HTTPSConnection
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

from ..threads import start_thread
from .environment import find_proxy

if TYPE_CHECKING:
    import ssl

    from urllib3.util import Url


class _Exchange(threading.local):
    """The exchange of this thread: `ends` is its deadline, by the monotonic clock."""

    ends: float | None = None

    def measure_rest(self) -> float:
        """Return the seconds that are left; raise TimeoutError if there are none."""
        left = threading.TIMEOUT_MAX if self.ends is None else self.ends - time.monotonic()
        if left <= 0:
            raise TimeoutError("the deadline has passed")
        return left


_EXCHANGE = _Exchange()
_SCHEMES = ("http", "https")  # of proxies


class _TimedReader(io.RawIOBase):
    """What a socket receives before the deadline."""

    def __init__(self, receiver: socket.socket) -> None:
        self._socket = receiver
        self._raw = receiver.makefile("rb", buffering=0)

    def readable(self) -> bool:
        """Return True."""
        return True

    def readinto(self, buffer: Any, /) -> int | None:
        """Receive what there is, or wait for it."""
        left, patience = _EXCHANGE.measure_rest(), self._socket.gettimeout()
        if patience is None or left < patience:
            self._socket.settimeout(left)
        return self._raw.readinto(buffer)

    def close(self) -> None:
        """Close the file; the socket is closed with the last of its files."""
        self._raw.close()
        super().close()


class _Receiver:
    """A socket, as far as a response uses it."""

    def __init__(self, receiver: socket.socket) -> None:
        self._socket = receiver

    def makefile(self, _: str) -> io.BufferedReader:
        """Return what the socket receives."""
        return io.BufferedReader(_TimedReader(self._socket))


class _TimedResponse(HTTPResponse):
    """A response that is read up to the deadline of its exchange."""

    def __init__(self, sock: socket.socket, *rest: Any, **options: Any) -> None:
        receiver: Any = _Receiver(sock)
        super().__init__(receiver, *rest, **options)


def _open_in_time(connect: Callable[[], None]) -> None:
    """Open a connection in a thread; raise TimeoutError, and abandon it, after the deadline."""
    ends = _EXCHANGE.ends

    def work() -> None:
        _EXCHANGE.ends = ends  # a proxy responds as well
        connect()

    start_thread(work).result(_EXCHANGE.measure_rest())


class _Plain(HTTPConnection):
    response_class = _TimedResponse

    def connect(self) -> None:
        _open_in_time(super().connect)


class _Encrypted(HTTPSConnection):
    response_class = _TimedResponse

    def connect(self) -> None:
        _open_in_time(super().connect)


class MalformedProxyError(Exception):
    """The address of a proxy that no connection can be made through."""


class Pool:
    """Connections to one API that are kept alive, through a proxy where the environment has one.

    `connect` and `read` are seconds to connect, and between two reads. Raises MalformedProxyError.
    """

    def __init__(self, base: str, connect: float, read: float, bundle: str | None) -> None:
        self._prefix, self._read = urlsplit(base).path, read
        self._make = _prepare(base, connect, bundle)
        self._idle: deque[HTTPConnection] = deque()
        self._is_closed = False
        weakref.finalize(self, _close_all, self._idle)  # where nobody closes it

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
        _EXCHANGE.ends = ends
        connection = self._take()
        try:
            if connection.sock is None:
                connection.connect()
            connection.sock.settimeout(self._read)
            # Connections through a proxy would wrap the response, and change the headers.
            HTTPConnection.request(connection, method, self._prefix + target, body, headers)
            return connection, HTTPConnection.getresponse(connection)
        except BaseException:
            connection.close()
            raise

    def _take(self) -> HTTPConnection:
        """Return a connection that is open and silent, or a new one, which is not open yet."""
        while connection := _pop(self._idle):
            if connection.sock is not None and not _is_readable(connection.sock):
                return connection
            connection.close()  # by the server, or it sends what nobody has asked for
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


def _is_readable(connected: socket.socket) -> bool:
    polled = select.poll()
    polled.register(connected, select.POLLIN)
    return bool(polled.poll(0))


def _prepare(base: str, connect: float, bundle: str | None) -> Callable[[], HTTPConnection]:
    """Return what makes a connection, which is not open yet."""
    parts = urlsplit(base)
    host = parts.hostname or ""
    if parts.scheme == "http":
        return lambda: _Plain(host, parts.port, timeout=connect)
    proxy, context = find_proxy(base), _build_tls_context(bundle)
    if proxy:
        goal = (host, parts.port or 443)
        return _prepare_tunnel(_parse_proxy(proxy), goal, connect, context)
    return lambda: _Encrypted(host, parts.port, timeout=connect, context=context)


def _prepare_tunnel(
    proxy: Url, goal: tuple[str, int], connect: float, context: ssl.SSLContext
) -> Callable[[], HTTPConnection]:
    """Return what makes a connection through a proxy: http.client knows none that speaks TLS."""
    from urllib3 import make_headers
    from urllib3.connection import HTTPSConnection as Connection
    from urllib3.connection import ProxyConfig
    from urllib3.exceptions import HTTPError

    class Tunnel(Connection):
        response_class = _TimedResponse

        def connect(self) -> None:
            try:
                _open_in_time(super().connect)
            except HTTPError as error:
                kind = MalformedProxyError if isinstance(error, ValueError) else ConnectionError
                raise kind from error

    named = make_headers(proxy_basic_auth=unquote(proxy.auth)) if proxy.auth else {}
    config = ProxyConfig(
        ssl_context=context,
        use_forwarding_for_https=False,
        assert_hostname=None,
        assert_fingerprint=None,
    )

    def make() -> HTTPConnection:
        made = Tunnel(
            proxy.host or "",
            proxy.port,
            timeout=connect,
            ssl_context=context,
            proxy=proxy,
            proxy_config=config,
        )
        made.set_tunnel(*goal, headers=named, scheme=proxy.scheme or "http")
        return made

    return make


def _parse_proxy(address: str) -> Url:
    """Return the parts of the address of a proxy; raise MalformedProxyError."""
    from urllib3.exceptions import LocationParseError
    from urllib3.util import parse_url

    try:
        proxy = parse_url(address if "://" in address else f"http://{address}")
    except LocationParseError:
        raise MalformedProxyError from None
    # Old versions of urllib3 accept a space in a host.
    if not proxy.host or any(map(str.isspace, proxy.host)) or proxy.scheme not in _SCHEMES:
        raise MalformedProxyError
    return proxy


def _build_tls_context(bundle: str | None) -> ssl.SSLContext:
    """Return a context that trusts the authorities of a file or folder, by default certifi's."""
    import ssl  # which the emulator on loopback does without

    if bundle is None:
        from certifi import where

        bundle = where()
    in_folder = os.path.isdir(bundle)
    context = ssl.create_default_context(
        cafile=None if in_folder else bundle, capath=bundle if in_folder else None
    )
    context.set_alpn_protocols(["http/1.1"])
    return context
