"""How many requests a command sends, to the last one: a page more is a page for everybody."""

from __future__ import annotations

import pytest
from cli.world import World

PAGE = 100
CHECKS = 4  # the account, its inactive meters before and after the others, the first page again


def declared(count: int) -> str:
    formula = "default_aggregation: {formula: sum}"
    names = (f"event_name: meter_{n}, display_name: Meter {n}" for n in range(count))
    return "\n".join(f"{{{name}, {formula}}}" for name in names)


def seeded(meters: int, prices: int = 0) -> dict[str, object]:
    """Active meters, and active prices of the first of them."""
    listed = [
        {
            "id": f"mtr_{n}",
            "event_name": f"meter_{n}",
            "display_name": f"Meter {n}",
            "default_aggregation": {"formula": "sum"},
        }
        for n in range(meters)
    ]
    sold = [
        {
            "id": f"price_{n}",
            "product": "prod_1",
            "meter": "mtr_0",
        }
        for n in range(prices)
    ]
    return {"meters": listed, "products": [{"id": "prod_1", "name": "Usage"}], "prices": sold}


def pages(entries: int) -> int:
    return max(1, -(-entries // PAGE))


def requests(made: World) -> int:
    """The requests since the last call."""
    count = len(made.server.log)
    made.server.log.clear()
    return count


@pytest.mark.parametrize("meters", [0, 100, 101, 250])
def test_an_account_in_sync_is_read_once(world, run, meters):
    """Its prices are not read: no change depends on them."""
    made = world(declared(meters), seeded(meters, prices=min(meters, 1)))
    assert run("plan", made.folder, "--quiet").code == 0
    assert requests(made) == pages(meters) + CHECKS
    assert run("apply", made.folder, "--yes", "--quiet").code == 0
    assert requests(made) == pages(meters) + CHECKS


@pytest.mark.parametrize("prices", [0, 100, 101])
def test_drift_in_sync_is_a_plan_and_the_pages_of_prices(world, run, prices):
    """Rejected usage, where it is looked for, is one page more."""
    made = world(declared(2), seeded(2, prices), policy="{usage_window: 0}")
    assert run("drift", made.folder, "--quiet").code == 0
    assert requests(made) == pages(2) + CHECKS + pages(prices)
    made.write(declared(2))
    assert run("drift", made.folder, "--quiet").code == 0
    assert requests(made) == pages(2) + CHECKS + pages(prices) + 1


@pytest.mark.parametrize("meters", [1, 101])
def test_an_apply_reads_writes_each_meter_once_and_reads_again(world, run, meters):
    made = world(declared(meters))
    assert run("apply", made.folder, "--yes", "--quiet").code == 0
    posts = len(made.posts())
    account = 1  # not read again
    assert posts == meters
    reads = pages(0) + CHECKS + pages(meters) + CHECKS - account
    assert requests(made) == reads + meters
