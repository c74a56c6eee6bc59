"""An emulator whose answers are checked against Stripe's specification after each test."""

import pytest
from clients.openapi import Checked

from reconciler.emulator import open_state


@pytest.fixture
def checked():
    with open_state() as store, Checked(store) as server:
        yield server
        assert server.violations() == []
