"""What goes over the network and what comes back, as plain values; and where a key may go."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from ..diagnostics.codes import service
from ..diagnostics.diagnostic import Rule
from ..diagnostics.errors import ServiceError
from ..trusted_url import is_trusted_api_base


@dataclass(frozen=True, slots=True)
class Limits:
    """How long and how large an answer may be.

    Seconds to connect, between two pieces, and in all; bytes of a body (a page of 100
    meters has some 60,000).
    """

    connect: float = 10.0
    pause: float = 30.0
    whole: float = 60.0
    size: int = 8 * 2**20


@dataclass(frozen=True, slots=True)
class Request:
    """A request, ready to be sent. `fields` go into the address of a GET and the body of a POST."""

    method: str
    path: str
    fields: tuple[tuple[str, str], ...]
    headers: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Response:
    """An answer as it came; the names of its headers are in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class TransportError:
    """Why there is no usable answer. `permanent` says that a retry meets the same.

    `headers` are there where at least those came; `status` too where the answer came to its
    end, or was not read on purpose.
    """

    rule: Rule
    message: str
    permanent: bool = False
    status: int | None = None
    headers: Mapping[str, str] = field(default_factory=dict)


def checked_base(address: str) -> str:
    """An API address that a key may be sent to, without a slash at its end.

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
