"""Times at the end of the calendar, in every format."""

from __future__ import annotations

import pytest
from cli.world import SEATS, existing
from published import held

from reconciler.render import FORMATS
from reconciler.timestamps import LATEST


@pytest.mark.parametrize("format_", FORMATS)
def test_a_meter_deactivated_in_the_year_9999_is_a_finding(format_, world, run):
    """35 days later is a date that `datetime` cannot represent."""
    times = {"updated": LATEST, "status_transitions": {"deactivated_at": LATEST}}
    made = world(SEATS, {"meters": [existing("seats", "Seats", status="inactive", **times)]})
    ran = run("drift", made.folder, "--format", format_)
    assert (ran.code, "E900" in ran.out + ran.err) == (2, False)
    if format_ == "json":
        (finding,) = held(ran.out)["accounts"][0]["findings"]
        assert finding["since"] == LATEST
    else:
        assert "9999-12-31T23:59:59Z" in ran.out
