"""A running emulator, and a connection to it."""

import pytest
from emulator.client import Connection

from reconciler.emulator import Server, open_state


@pytest.fixture
def server():
    with open_state() as store, Server(store) as running:
        yield running


@pytest.fixture
def connection(server):
    connected = Connection(server)
    yield connected
    connected.close()
