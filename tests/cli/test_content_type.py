"""Every POST says what its body is, also where there is none: gateways refuse one that does not."""

from __future__ import annotations

import pytest
from cli.conftest import KEY
from cli.world import CALLS, RETIRED, SEATS, World, existing

from reconciler.emulator import Server, open_state

FORM = "application/x-www-form-urlencoded"
REPLACED = CALLS.replace("calls,", "calls, retires: [mtr_old],")
CASES = {
    "create": (SEATS, [], {"/v1/billing/meters"}),
    "update": (SEATS, [existing("seats", "Chairs", id="mtr_1")], {"/v1/billing/meters/mtr_1"}),
    "deactivate": (RETIRED, [existing("seats", "Seats", id="mtr_1")], {"mtr_1/deactivate"}),
    "reactivate": (
        SEATS,
        [existing("seats", "Seats", id="mtr_1", status="inactive")],
        {"mtr_1/reactivate"},
    ),
    "replace": (
        REPLACED,
        [existing("calls", "Calls", "last", id="mtr_old")],
        {"mtr_old/deactivate", "/v1/billing/meters"},
    ),
}


@pytest.mark.usefixtures("over_http")
@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("fault", ["", "reset:after:method=POST:times=1"])
def test_every_post_has_a_content_type(case, fault, run, tmp_path, monkeypatch, clock):
    """As it arrives at the server, in a second attempt too."""
    monkeypatch.setenv("SANDBOX_KEY", KEY)
    meters, seed, paths = CASES[case]
    arrived = []
    with (
        open_state(None, {"meters": seed}) as store,
        Server(store, clock=clock, reached=lambda it: arrived.append(it.request)) as server,
    ):
        World(tmp_path, server).write(meters)
        if fault:
            server.arm(fault)
        ran = run("apply", tmp_path, "--yes")
    assert ran.code == 0, ran.out
    posts = [request for request in arrived if request.method == "POST"]
    assert all(any(each.path.endswith(path) for each in posts) for path in paths)
    assert {each.headers.get("content-type") for each in posts} == {FORM}
    assert all(each.headers.get("content-length") is not None for each in posts)
