"""One exchange over the network: bytes out, bytes in, or why not. It raises nothing.

Failures are values here, because an exception of `requests` holds the request and so the
key: none of them may end up in the context of another exception.
"""

from __future__ import annotations

import io
import threading
import time
from dataclasses import replace
from http.client import HTTPException, HTTPResponse
from http.cookiejar import DefaultCookiePolicy
from typing import TYPE_CHECKING, Any

import requests
from requests.adapters import HTTPAdapter
from urllib3 import HTTPConnectionPool
from urllib3.exceptions import HTTPError

from ..diagnostics.codes import service
from ..diagnostics.diagnostic import Rule
from ..execution.protocol import SIDE_BY_SIDE
from ..trusted_url import is_loopback
from .api_key import Key
from .exchange import Limits, Request, Response, TransportError

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

# What a network, a proxy or a server may cause; a `ValueError` is a malformed chunk.
_PASSING = (requests.RequestException, HTTPError, HTTPException, OSError, ValueError)

_EXCHANGE = threading.local()  # .ends: when the exchange of this thread has to be over


class Connection:
    """Connections to one API, kept alive and shared by up to eight threads.

    Proxies come from the environment, but never for loopback; no cookies, no redirects.
    Deadlines are real time, as the sockets' own are: no other clock can hurry a network.
    """

    def __init__(self, base: str, key: Key, limits: Limits) -> None:
        self._base = base
        self._key = key
        self._limits = limits
        self._session = requests.Session()
        self._session.trust_env = not is_loopback(base)
        self._session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
        self._session.mount("https://", _Adapter(pool_maxsize=SIDE_BY_SIDE, max_retries=0))
        self._session.mount("http://", _Adapter(pool_maxsize=SIDE_BY_SIDE, max_retries=0))

    def close(self) -> None:
        """Let go of the connections."""
        self._session.close()

    def send(self, outgoing: Request) -> Response | TransportError:
        """Send once and read the whole answer, or say why that was not possible."""
        _EXCHANGE.ends = time.monotonic() + self._limits.whole
        response = None
        try:
            with self._begin(outgoing) as response:
                return self._finish(response)
        except Exception as error:  # of whatever kind: it holds the request, and so the key
            return replace(self._broken(error), headers=_headers(response))

    def _begin(self, outgoing: Request) -> requests.Response:
        """The answer up to its body. A callable `auth` keeps `.netrc` out."""
        reads = outgoing.method == "GET"
        return self._session.request(
            outgoing.method,
            self._base + outgoing.path,
            params=list(outgoing.fields) if reads else None,
            data=None if reads else list(outgoing.fields),
            headers=dict(outgoing.headers),
            auth=self._authorise,
            timeout=(self._limits.connect, self._limits.pause),
            allow_redirects=False,
            stream=True,
        )

    def _authorise(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        request.headers["Authorization"] = f"Bearer {self._key.reveal()}"
        return request

    def _finish(self, response: requests.Response) -> Response | TransportError:
        """The body, piece by piece, within the size limit."""
        status, size, headers = response.status_code, self._limits.size, _headers(response)

        def broken(rule: Rule, message: str) -> TransportError:
            return TransportError(rule, message, permanent=True, status=status, headers=headers)

        if 300 <= status < 400:
            return broken(service.REDIRECTED, f"HTTP {status} would lead to another address")
        if headers.get("content-encoding", "identity") != "identity":
            return broken(service.NOT_JSON, "the response is compressed, which was not requested")
        body = bytearray()
        while piece := response.raw.read(2**16, decode_content=False):
            body += piece
            if len(body) > size:
                return broken(service.TOO_LARGE, f"the response exceeds {size:,} bytes")
        return Response(status, headers, bytes(body))

    def _broken(self, error: BaseException) -> TransportError:
        """Why an exchange failed; only what can pass is worth another try."""
        reason = _innermost(error)
        why = (reason.strerror if isinstance(reason, OSError) else None) or str(reason)
        if isinstance(reason, _LateError):
            message = f"the response was not complete after {self._limits.whole:g} seconds"
            return TransportError(service.TOO_SLOW, message, permanent=True)
        if isinstance(error, requests.exceptions.SSLError):
            return TransportError(service.TLS_FAILED, why, permanent=True)
        if isinstance(error, requests.exceptions.InvalidURL):  # which may quote a password
            why = "the address of a proxy is malformed"
        malformed = isinstance(error, requests.RequestException) and isinstance(error, ValueError)
        passing = isinstance(error, _PASSING) and not malformed
        message = f"no response from {self._base}: {why or type(reason).__name__}"
        return TransportError(service.UNREACHABLE, message, permanent=not passing)


class _LateError(OSError):
    """The answer dripped on beyond its deadline."""


class _Timely(io.RawIOBase):
    """What a socket brings, until the exchange of the reading thread has to be over.

    A socket's own timeout starts anew with every byte, and a header can drip as a body can.
    """

    def __init__(self, raw: io.RawIOBase) -> None:
        self._raw = raw

    def readable(self) -> bool:
        """Always."""
        return True

    def readinto(self, buffer: WriteableBuffer) -> int | None:
        """The next bytes; raises `_LateError` after the deadline."""
        if time.monotonic() > _EXCHANGE.ends:
            raise _LateError
        return self._raw.readinto(buffer)

    def close(self) -> None:
        """Close the socket's side too."""
        self._raw.close()
        super().close()


class _Response(HTTPResponse):
    """An answer all of whose bytes come through `_Timely`; what merely announces it is skipped."""

    def __init__(self, *args: Any, **named: Any) -> None:
        super().__init__(*args, **named)
        self.fp = io.BufferedReader(_Timely(self.fp.detach()))

    def begin(self) -> None:
        """Read up to the body. `http.client` takes a 103 for the answer itself, and what follows
        on the line for the answer to the next request, which may be another thread's.
        """
        super().begin()
        while 101 < self.status < 200:
            vars(self).update(headers=None)  # as it was before anything was read
            super().begin()


class _Adapter(HTTPAdapter):
    """Connections of `requests` that answer with `_Response`."""

    def get_connection_with_tls_context(self, *args: Any, **named: Any) -> HTTPConnectionPool:
        """The pool for a request, its connections made timely."""
        pool = super().get_connection_with_tls_context(*args, **named)
        assert isinstance(pool, HTTPConnectionPool)
        kind = pool.ConnectionCls
        if getattr(kind, "response_class", None) is not _Response:
            pool.ConnectionCls = type("Timely", (kind,), {"response_class": _Response})
        return pool


def _headers(response: requests.Response | None) -> dict[str, str]:
    """The headers of an answer, as far as it came; their names in lower case."""
    return (
        {name.lower(): value for name, value in response.headers.items()}
        if response is not None
        else {}
    )


def _innermost(error: BaseException) -> BaseException:
    """The reason behind the exceptions that wrap it."""
    while cause := error.__cause__ or error.__context__:
        error = cause
    return error
