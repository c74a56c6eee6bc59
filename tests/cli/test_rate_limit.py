"""A `rate_limit` that the account does not allow: the run finds the real one, and says so once."""

from __future__ import annotations

import re

import pytest
from cli.world import SEATS
from published import held

from reconciler.emulator import Settings

ALLOWED = 25
METERS = "\n".join(SEATS.replace("seats,", f"seats_{n},") for n in range(100))


@pytest.fixture
def applied(run, world, clock, monkeypatch):
    """`applied(rate_limit)`: 100 creates by one worker; the report, its requests and seconds."""
    monkeypatch.setattr("reconciler.execution.executor.SIDE_BY_SIDE", 1)  # all share the clock

    def _applied(rate_limit, allowed=ALLOWED):
        made = world(METERS, settings=Settings(rate_limit=allowed), rate_limit=rate_limit)
        began = clock.monotonic()
        ran = run("apply", made.folder, "--yes", "--format", "json")
        assert ran.code == 0, ran.out
        statuses = [entry.status for entry in made.server.log]
        return held(ran.out), statuses, clock.monotonic() - began

    return _applied


def said(report):
    (account,) = report["accounts"]
    return [each for each in account["diagnostics"] if each["code"] == "S036"]


def test_a_wrong_rate_limit_costs_no_time(applied):
    """Whatever is configured above what is allowed."""
    _, _, right = applied(ALLOWED)
    for rate_limit in (30, 50, 100, 1000):
        _, statuses, wrong = applied(rate_limit)
        assert wrong <= right, rate_limit
        rejected = statuses.count(429)
        assert rejected <= 0.1 * len(statuses), rate_limit
    assert rejected


def test_the_real_rate_is_said_once(applied):
    """With what to write into the file, which then is right."""
    report, statuses, _ = applied(100, allowed=5)
    (warning,) = said(report)
    assert warning["level"] == "warning"
    found = re.search(
        r"rejected (\d+) requests .* accepted about (\d+) a second", warning["message"]
    )
    assert int(found[1]) == statuses.count(429)
    assert abs(int(found[2]) - 5) <= 1
    assert warning["message"].endswith("`rate_limit` of account 'sandbox' is 100")
    assert warning["hint"] == f"set `rate_limit: {found[2]}` for the account in the project file"


@pytest.mark.parametrize(("rate_limit", "allowed"), [(20, 25), (100, None)])
def test_nothing_is_said_about_a_right_limit(rate_limit, allowed, applied):
    report, statuses, _ = applied(rate_limit, allowed)
    assert (said(report), statuses.count(429)) == ([], 0)


@pytest.mark.parametrize("command", [["plan"], ["drift"], ["list"]])
def test_reading_says_so_too(command, run, world):
    """A list of many pages can be too fast as well."""
    formula = {"formula": "count"}
    meters = [
        {"event_name": f"e{n}", "display_name": "E", "default_aggregation": formula}
        for n in range(900)
    ]
    made = world(SEATS, {"meters": meters}, settings=Settings(rate_limit=2), rate_limit=100)
    ran = run(*command, made.folder, "--format", "json")
    assert ran.out.count('"S036"') == 1
