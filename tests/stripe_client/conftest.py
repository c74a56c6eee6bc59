"""An emulated account, and a client of it."""

import pytest
from stripe_client.scripted import KEY

from reconciler.emulator import Server, open_state
from reconciler.stripe.client import Meters


@pytest.fixture
def server(clock):
    """An empty account."""
    with open_state(None) as store, Server(store, clock=clock) as server:
        yield server


@pytest.fixture
def meters(server, clock):
    with Meters(KEY, api_base=server.url, clock=clock, rate_limit=None) as client:
        yield client
