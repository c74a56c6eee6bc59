"""Send one request over the network and read its response, within limits of time and size.

`http.client` parses the responses and opens tunnels through proxies. Failures are values: the
frames of an exception hold the request and so the key.
"""

from __future__ import annotations

import copy
import os
import re
import select
import socket
import threading
import time
import weakref
from base64 import b64encode
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPException, HTTPResponse, IncompleteRead
from io import BufferedReader, RawIOBase
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlencode, urlsplit

from ..diagnostics.codes import service
from ..diagnostics.diagnostic import Rule
from ..diagnostics.errors import ServiceError
from ..execution.protocol import SIDE_BY_SIDE
from ..trusted_url import is_loopback, is_trusted_api_base
from .api_key import Secret
from .ca_bundle import find_ca_bundle

if TYPE_CHECKING:
    import ssl

_HOST = re.compile(r"[A-Za-z0-9_.:-]+")
_LINE_BREAK = re.compile("[\r\n]")


@dataclass(frozen=True, slots=True)
class Limits:
    """Limits of one exchange: seconds to connect, between two reads and in total; bytes of a body.

    A page of 100 meters has some 60,000 bytes. `list_entries`, `list_size` (bytes) and `list_time`
    (seconds spent on its requests) are those of a whole list.
    """

    connect: float = 10.0
    read: float = 30.0
    total: float = 60.0
    size: int = 8 * 2**20
    list_entries: int = 1_000_000
    list_size: int = 2**30
    list_time: float = 3600.0


@dataclass(frozen=True, slots=True)
class Request:
    """A request to send. `fields` are the query of a GET and the form of a POST.

    `content` is the body of a POST that is no form. A 2xx response to it may be empty if
    `may_answer_empty`.
    """

    method: str
    path: str
    fields: tuple[tuple[str, str], ...]
    headers: Mapping[str, str]
    content: bytes | None = None
    may_answer_empty: bool = False


