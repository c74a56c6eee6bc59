"""A running emulator, and a connection to it."""

import pytest
from emulator.talking import opened

from reconciler.emulator import Server, open_state


@pytest.fixture
def server():
    with open_state() as store, Server(store) as served:
        yield served


@pytest.fixture
def connection(server):
    talk = opened(server)
    yield talk
    talk.close()
