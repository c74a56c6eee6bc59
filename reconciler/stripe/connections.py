"""Connections to one API that are kept alive, and a deadline for what is done over one.

The timeout of a socket starts anew with every byte that is received, and a header can be as slow
as a body. So responses are read with the time that is left, and a connection is opened in a thread
of its own, which is abandoned at the deadline: nothing else ends the search for an address.

Imported with the first request, since urllib3 takes long to import.
"""

from __future__ import annotations

import http.client
import io
import os
import socket
import ssl
import threading
import time
from collections.abc import Callable, Mapping
from queue import LifoQueue
from typing import Any
from urllib.parse import urlsplit

from certifi import where
from urllib3 import (
    BaseHTTPResponse,
    HTTPConnectionPool,
    HTTPSConnectionPool,
    PoolManager,
    ProxyManager,
    Retry,
    Timeout,
    make_headers,
)
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import LocationParseError
from urllib3.util import parse_url
from urllib3.util.ssl_ import create_urllib3_context

from ..threads import start_thread
from ..trusted_url import is_loopback


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
_NO_RETRIES = Retry(total=False, redirect=False)


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


class _TimedResponse(http.client.HTTPResponse):
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


class _TimedHTTP(HTTPConnection):
    response_class = _TimedResponse
    putheader = http.client.HTTPConnection.putheader  # no header is to be skipped

    def connect(self) -> None:
        _open_in_time(super().connect)


class _TimedHTTPS(HTTPSConnection):
    response_class = _TimedResponse
    putheader = http.client.HTTPConnection.putheader

    def connect(self) -> None:
        _open_in_time(super().connect)


class _Idle(LifoQueue[Any]):
    """Connections that are open and not in use.

    urllib3 also puts a None for each one that is not open yet; it opens one where there is none.
    """

    def put(self, item: Any, *where: Any, **options: Any) -> None:
        """Add a connection."""
        if item is not None:
            super().put(item, *where, **options)


class _Plain(HTTPConnectionPool):
    ConnectionCls = _TimedHTTP
    QueueCls = _Idle


class _Encrypted(HTTPSConnectionPool):
    ConnectionCls = _TimedHTTPS
    QueueCls = _Idle


class Pool:
    """Connections to one API that are kept alive, through a proxy where the environment has one.

    `connect` and `read` are seconds to connect, and between two reads. Up to `size` connections
    are kept. Raises LocationParseError for a malformed proxy.
    """

    def __init__(
        self, base: str, connect: float, read: float, size: int, bundle: str | None
    ) -> None:
        self._prefix = urlsplit(base).path
        timeout = Timeout(connect=connect, read=read)
        options: dict[str, Any] = {"maxsize": size, "timeout": timeout}
        if base.startswith("https:"):
            options["ssl_context"] = _build_tls_context(bundle)
        manager = _build_manager(base, options)
        manager.pool_classes_by_scheme = {"http": _Plain, "https": _Encrypted}
        self._pool = manager.connection_from_url(base)

    def send(
        self,
        method: str,
        target: str,
        body: bytes | None,
        headers: Mapping[str, str],
        ends: float,
    ) -> BaseHTTPResponse:
        """Send once, and return the response with its body unread; raise what urllib3 raises.

        This, and the reading of the body by this thread, end at a time of the monotonic clock.
        """
        _EXCHANGE.ends = ends
        return self._pool.urlopen(
            method,
            self._prefix + target,
            body=body,
            headers=headers,
            redirect=False,
            retries=_NO_RETRIES,
            preload_content=False,
            decode_content=False,
        )

    def close(self) -> None:
        """Close the connections that are not in use."""
        self._pool.close()


def _build_manager(base: str, options: dict[str, Any]) -> PoolManager:
    proxy = _select_proxy(base)
    if not proxy:
        return PoolManager(**options)
    from requests.utils import get_auth_from_url

    user, password = get_auth_from_url(proxy)
    named = make_headers(proxy_basic_auth=f"{user}:{password}") if user else {}
    trusted = options.get("ssl_context")
    return ProxyManager(proxy, proxy_headers=named, proxy_ssl_context=trusted, **options)


def _build_tls_context(bundle: str | None) -> ssl.SSLContext:
    """Return a context that trusts the authorities of a file or folder, by default certifi's."""
    trusted = bundle or where()
    context = create_urllib3_context()
    if os.path.isdir(trusted):
        context.load_verify_locations(capath=trusted)
    else:
        context.load_verify_locations(cafile=trusted)
    return context


def _select_proxy(base: str) -> str | None:
    """Return the address of the proxy for an API, as requests takes it from the environment.

    Raises LocationParseError for a malformed one.
    """
    if is_loopback(base):
        return None
    from requests.utils import get_environ_proxies, select_proxy

    found = select_proxy(base, get_environ_proxies(base))
    if not found:
        return None
    proxy = found if "://" in found else f"http://{found}"
    host = parse_url(proxy).host
    if not host or any(map(str.isspace, host)):  # which old versions of urllib3 accept
        raise LocationParseError(proxy)
    return proxy
