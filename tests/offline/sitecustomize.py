"""No network but loopback, in this process; on PYTHONPATH it holds in child processes too.

An audit hook also catches what a patched `connect` misses: name look-ups and datagrams. Such a
process may use every core, also where the one that started it keeps to one.
"""

from __future__ import annotations

import ipaddress
import os
import sys
from contextlib import suppress
from typing import Any


class OffLoopbackError(RuntimeError):
    """A test tried to leave this machine; not an OSError, so that no client retries it."""


def _loopback(host: Any) -> bool:
    """Whether an address or a name can only mean this machine."""
    if host in (None, "", b"", "localhost", b"localhost"):
        return True
    try:
        text = host.decode() if isinstance(host, bytes) else str(host)
        return ipaddress.ip_address(text.partition("%")[0]).is_loopback
    except ValueError:
        return False


def _hook(event: str, args: tuple[Any, ...]) -> None:
    """Refuse what would reach another machine."""
    if event in ("socket.connect", "socket.sendto"):
        # an address that is no tuple belongs to a family of this machine (AF_UNIX)
        host = args[1][0] if isinstance(args[1], tuple) else None
    elif event in ("socket.getaddrinfo", "socket.gethostbyname"):
        host = args[0]
    else:
        return
    if not _loopback(host):
        raise OffLoopbackError(f"tests may not leave this machine: {event} {host!r}")


sys.addaudithook(_hook)

if cores := os.environ.get("TESTS_USE_CORES"):  # in a program that a test starts: see `conftest.py`
    with suppress(OSError):
        os.sched_setaffinity(0, map(int, cores.split(",")))
