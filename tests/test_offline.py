"""The guard of the tests themselves: nothing leaves this machine, not even from a child."""

from __future__ import annotations

import socket
import subprocess
import sys

import pytest


@pytest.mark.parametrize(
    "leave",
    [
        lambda: socket.create_connection(("192.0.2.1", 443), timeout=1),
        lambda: socket.getaddrinfo("api.stripe.com", 443),
    ],
    ids=["connect", "look-up"],
)
def test_leaving_the_machine_is_refused(leave):
    """Neither an address nor a name of another machine can be reached."""
    with pytest.raises(RuntimeError, match="may not leave this machine"):
        leave()


def test_loopback_is_open():
    """The emulator can be reached."""
    with (
        socket.create_server(("127.0.0.1", 0)) as server,
        socket.create_connection(server.getsockname()),
    ):
        pass


def test_children_are_held_too():
    """A child process refuses as well."""
    code = "import socket; socket.getaddrinfo('api.stripe.com', 443)"
    child = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert "may not leave this machine" in child.stderr
