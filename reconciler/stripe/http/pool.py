"""Connections to one API that are kept alive.

A connection is opened in a thread of its own, which is abandoned at the deadline: nothing else ends
the search for an address. Imported with the first request.

requests and urllib3 take 50 ms longer to import, and more than twice as long for each request. Only
connections through a proxy use them.
"""

from __future__ import annotations

import os
import select
import socket
import ssl
import weakref
from collections import deque
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

from ...threads import LONGEST_WAIT, start_thread, wait_for
from . import exchange
from .environment import find_proxy
from .exchange import LIMITS, Answer

if TYPE_CHECKING:
    from urllib3.util import Url

_MALFORMED = "the address of a proxy is malformed"
_PORTS = {"http": 80, "https": 443}
_SHORT = 4096  # bytes of a body that a socket takes at once, also a new one


class ProxyAddressError(Exception):
    """Why no connection can be made through a proxy; only the message hides its password."""


class Link:
    """A connection, which has no socket until it is opened."""

    def __init__(self, connect: Callable[[float], socket.socket], timeout: float) -> None:
        self.sock: socket.socket | None = None
        self._connect, self._timeout = connect, timeout

    def open(self) -> socket.socket:
        """Open it in a thread; raise TimeoutError, and abandon it, after the deadline."""
        if self.sock is None:
            ends, timeout = LIMITS.ends, self._timeout

            def work() -> socket.socket:
                LIMITS.set(ends, timeout, timeout)  # a proxy responds as well
                return self._connect(timeout)

            self.sock = wait_for(start_thread(work), LIMITS.measure_rest())
        return self.sock

    def close(self) -> None:
        """Close it, if it is open."""
        connected, self.sock = self.sock, None
        if connected is not None:
            connected.close()


class Pool:
    """Connections to one API that are kept alive, through a proxy where the environment has one.

    `connect` and `read` are seconds to connect, and between two reads. Raises ProxyAddressError.
    """

    def __init__(self, base: str, connect: float, read: float, bundle: str | None) -> None:
        parts = urlsplit(base)
        self._prefix, self._read, self._timeout = parts.path, read, connect
        host, port = parts.hostname or "", parts.port or _PORTS[parts.scheme]
        self._connect = _prepare(base, host, port, bundle)
        name = f"[{host}]" if ":" in host else host
        self._host = name if port == _PORTS[parts.scheme] else f"{name}:{port}"
        self._idle: deque[Link] = deque()
        self._is_closed = False
        weakref.finalize(self, _close_all, self._idle)  # a pool that is not closed

    def send(
        self,
        method: str,
        target: str,
        body: bytes | None,
        headers: Mapping[str, str],
        ends: float,
    ) -> tuple[Link, Answer]:
        """Send once, and return the connection and the response with its body unread.

        This, and the reading of the body by this thread, end at a time of the monotonic clock.
        Raises OSError, HTTPException, ValueError, ProxyAddressError or MalformedRequestError; then
        the connection is closed.
        """
        LIMITS.set(ends, self._read, LONGEST_WAIT)
        length = None if body is None else len(body)
        head = exchange.write_head(method, self._prefix + target, self._host, headers, length)
        link = self._take()
        try:
            connected = link.open()
            moment = LONGEST_WAIT if (length or 0) <= _SHORT else self._read
            exchange.set_timeout(connected, min(moment, self._read, LIMITS.measure_rest()))
            return link, exchange.send(connected, head, body, method)
        except BaseException:
            link.close()
            raise

    def _take(self) -> Link:
        """Return a connection that is open and silent, or a new one, which is not open yet."""
        while link := _pop(self._idle):
            if link.sock is not None and _is_silent(link.sock):
                return link
            link.close()  # the server has closed it, or it sends what was not requested
        return Link(self._connect, self._timeout)

    def release(self, link: Link, response: Answer, *, complete: bool) -> None:
        """Keep the connection, or close it: what is left of a response must not be read."""
        if complete and response.isclosed() and not response.will_close:
            self._idle.append(link)
        else:
            response.close()
            link.close()
        if self._is_closed:
            self.close()

    def close(self) -> None:
        """Close the connections that are not in use, and others as soon as they no longer are."""
        self._is_closed = True
        _close_all(self._idle)


def _pop(idle: deque[Link]) -> Link | None:
    """Return the connection that was used last; None if other threads have taken all."""
    try:
        return idle.pop()
    except IndexError:
        return None


def _close_all(idle: deque[Link]) -> None:
    while link := _pop(idle):
        link.close()


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


def _prepare(
    base: str, host: str, port: int, bundle: str | None
) -> Callable[[float], socket.socket]:
    """Return what connects, within so many seconds."""
    if base.startswith("http:"):
        return lambda timeout: _connect(host, port, timeout)
    proxy, context = find_proxy(base), _build_tls_context(bundle)
    if proxy:
        return _prepare_tunnel(_parse_proxy(proxy), (host, port), context)

    def connect(timeout: float) -> socket.socket:
        named = host.encode("ascii")
        return context.wrap_socket(_connect(host, port, timeout), server_hostname=named)

    return connect


def _connect(host: str, port: int, timeout: float) -> socket.socket:
    """Connect; the host is given as bytes, since Python loads tables of 10 ms to encode a str."""
    address: Any = (host.encode("ascii"), port)
    connected = socket.create_connection(address, timeout)
    with suppress(OSError):
        connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return connected


def _prepare_tunnel(
    proxy: Url, goal: tuple[str, int], context: ssl.SSLContext
) -> Callable[[float], socket.socket]:
    """Return what connects through a proxy."""
    from urllib3 import make_headers
    from urllib3.connection import HTTPSConnection, ProxyConfig
    from urllib3.exceptions import HTTPError

    class Tunnel(HTTPSConnection):
        response_class = exchange.define_response()

    scheme, login = proxy.scheme or "http", unquote(proxy.auth or "")
    named = make_headers(proxy_basic_auth=login if ":" in login else f"{login}:") if login else {}
    config = ProxyConfig(
        ssl_context=context,
        use_forwarding_for_https=False,
        assert_hostname=None,
        assert_fingerprint=None,
    )
    options: Any = {"ssl_context": context, "proxy": proxy, "proxy_config": config}

    def connect(timeout: float) -> socket.socket:
        made: Any = Tunnel(
            proxy.host or "", proxy.port or _PORTS[scheme], timeout=timeout, **options
        )
        made.set_tunnel(*goal, headers=named, scheme=scheme)
        try:
            made.connect()
        except BaseException as error:
            made.close()
            if not isinstance(error, HTTPError):
                raise
            if isinstance(error, ValueError):
                raise ProxyAddressError(_MALFORMED) from error
            raise ConnectionError from error
        connected: socket.socket = made.sock
        return connected

    return connect


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
