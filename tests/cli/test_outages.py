"""Failures of the service: retried, and described if they last."""

from __future__ import annotations

import re

import pytest
from cli.world import SEATS, existing
from published import held

METERS = "GET /v1/billing/meters"


@pytest.mark.parametrize(
    ("fault", "code", "message", "hint"),
    [
        (
            "500:method=GET",
            "S035",
            f"Stripe returned HTTP 500 for {METERS} after 5 attempts (request REQ); "
            "nothing was changed",
            "see https://status.stripe.com, then run again",
        ),
        (
            "429:method=GET",
            "S034",
            "still rate-limited after 5 attempts (request REQ)",
            "wait, or lower `rate_limit` of the account (now 15)",
        ),
    ],
    ids=["500", "429"],
)
@pytest.mark.parametrize("command", [["plan"], ["drift"], ["apply", "--yes"]], ids=lambda c: c[0])
def test_a_lasting_failure_is_described(command, fault, code, message, hint, run, world):
    """The request, the number of attempts, and that nothing was changed."""
    made = world(SEATS, rate_limit=15)
    made.server.arm(fault)
    ran = run(*command, made.folder, "--format", "json")
    (account,) = held(ran.out)["accounts"]
    (said,) = account["diagnostics"]
    text = re.sub("req_[A-Za-z0-9]+", "REQ", said["message"])
    assert (ran.code, said["code"], text, said["hint"]) == (1, code, message, hint)
    assert "Failed. Nothing was changed in Stripe.\n" in run(*command, made.folder).out
    assert made.posts() == []


@pytest.mark.parametrize("status", [500, 502, 520, 529])
def test_a_5xx_is_retried(status, run, world):
    """Also the codes that only gateways use."""
    made = world(seed={"meters": [existing("seats", "Seats")]})
    made.server.arm(f"garbage:n=1:status={status}")
    ran = run("list", made.folder)
    assert ran.code == 0, ran.out
    assert "seats" in ran.out
