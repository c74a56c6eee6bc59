"""Send one request over the network and read its response, within limits of time and size.

urllib3 sends; `requests` only finds the proxy that the environment names. Failures are values: the
frames of an exception hold the request and so the key, and it must not become the context of
another one. urllib3 is imported with the first request.
"""

from __future__ import annotations

import copy
import os
import threading
import time
import weakref
from collections.abc import Callable, Mapping
from contextlib import suppress
from http.client import HTTPException
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import urlencode, urlsplit

from msgspec import Struct

from ..diagnostics.codes import service
from ..diagnostics.diagnostic import Rule
from ..diagnostics.errors import ServiceError
from ..execution.protocol import SIDE_BY_SIDE
from ..trusted_url import is_loopback, is_trusted_api_base
from .api_key import Secret
from .ca_bundle import find_ca_bundle

if TYPE_CHECKING:
    import ssl

    from urllib3 import BaseHTTPResponse, HTTPConnectionPool

T = TypeVar("T")


class Limits(Struct, frozen=True):
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


class Request(Struct, frozen=True):
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


class Response(Struct, frozen=True):
    """A complete response; the names of its headers are in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class TransportError(Struct, frozen=True):
    """Why there is no usable response. `permanent` means that a retry would fail the same way.

    `headers` are those received; `status` is set only where the body was rejected, or left unread
    on purpose.
    """

    rule: Rule
    message: str
    permanent: bool = False
    status: int | None = None
    headers: Mapping[str, str] = {}


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
    from requests.utils import get_environ_proxies, select_proxy

    found = None if is_loopback(base) else select_proxy(base, get_environ_proxies(base))
    if not found or "@" not in found:
        return found
    scheme, separator, _ = found.partition("://")
    return f"{scheme if separator else 'http'}://{found.rpartition('@')[2]}"


class _Pool:
    """Connections to one API that are kept alive, through a proxy where the environment has one."""

    def __init__(self, base: str, limits: Limits, size: int) -> None:
        self._base = base
        self._prefix = urlsplit(base).path
        self._limits = limits
        self._size = size
        self._bundle = find_ca_bundle(os.environ) if base.startswith("https:") else None
        self._lock = threading.Lock()
        self._opened: HTTPConnectionPool | None = None

    def send(
        self, method: str, target: str, body: bytes | None, headers: Mapping[str, str]
    ) -> BaseHTTPResponse:
        """Send once, and return the response with its body unread; raise what urllib3 raises."""
        with self._lock:
            if self._opened is None:
                self._opened = self._open()
        return self._opened.urlopen(
            method,
            self._prefix + target,
            body=body,
            headers=headers,
            redirect=False,
            retries=False,
            preload_content=False,
            decode_content=False,
        )

    def close(self) -> None:
        """Close the connections that are not in use."""
        with self._lock:
            opened, self._opened = self._opened, None
        if opened:
            opened.close()

    def _open(self) -> HTTPConnectionPool:
        """Return the connections; they share one TLS context, which takes long to make."""
        from urllib3 import PoolManager, ProxyManager, Timeout, make_headers

        timeout = Timeout(connect=self._limits.connect, read=self._limits.read)
        options: dict[str, Any] = {"maxsize": self._size, "timeout": timeout}
        if self._base.startswith("https:"):
            options["ssl_context"] = _build_tls_context(self._bundle)
        proxy = _select_proxy(self._base)
        if not proxy:
            return PoolManager(**options).connection_from_url(self._base)
        from requests.utils import get_auth_from_url

        user, password = get_auth_from_url(proxy)
        named = make_headers(proxy_basic_auth=f"{user}:{password}") if user else {}
        trusted = options.get("ssl_context")
        manager = ProxyManager(proxy, proxy_headers=named, proxy_ssl_context=trusted, **options)
        return manager.connection_from_url(self._base)


def _build_tls_context(bundle: str | None) -> ssl.SSLContext:
    """Return a context that trusts the authorities of a file or folder, by default certifi's."""
    from certifi import where
    from urllib3.util.ssl_ import create_urllib3_context

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
    from urllib3.exceptions import LocationParseError
    from urllib3.util import parse_url

    found = select_proxy(base, get_environ_proxies(base))
    if not found:
        return None
    proxy = found if "://" in found else f"http://{found}"
    host = parse_url(proxy).host
    if not host or any(map(str.isspace, host)):  # which old versions of urllib3 accept
        raise LocationParseError(proxy)
    return proxy


class _Threads:
    """Threads that are kept for the next exchange: to start one takes as long as to send."""

    def __init__(self) -> None:
        self._idle: list[SimpleQueue[Callable[[], None] | None]] = []
        weakref.finalize(self, _end_threads, self._idle)

    def call(self, work: Callable[[], T], seconds: float) -> T:
        """Return what `work` returns; raise Empty, and abandon its thread, if that takes longer."""
        came: SimpleQueue[T] = SimpleQueue()
        try:
            inbox = self._idle.pop()
        except IndexError:
            inbox = SimpleQueue()
            threading.Thread(target=_work, args=(inbox,), daemon=True).start()
        inbox.put(lambda: came.put(work()))
        try:
            result = came.get(timeout=seconds)
        except Empty:
            inbox.put(None)  # it ends when the exchange does
            raise
        self._idle.append(inbox)
        return result

    def close(self) -> None:
        """End the threads that are idle."""
        _end_threads(self._idle)