@dataclass(frozen=True, slots=True)
class Response:
    """A complete response; the names of its headers are in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class TransportError:
    """Why there is no usable response. `permanent` means that a retry would fail the same way.

    `headers` are those received; `status` is set only where the body was rejected, or left unread
    on purpose.
    """

    rule: Rule
    message: str
    permanent: bool = False
    status: int | None = None
    headers: Mapping[str, str] = field(default_factory=dict)


def check_base(address: str) -> str:
    """Return an API address that a key may be sent to, without a trailing slash.

    Raises ServiceError (S005) for anything but https, or http on a loopback address.
    """
    if is_trusted_api_base(address):
        return address.rstrip("/")
    try:
        parts = urlsplit(address)
    except ValueError:
        raise ServiceError(service.UNSAFE_ADDRESS("api_base is not an address")) from None
    shown = f"{parts.scheme or 'no scheme'}://{parts.hostname or ''}"
    raise ServiceError(service.UNSAFE_ADDRESS(f"a key is not sent to {shown}"))


def find_proxy(base: str) -> str | None:
    """Return the address of the proxy for requests to an API, without a password; None without."""
    found = _select_proxy(base)
    if not found or "@" not in found:
        return found
    scheme, separator, _ = found.partition("://")
    return f"{scheme if separator else 'http'}://{found.rpartition('@')[2]}"


def _select_proxy(base: str) -> str | None:
    """Return the proxy that the environment names for an address; none is used on loopback."""
    if is_loopback(base):
        return None
    from urllib.request import getproxies, proxy_bypass

    parts, proxies = urlsplit(base), getproxies()
    if proxy_bypass(parts.netloc):
        return None
    return proxies.get(parts.scheme) or proxies.get("all")


class _ProxyError(Exception):
    """The address of a proxy cannot be used; the text does not quote it."""


class _TimedStream(RawIOBase):
    """The bytes of a socket; no read ends later than the deadline of the exchange."""

    def __init__(self, raw: RawIOBase, sock: socket.socket, read: float, ends: float) -> None:
        self._raw, self._socket, self._limit, self._ends = raw, sock, read, ends

    def readable(self) -> bool:
        """Return True."""
        return True

    def readinto(self, buffer: Any, /) -> int | None:
        """Read what is there, after a wait of at most the time that is left."""
        left = self._ends - time.monotonic()
        if left <= 0:
            raise TimeoutError("timed out")
        self._socket.settimeout(min(self._limit, left))
        return self._raw.readinto(buffer)

    def close(self) -> None:
        """Close the stream of the socket."""
        self._raw.close()
        super().close()


class _TimedResponse(HTTPResponse):
    """A response that is read within a limit for each read and one for all of it."""

    def __init__(self, sock: socket.socket, method: str, read: float, ends: float) -> None:
        super().__init__(sock, method=method)
        self.fp = BufferedReader(_TimedStream(self.fp.detach(), sock, read, ends))


class Connection:
    """Connections to one API, kept alive and shared by threads, SIDE_BY_SIDE of them at once.

    Proxies are taken from the environment, except for loopback, and the CA bundle is for both; no
    cookies, no redirects. Deadlines are in real time, whatever clock the transport uses. Raises
    ServiceError (S013) for a CA bundle that cannot be used.
    """

    def __init__(
        self, base: str, key: Secret, limits: Limits, side_by_side: int = SIDE_BY_SIDE
    ) -> None:
        parts = urlsplit(base)
        self._base = base
        self._path = parts.path
        self._netloc, self._host = parts.netloc, parts.hostname or ""
        self._port = parts.port or (443 if parts.scheme == "https" else 80)
        self._key = key
        self._limits = limits
        self._tls = _build_tls_context() if parts.scheme == "https" else None
        self._slots = threading.BoundedSemaphore(side_by_side)
        self._idle: list[socket.socket] = []
        weakref.finalize(self, _close_all, self._idle)

    def close(self) -> None:
        """Close the connections that are not in use."""
        _close_all(self._idle)

    def with_key(self, key: Secret) -> Connection:
        """Return the same connections for requests that send another key."""
        other = copy.copy(self)
        other._key = key
        return other

    def send(self, request: Request) -> Response | TransportError:
        """Send once and return the complete response, or why there is none."""
        with self._slots:
            headers: dict[str, str] = {}
            ends = time.monotonic() + self._limits.total
            try:
                connected = self._find_idle() or self._connect(ends)
                if isinstance(connected, TransportError):
                    return connected
                return self._exchange(connected, request, headers, ends)
            except Exception as error:
                if isinstance(error, TimeoutError) and time.monotonic() >= ends:
                    return self._time_out(headers)
                return self._describe(error, headers)

    def _find_idle(self) -> socket.socket | None:
        """Return a connection that is kept alive, unless the server has closed or written to it."""
        while self._idle:
            with suppress(IndexError):  # of another thread now
                connected = self._idle.pop()
                poll = select.poll()
                poll.register(connected, select.POLLIN)
                if not poll.poll(0):
                    return connected
                connected.close()
        return None

    def _connect(self, ends: float) -> socket.socket | TransportError:
        """Open a connection in a thread, which is abandoned at the deadline.

        Nothing else limits how long the look-up of a name takes.
        """
        came: SimpleQueue[socket.socket | TransportError] = SimpleQueue()
        threading.Thread(target=lambda: came.put(self._open()), daemon=True).start()
        try:
            return came.get(timeout=max(0.0, ends - time.monotonic()))
        except Empty:
            return self._time_out({})

    def _open(self) -> socket.socket | TransportError:
        """Open a connection, through a proxy where there is one, with TLS where it is needed."""
        try:
            proxy = _select_proxy(self._base)
            address, limit = (self._host, self._port), self._limits.connect
            opened = (
                _open_tunnel(proxy, address, limit)
                if proxy
                else socket.create_connection(address, limit)
            )
            opened.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            return _wrap(opened, self._tls, self._host) if self._tls else opened
        except Exception as error:
            return self._describe(error, {})

    def _exchange(
        self, connected: socket.socket, request: Request, headers: dict[str, str], ends: float
    ) -> Response | TransportError:
        """Send, and read the response; its headers are filled in as soon as they are there."""
        keep = False
        try:
            connected.settimeout(self._limits.read)
            connected.sendall(self._encode(request))
            with _TimedResponse(connected, request.method, self._limits.read, ends) as response:
                response.begin()
                for name, value in response.headers.items():
                    before = headers.get(name.lower())
                    headers[name.lower()] = f"{before}, {value}" if before else value
                result = self._read(response, headers, ends)
                keep = isinstance(result, Response) and not response.will_close
                return result
        finally:
            if keep:
                self._idle.append(connected)
            else:
                connected.close()

    def _encode(self, request: Request) -> bytes:
        """Return the bytes of a request, in one piece."""
        form = urlencode(request.fields).encode("ascii")
        reads = request.method == "GET"
        target = self._path + request.path + (f"?{form.decode()}" if reads and form else "")
        content = (b"" if reads else form) if request.content is None else request.content
        named = {
            "Host": self._netloc,
            **request.headers,
            "Authorization": f"Bearer {self._key.reveal()}",
        }
        if content or not reads:
            named["Content-Length"] = str(len(content))
        lines = [f"{request.method} {target} HTTP/1.1"]
        lines += (f"{name}: {value}" for name, value in named.items())
        if any(map(_LINE_BREAK.search, lines)):
            raise HTTPException("a header contains a line break")
        return "\r\n".join([*lines, "", ""]).encode("latin-1") + content

    def _read(
        self, response: HTTPResponse, headers: Mapping[str, str], ends: float
    ) -> Response | TransportError:
        """Read the body within the limits."""
        status = response.status

        def reject(rule: Rule, message: str) -> TransportError:
            return TransportError(rule, message, permanent=True, status=status, headers=headers)

        if status < 200:  # the next response on this connection would be that of this request
            return reject(service.UNEXPECTED_RESPONSE, f"HTTP {status} is not a final response")
        if 300 <= status < 400:
            return reject(service.REDIRECTED, f"HTTP {status} would lead to another address")
        if headers.get("content-encoding", "identity") != "identity":
            return reject(service.NOT_JSON, "the response is compressed, which was not requested")
        body = bytearray()
        while piece := response.read(2**16):
            body += piece
            if len(body) > self._limits.size:
                return reject(
                    service.TOO_LARGE, f"the response exceeds {self._limits.size:,} bytes"
                )
        if response.length:
            raise IncompleteRead(bytes(body), response.length)
        return Response(status, headers, bytes(body))

    def _time_out(self, headers: Mapping[str, str]) -> TransportError:
        message = f"the response was not complete after {self._limits.total:g} seconds"
        return TransportError(service.TOO_SLOW, message, permanent=True, headers=headers)

    def _describe(self, error: Exception, headers: Mapping[str, str]) -> TransportError:
        """Return why an exchange failed; only what may pass is worth a retry."""
        # A plain ValueError is a malformed chunk.
        passing = isinstance(error, HTTPException | OSError | ValueError)
        message = f"no response from {self._base}: {_explain(error) or type(error).__name__}"
        return TransportError(service.UNREACHABLE, message, not passing, headers=headers)


def _wrap(opened: socket.socket, tls: ssl.SSLContext, host: str) -> socket.socket | TransportError:
    """Return the connection with TLS, or why there is none."""
    import ssl

    try:
        return tls.wrap_socket(opened, server_hostname=host)
    except ssl.SSLError as error:
        return TransportError(service.TLS_FAILED, _explain(error), permanent=True)
    finally:
        opened.close()  # which a connection with TLS has left behind


def _explain(error: Exception) -> str:
    return (error.strerror if isinstance(error, OSError) else None) or str(error)


def _close_all(idle: list[socket.socket]) -> None:
    while idle:
        with suppress(IndexError):
            idle.pop().close()


def _build_tls_context() -> ssl.SSLContext:
    """Return the context of all connections: the CA bundle of the environment, else of certifi."""
    import ssl

    bundle = find_ca_bundle(os.environ)
    if bundle is None:
        import certifi

        bundle = certifi.where()
    file, folder = (None, bundle) if os.path.isdir(bundle) else (bundle, None)
    context = ssl.create_default_context(cafile=file, capath=folder)
    context.set_alpn_protocols(["http/1.1"])
    return context


def _open_tunnel(proxy: str, address: tuple[str, int], timeout: float) -> socket.socket:
    """Return a connection to a host through a proxy, which never sees the key."""
    try:
        parts = urlsplit(proxy if "://" in proxy else f"http://{proxy}")
        at, number = parts.hostname or "", parts.port or 80
    except ValueError:
        raise _ProxyError("the address of a proxy is malformed") from None
    if not _HOST.fullmatch(at):
        raise _ProxyError("the address of a proxy is malformed")
    if parts.scheme != "http":
        raise _ProxyError("the address of a proxy does not begin with http://")
    connection = HTTPConnection(at, number, timeout=timeout)
    login = f"{unquote(parts.username or '')}:{unquote(parts.password or '')}"
    named = {"Proxy-Authorization": f"Basic {b64encode(login.encode()).decode()}"}
    connection.set_tunnel(*address, named if parts.username else {})
    connection.connect()
    return connection.sock
