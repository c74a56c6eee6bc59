"""A passing failure of the service ends no command: it is asked again."""

from __future__ import annotations

import pytest
from cli.world import existing


@pytest.mark.parametrize("status", [500, 502, 520, 529])
def test_whatever_fails_on_their_side_is_asked_again(status, run, world):
    """Every 5xx, also those that only gateways know."""
    made = world(seed={"meters": [existing("seats", "Seats")]})
    made.server.arm(f"garbage:n=1:status={status}")
    ran = run("list", made.folder)
    assert ran.code == 0, ran.out
    assert "seats" in ran.out
