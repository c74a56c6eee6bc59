"""Stripe's package for Go as a client."""

import json

import pytest
from clients.stacks import build_go, run


@pytest.mark.full
def test_the_chain_with_the_package_for_go(checked):
    """Objects of its types, typed errors, and its own paging."""
    assert json.loads(run(build_go("go"), checked.url)) == {
        "tiers": 2,
        "expanded": ["jenny@example.com", "Calls"],
        "statuses": ["active", "canceled", "active"],
        "using": 1,
        "deleted": True,
        "refusals": {
            "price": [404, "resource_missing", "price"],
            "item": [400, "resource_missing", "items[0][price]"],
        },
    }
