"""What goes over the network and what comes back, as plain values; and where a key may go."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from ..codes import service
from ..problem import Rule, ServiceError


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
class Outgoing:
    """A request, ready to be sent. `fields` go into the address of a GET and the body of a POST."""

    method: str
    path: str
    fields: tuple[tuple[str, str], ...]
    headers: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Incoming:
    """An answer as it came; the names of its headers are in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class Broken:
    """Why there is no usable answer. `hopeless` says that a repetition meets the same.

    `headers` are there where at least those came; `status` too where the answer came to its
    end, or was not read on purpose.
    """

    rule: Rule
    message: str
    hopeless: bool = False
    status: int | None = None
    headers: Mapping[str, str] = field(default_factory=dict)


def checked_base(address: str) -> str:
    """An API address that a key may be sent to, without a slash at its end.

    Raises ServiceError (S005) for anything but https, or http on a loopback address.
    """
    try:
        parts = urlsplit(address)
        fit = bool(parts.hostname) and parts.port != 0
    except ValueError:
        raise ServiceError(service.ADDRESS_REFUSED("api_base is not an address")) from None
    safe = parts.scheme == "https" or (parts.scheme == "http" and is_loopback(address))
    plain = not (parts.query or parts.fragment or "@" in parts.netloc)
    if fit and safe and plain and address.isascii() and address.isprintable():
        return address.rstrip("/")
    shown = f"{parts.scheme or 'no scheme'}://{parts.hostname or ''}"
    raise ServiceError(service.ADDRESS_REFUSED(f"a key is not sent to {shown}"))


def is_loopback(address: str) -> bool:
    """Whether a URL leads to this very machine."""
    host = urlsplit(address).hostname or ""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
