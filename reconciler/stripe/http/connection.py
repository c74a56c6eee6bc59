"""Send one request over the network and read its response, within limits of time and size.

Failures are values: the frames of an exception hold the request and so the key, and it must not
become the context of another one.
"""

from __future__ import annotations

import copy
import math
import os
import threading
import time
from collections.abc import Mapping
from functools import lru_cache
from queue import SimpleQueue
from typing import TYPE_CHECKING
from urllib.parse import quote_plus, urlsplit

from msgspec import Struct

from ...diagnostics.codes import service
from ...diagnostics.diagnostic import Rule
from ...diagnostics.errors import ServiceError
from ...execution.protocol import SIDE_BY_SIDE
from ...trusted_url import is_trusted_api_base
from ..api_key import Secret
from .environment import find_ca_bundle

if TYPE_CHECKING:
    from .exchange import Answer
    from .pool import Link, Pool


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


_quote = lru_cache(maxsize=1024)(quote_plus)
"""The requests of a run have the same names of fields, and few values that are not repeated."""


def _encode(fields: tuple[tuple[str, str], ...]) -> str:
    """Return a query or a form, as `urlencode` does."""
    return "&".join([f"{_quote(name)}={_quote(value)}" for name, value in fields])


def _collect_headers(response: Answer, headers: dict[str, str]) -> None:
    """Add the headers, the names in lower case; values of a repeated one are a list."""
    for name, value in response.getheaders():
        key = name.lower()
        value = value.strip(" \t")  # http.client leaves what comes after it
        headers[key] = f"{headers[key]}, {value}" if key in headers else value


def _check_head(status: int, headers: Mapping[str, str]) -> tuple[Rule, str] | None:
    """Return why the body of a response is not to be read, if so."""
    if status < 200:  # the next response on this connection would be that of this request
        return service.UNEXPECTED_RESPONSE, f"HTTP {status} is not a final response"
    if 300 <= status < 400:
        return service.REDIRECTED, f"HTTP {status} would lead to another address"
    if headers.get("content-encoding", "").lower() not in ("", "identity"):
        return service.NOT_JSON, "the response is compressed, which was not requested"
    return None


class _Pool:
    """The connections to one API, opened with the first request."""

    def __init__(self, base: str, limits: Limits) -> None:
        self._base, self._limits = base, limits
        self._bundle = find_ca_bundle(os.environ) if base.startswith("https:") else None
        self._lock = threading.Lock()
        self._opened: Pool | None = None

    def open(self) -> Pool:
        """Return the connections, which a closed pool opens again."""
        if opened := self._opened:
            return opened
        from .pool import Pool

        with self._lock:
            if self._opened is None:
                timeouts = (self._limits.connect, self._limits.read)
                self._opened = Pool(self._base, *timeouts, self._bundle)
            return self._opened

    def close(self) -> None:
        """Close the connections that are not in use."""
        with self._lock:
            opened, self._opened = self._opened, None
        if opened:
            opened.close()


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
        self._slots: SimpleQueue[None] = SimpleQueue()  # a semaphore of `threading` costs more
        for _ in range(side_by_side):
            self._slots.put(None)
        self._pool = _Pool(base, limits)

    def close(self) -> None:
        """Close the connections."""
        self._pool.close()

    def with_key(self, key: Secret) -> Connection:
        """Return the same connections for requests that send another key."""
        other = copy.copy(self)
        other._key = key
        return other

    def send(self, request: Request) -> Response | TransportError:
        """Send once and return the complete response, or why there is none."""
        self._slots.get()
        try:
            return self._exchange(request)
        finally:
            self._slots.put(None)

    def _time_out(self, headers: Mapping[str, str]) -> TransportError:
        message = f"the response was not complete after {self._limits.total:g} seconds"
        return TransportError(service.TOO_SLOW, message, permanent=True, headers=headers)

    def _exchange(self, request: Request) -> Response | TransportError:
        """Send, and read the response, up to the deadline; to import the pool does not count."""
        headers: dict[str, str] = {}
        ends = math.inf
        try:
            pool = self._pool.open()
            ends = time.monotonic() + self._limits.total
            link, response = self._open(pool, request, ends)
            result: Response | TransportError | None = None
            try:
                _collect_headers(response, headers)
                result = self._read(response, headers, ends)
                return result
            finally:
                complete, failed = isinstance(result, Response), result is None
                pool.release(link, response, complete=complete, failed=failed)
        except Exception as error:  # of any type: it holds the request, and so the key
            if time.monotonic() >= ends:
                return self._time_out(headers)
            return self._describe(error, headers)

    def _open(self, pool: Pool, request: Request, ends: float) -> tuple[Link, Answer]:
        """Return the connection and the response, its body unread."""
        reads, form = request.method == "GET", _encode(request.fields)
        target = f"{request.path}?{form}" if reads and form else request.path
        content = form.encode("ascii") if request.content is None else request.content
        headers = {**request.headers, "Authorization": f"Bearer {self._key.reveal()}"}
        return pool.send(request.method, target, None if reads else content, headers, ends)

    def _read(
        self, response: Answer, headers: Mapping[str, str], ends: float
    ) -> Response | TransportError:
        """Read the body within the limits; of a rejected response, it is left unread."""

        def reject(rule: Rule, message: str) -> TransportError:
            return TransportError(
                rule, message, permanent=True, status=response.status, headers=headers
            )

        if refusal := _check_head(response.status, headers):
            return reject(*refusal)
        body = bytearray()
        while piece := response.read(2**16):
            body += piece
            if len(body) > self._limits.size:
                return reject(
                    service.TOO_LARGE, f"the response exceeds {self._limits.size:,} bytes"
                )
            if time.monotonic() >= ends and not response.isclosed():
                return self._time_out(headers)
        if response.length:
            from http.client import IncompleteRead

            raise IncompleteRead(bytes(body), response.length)
        return Response(response.status, headers, bytes(body))

    def _describe(self, error: Exception, headers: Mapping[str, str]) -> TransportError:
        """Return why an exchange failed; only what may pass is worth a retry."""
        from http.client import HTTPException

        from .pool import HandshakeError
        from .proxy import ProxyError, find_reason

        why = find_reason(error)
        if isinstance(error, HandshakeError):
            return TransportError(service.TLS_FAILED, why, permanent=True, headers=headers)
        # A ValueError is a malformed chunk, a UnicodeError a header that is not Latin-1.
        passes = isinstance(error, HTTPException | OSError | ValueError)
        permanent = isinstance(error, UnicodeError) or not passes
        if isinstance(error, ProxyError):  # whose cause may quote a password
            why, permanent = str(error), error.permanent
            if error.in_tls:
                return TransportError(service.TLS_FAILED, why, permanent, headers=headers)
        message = f"no response from {self._base}: {why}"
        return TransportError(service.UNREACHABLE, message, permanent, headers=headers)