def _work(inbox: SimpleQueue[Callable[[], None] | None]) -> None:
    while work := inbox.get():
        work()
        del work  # it holds a request, and so the key


def _end_threads(idle: list[SimpleQueue[Callable[[], None] | None]]) -> None:
    while idle:
        with suppress(IndexError):  # another thread took it
            idle.pop().put(None)


class Connection:
    """Connections to one API, kept alive and shared by up to `side_by_side` threads.

    Proxies are taken from the environment, except for loopback, and the CA bundle is for both; no
    cookies, no redirects. Deadlines are in real time, whatever clock the transport uses. Raises
    ServiceError (S013) for a CA bundle that cannot be used.
    """

    def __init__(
        self, base: str, key: Secret, limits: Limits, side_by_side: int = SIDE_BY_SIDE
    ) -> None:
        self._base = base
        self._key = key
        self._limits = limits
        self._slots = threading.BoundedSemaphore(side_by_side)
        self._pool = _Pool(base, limits, side_by_side)
        self._threads = _Threads()

    def close(self) -> None:
        """Close the connections, and end the threads."""
        self._pool.close()
        self._threads.close()

    def with_key(self, key: Secret) -> Connection:
        """Return the same connections for requests that send another key."""
        other = copy.copy(self)
        other._key = key
        return other

    def send(self, request: Request) -> Response | TransportError:
        """Send once and return the complete response, or why there is none.

        The exchange runs in a thread of its own, which is abandoned at the deadline: the timeout
        of a socket starts anew with every byte, and a header can be as slow as a body.
        """
        with self._slots:
            return self._send_in_time(request)

    def _send_in_time(self, request: Request) -> Response | TransportError:
        headers: dict[str, str] = {}
        try:
            return self._threads.call(lambda: self._exchange(request, headers), self._limits.total)
        except Empty:
            return self._time_out(headers)

    def _time_out(self, headers: Mapping[str, str]) -> TransportError:
        message = f"the response was not complete after {self._limits.total:g} seconds"
        return TransportError(service.TOO_SLOW, message, permanent=True, headers=headers)

    def _exchange(self, request: Request, headers: dict[str, str]) -> Response | TransportError:
        """Send, and read the response; its headers are filled in as soon as they are there."""
        ends = time.monotonic() + self._limits.total
        try:
            response = self._open(request)
            result: Response | TransportError | None = None
            try:
                headers |= {name.lower(): value for name, value in response.headers.items()}
                result = self._read(response, headers, ends)
                return result
            finally:
                if not isinstance(result, Response):  # what is left of it must not be read
                    response.close()
                response.release_conn()
        except Exception as error:  # of any type: it holds the request, and so the key
            return self._describe(error, headers)

    def _open(self, request: Request) -> BaseHTTPResponse:
        """Return the response, its body unread."""
        reads, form = request.method == "GET", urlencode(request.fields)
        target = f"{request.path}?{form}" if reads and form else request.path
        content = form.encode("ascii") if request.content is None else request.content
        headers = {**request.headers, "Authorization": f"Bearer {self._key.reveal()}"}
        return self._pool.send(request.method, target, None if reads else content, headers)

    def _read(
        self, response: BaseHTTPResponse, headers: Mapping[str, str], ends: float
    ) -> Response | TransportError:
        """Read the body within the limits; closing the response unread closes its connection."""
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
        while time.monotonic() < ends:
            piece = response.read(2**16, decode_content=False)
            if not piece:
                return Response(status, headers, bytes(body))
            body += piece
            if len(body) > self._limits.size:
                return reject(
                    service.TOO_LARGE, f"the response exceeds {self._limits.size:,} bytes"
                )
        return self._time_out(headers)

    def _describe(self, error: Exception, headers: Mapping[str, str]) -> TransportError:
        """Return why an exchange failed; only what may pass is worth a retry."""
        from urllib3.exceptions import HTTPError, LocationParseError, SSLError

        reason: BaseException = error
        while cause := reason.__cause__ or reason.__context__:
            reason = cause
        why = (reason.strerror if isinstance(reason, OSError) else None) or str(reason)
        if isinstance(error, SSLError):
            return TransportError(service.TLS_FAILED, why, permanent=True, headers=headers)
        if isinstance(error, LocationParseError):  # which may quote a password
            why = "the address of a proxy is malformed"
        malformed = isinstance(error, HTTPError) and isinstance(error, ValueError)
        # A plain ValueError is a malformed chunk.
        passing = (HTTPError, HTTPException, OSError, ValueError)
        permanent = malformed or not isinstance(error, passing)
        message = f"no response from {self._base}: {why or type(reason).__name__}"
        return TransportError(service.UNREACHABLE, message, permanent, headers=headers)
