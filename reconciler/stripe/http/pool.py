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
import time
import weakref
from collections import deque
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any
from urllib.parse import urlsplit

from ...threads import LONGEST_WAIT, start_thread, wait_for
from . import exchange
from .environment import find_proxy
from .exchange import LIMITS, PORTS, Answer

_SHORT = 4096  # bytes of a body that a socket takes at once, also a new one
_LONGEST_IDLE = 50.0  # seconds; firewalls and load balancers forget connections, most after 60


class HandshakeError(Exception):
    """TLS was not agreed on, or a certificate not accepted: nothing was sent."""


class Link:
    """A connection, which has no socket until it is opened."""

    def __init__(self, connect: Callable[[float], socket.socket], timeout: float) -> None:
        self.sock: socket.socket | None = None
        self.idle_since = 0.0
        self._connect, self._timeout = connect, timeout

    def open(self) -> socket.socket:
        """Open it in a thread; raise TimeoutError, and abandon it, after the deadline.

        Raises what `connect` does, HandshakeError in place of an SSLError.
        """
        if self.sock is None:
            ends, timeout = LIMITS.ends, self._timeout

            def work() -> socket.socket:
                LIMITS.set(ends, timeout, timeout)  # a proxy responds as well
                return self._connect(timeout)

            try:
                self.sock = wait_for(start_thread(work), LIMITS.measure_rest())
            except ssl.SSLError as error:
                if exchange.has_ended(error):
                    raise ConnectionError from error
                raise HandshakeError from error
        return self.sock

    def close(self) -> None:
        """Close it, if it is open."""
        connected, self.sock = self.sock, None
        if connected is not None:
            connected.close()


class Pool:
    """Connections to one API that are kept alive, through a proxy where the environment has one.

    `connect` and `read` are seconds to connect, and between two reads. Raises ProxyError.
    """

    def __init__(self, base: str, connect: float, read: float, bundle: str | None) -> None:
        parts = urlsplit(base)
        self._prefix, self._read, self._timeout = parts.path, read, connect
        host, port = parts.hostname or "", parts.port or PORTS[parts.scheme]
        self._connect = _prepare(base, host, port, bundle)
        name = f"[{host}]" if ":" in host else host
        self._host = name if port == PORTS[parts.scheme] else f"{name}:{port}"
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
        Raises OSError, HTTPException, ValueError, ProxyError, HandshakeError or
        MalformedRequestError; then the connection is closed. If it was used before, those that are
        not in use are closed as well: they have probably been lost with it.
        """
        LIMITS.set(ends, self._read, LONGEST_WAIT)
        length = None if body is None else len(body)
        head = exchange.write_head(method, self._prefix + target, self._host, headers, length)
        link = self._take()
        is_reused = link.sock is not None
        try:
            connected = link.open()
            moment = LONGEST_WAIT if (length or 0) <= _SHORT else self._read
            exchange.set_timeout(connected, min(moment, self._read, LIMITS.measure_rest()))
            return link, exchange.send(connected, head, body, method)
        except BaseException:
            link.close()
            if is_reused:
                _close_all(self._idle)
            raise

    def _take(self) -> Link:
        """Return a connection that is open and silent, or a new one, which is not open yet."""
        while link := _pop(self._idle):
            is_recent = time.monotonic() - link.idle_since < _LONGEST_IDLE
            if is_recent and link.sock is not None and _is_silent(link.sock):
                return link
            link.close()  # the server has closed it, or it sends what was not requested
        return Link(self._connect, self._timeout)

    def release(
        self, link: Link, response: Answer, *, complete: bool, failed: bool = False
    ) -> None:
        """Keep the connection, or close it: what is left of a response must not be read.

        If reading it failed, those that are not in use are closed as well.
        """
        if complete and response.isclosed() and not response.will_close:
            link.idle_since = time.monotonic()
            self._idle.append(link)
        else:
            response.close()
            link.close()
        if failed:
            _close_all(self._idle)
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

    TLS within TLS is an `SSLTransport` of urllib3, which has decrypted one layer only of what is in
    `incoming`.
    """
    decrypted = getattr(connected, "sslobj", connected)
    if hasattr(decrypted, "pending") and decrypted.pending():
        return False
    if hasattr(connected, "incoming") and (
        connected.incoming.pending or connected.socket.pending()
    ):
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
        from .proxy import prepare_tunnel

        return prepare_tunnel(proxy, (host, port), context)

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


def _build_tls_context(bundle: str | None) -> ssl.SSLContext:
    """Return a context that trusts the authorities of a file or folders, by default certifi's."""
    if bundle is None:
        from certifi import where

        bundle = where()
    is_file = os.path.isfile(bundle)
    context = ssl.create_default_context(
        cafile=bundle if is_file else None, capath=None if is_file else bundle
    )
    context.minimum_version = ssl.TLSVersion.TLSv1_2  # which distributions may lower
    context.hostname_checks_common_name = False
    context.set_alpn_protocols(["http/1.1"])
    return context
