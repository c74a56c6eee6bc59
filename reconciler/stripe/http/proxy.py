"""Connections to an API through a proxy: tunnels, which urllib3 opens."""

from __future__ import annotations

import base64
import socket
import ssl
from collections.abc import Callable
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from . import exchange
from .exchange import PORTS, has_ended

if TYPE_CHECKING:
    from urllib3.util import Url

_MALFORMED = "the address of a proxy is malformed"
_TEMPORARY = (408, 429)  # and 5xx


class ProxyError(Exception):
    """Why there is no connection through a proxy; only the message hides its password."""

    def __init__(self, message: str, *, permanent: bool = True, in_tls: bool = False) -> None:
        super().__init__(message)
        self.permanent, self.in_tls = permanent, in_tls


def find_reason(error: BaseException) -> str:
    """Return the reason of the first of a chain of errors; the name of its class if it has none."""
    while cause := error.__cause__ or error.__context__:
        error = cause
    why = error.strerror if isinstance(error, OSError) else None
    return why or str(error) or type(error).__name__


def prepare_tunnel(
    address: str, goal: tuple[str, int], context: ssl.SSLContext
) -> Callable[[float], socket.socket]:
    """Return what connects to a host and port through a proxy, within so many seconds.

    Raises ProxyError, and so does what is returned.
    """
    from urllib3.connection import HTTPSConnection

    proxy = _parse(address)
    host, port = proxy.host or "", proxy.port or PORTS[proxy.scheme or "http"]
    login = unquote(proxy.auth or "")
    named = f"{login}{'' if ':' in login else ':'}".encode()
    headers = {"Proxy-Authorization": f"Basic {base64.b64encode(named).decode()}"} if login else {}
    options = _list_options(proxy, context)

    def connect(timeout: float) -> socket.socket:
        statuses: list[int] = []
        made: Any = HTTPSConnection(host, port, timeout=timeout, **options)
        made.response_class = _watch_responses(statuses)
        made.set_tunnel(*goal, headers=headers, scheme=proxy.scheme)
        try:
            made.connect()
        except BaseException as error:
            made.close()
            if isinstance(error, Exception):
                _explain(error, f"{host}:{port}", statuses)
            raise
        connected: socket.socket = made.sock
        return connected

    return connect


def _list_options(proxy: Url, context: ssl.SSLContext) -> dict[str, Any]:
    from urllib3.connection import ProxyConfig

    config = ProxyConfig(
        ssl_context=context,
        use_forwarding_for_https=False,
        assert_hostname=None,
        assert_fingerprint=None,
    )
    return {"ssl_context": context, "proxy": proxy, "proxy_config": config}


def _watch_responses(statuses: list[int]) -> Any:
    """Return the class of responses to CONNECT, which add their status to the list."""
    base: Any = exchange.define_response()

    def read(self: Any) -> Any:  # all that http.client calls for such a response
        status = base._read_status(self)
        statuses.append(status[1])
        return status

    return type("Response", (base,), {"_read_status": read})


def _parse(address: str) -> Url:
    from urllib3.exceptions import LocationParseError
    from urllib3.util import parse_url

    try:
        proxy = parse_url(address if "://" in address else f"http://{address}")
    except LocationParseError:
        raise ProxyError(_MALFORMED) from None
    if not proxy.host or any(map(str.isspace, proxy.host)):  # which old versions of urllib3 accept
        raise ProxyError(_MALFORMED)
    if proxy.scheme not in PORTS:
        raise ProxyError("a proxy must be http or https")
    return proxy


def _explain(error: Exception, where: str, statuses: list[int]) -> None:
    """Raise ProxyError where the proxy is the reason, ConnectionError for an error of urllib3."""
    from urllib3.exceptions import HTTPError

    if isinstance(error, HTTPError) and isinstance(error, ValueError):
        raise ProxyError(_MALFORMED) from error
    status = statuses[-1] if statuses else None
    if status is None:
        in_tls = isinstance(error, ssl.SSLError) and not has_ended(error)
        why = f"no connection to the proxy {where}: {find_reason(error)}"
        raise ProxyError(why, permanent=in_tls, in_tls=in_tls) from error
    if status != 200:
        permanent = status < 500 and status not in _TEMPORARY
        message = f"the proxy {where} responded with HTTP {status}"
        raise ProxyError(message, permanent=permanent) from error
    if isinstance(error, HTTPError):
        raise ConnectionError from error
