"""Decide which URLs an API key may be sent to, for `validate` and for the client."""

from __future__ import annotations

import re
from ipaddress import ip_address

_LABEL = r"[A-Za-z0-9_-]{1,63}"
_ADDRESS = re.compile(
    r"(?P<scheme>https?)://"
    rf"(?:(?P<name>{_LABEL}(?:\.{_LABEL})*)|\[(?P<ipv6>[0-9A-Fa-f:.]+)\])"
    r"(?::(?P<port>[0-9]{1,5}))?(?:/[A-Za-z0-9._~%/-]*)?"
)


def is_trusted_api_base(address: str) -> bool:
    """Whether an API key may be sent to this base URL.

    Trusted are https URLs, and http URLs of loopback addresses, without user, query or fragment,
    and in plain ASCII, so that every parser finds the same host in it.
    """
    found = _ADDRESS.fullmatch(address)
    if not found or (found["ipv6"] and not _is_ip(found["ipv6"])):
        return False
    port = found["port"]
    fit = port is None or 0 < int(port) < 65536
    return fit and (found["scheme"] == "https" or is_loopback(address))


def is_loopback(address: str) -> bool:
    """Whether the host of a URL is a loopback address."""
    found = _ADDRESS.fullmatch(address)
    if not found:
        return False
    host = found["name"] or found["ipv6"]
    return host == "localhost" or (_is_ip(host) and ip_address(host).is_loopback)


def _is_ip(host: str) -> bool:
    try:
        return bool(ip_address(host))
    except ValueError:
        return False
