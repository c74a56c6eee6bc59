"""Decide which URLs an API key may be sent to, for `validate` and for the client."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ipaddress import IPv4Address, IPv6Address

_LABEL = r"[A-Za-z0-9_-]{1,63}"
_HOST = rf"(?:(?P<name>{_LABEL}(?:\.{_LABEL})*)|\[(?P<ipv6>[0-9A-Fa-f:.]+)\])"
_PLACE = r"(?::(?P<port>[0-9]{1,5}))?(?:/[A-Za-z0-9._~%/-]*)?"
_ADDRESS = re.compile(rf"(?P<scheme>https?)://{_HOST}{_PLACE}")
_ALLOWED = rf"(?:https://)?{_HOST}{_PLACE}"

_STRIPE = ("api.stripe.com", 443)


def is_trusted_api_base(address: str) -> bool:
    """Whether an API key may be sent to this base URL, by its form.

    Trusted are https URLs, and http URLs of loopback addresses, without user, query or fragment,
    and in plain ASCII, so that every parser finds the same host in it.
    """
    found = _ADDRESS.fullmatch(address)
    if not found or (found["ipv6"] and not _parse_ip(found["ipv6"])):
        return False
    port = found["port"]
    fit = port is None or 0 < int(port) < 65536
    return fit and (found["scheme"] == "https" or is_loopback(address))


def is_allowed_in_file(address: str, allowed: str) -> bool:
    """Whether a file may send the key to this base URL: to Stripe, to loopback, or where `allowed`.

    `allowed` lists other https hosts, as `HOST`, `HOST:PORT` or a URL, separated by commas or
    spaces. Only the environment may give it: anyone who proposes a change of a file could
    otherwise obtain the key.
    """
    if not is_trusted_api_base(address):
        return False
    if is_loopback(address):
        return True
    places = (re.fullmatch(_ALLOWED, each) for each in re.split(r"[,\s]+", allowed))
    listed = {_locate(place) for place in places if place}
    found = _ADDRESS.fullmatch(address)
    return found is not None and _locate(found) in {_STRIPE, *listed}


@lru_cache
def is_loopback(address: str) -> bool:
    """Whether the host of a URL is a loopback address."""
    found = _ADDRESS.fullmatch(address)
    if not found:
        return False
    host = found["name"] or found["ipv6"]
    address_of_host = _parse_ip(host)
    return host == "localhost" or (address_of_host is not None and address_of_host.is_loopback)


def _locate(found: re.Match[str]) -> tuple[str, int]:
    """Return the host and the port of an https address."""
    return (found["name"] or found["ipv6"]).lower(), int(found["port"] or 443)


def _parse_ip(host: str) -> IPv4Address | IPv6Address | None:
    from ipaddress import ip_address  # most projects name no address

    try:
        return ip_address(host)
    except ValueError:
        return None
