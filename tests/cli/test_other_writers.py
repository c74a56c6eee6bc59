"""Another client changes a meter between any two requests of an apply: it is not overwritten."""

from __future__ import annotations

import pytest
from cli.world import CALLS, REPLACED, RETIRED, SEATS, existing
from published import held

from reconciler.emulator import Phase

NAMED = existing("seats", "Chairs", id="mtr_named")
PAUSED = existing("calls", "Was", "sum", id="mtr_paused", status="inactive")
OLD = existing("seats", "Seats", "sum", id="mtr_old")
STORIES = {
    "update": (SEATS, NAMED),
    "reactivate and rename": (CALLS, PAUSED),
    "deactivate": (RETIRED, existing("seats", "Seats", id="mtr_gone")),
    "replace": (REPLACED, OLD),
}
FAULTS = [None, "503:before", "reset:before", "429:before:reason=global-rate", "409:before"]


READ = {("GET", "/v1/account"), ("GET", "/v1/billing/meters")}  # by the plan


@pytest.fixture
def overtaken(world, run):
    """`overtaken(story, fault, at)`: just before request `at` another client renames the meter.

    Returns the end of the run, the meter, and all requests.
    """

    def act(story, fault, at=None):
        declared, meter = STORIES[story]
        made = world(declared, {"meters": [meter]})
        if fault:
            made.server.arm(f"{fault}:method=POST:times=2")
        requests = []

        def reached(moment):
            if moment.phase is Phase.BEFORE:
                requests.append((moment.request.method, moment.request.path))
                if len(requests) == at:
                    made.server.edit(
                        f"/v1/billing/meters/{meter['id']}", {"display_name": "Theirs"}
                    )

        made.server.reached = reached
        ran = run("apply", made.folder, "--yes", "--format", "json")
        ended = made.server.state.ledger.meters[meter["id"]]
        return ran, ended, requests

    return act


def touching(meter, requests):
    """The methods of the requests to this meter."""
    return [method for method, path in requests if meter["id"] in path]


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("story", STORIES)
def test_no_change_is_written_over_that_of_another_client(story, fault, overtaken):
    """At every boundary after the plan: before each request to the meter it is read again.

    Only a rename between that reading and the request itself cannot be seen.
    """
    _, _, undisturbed = overtaken(story, fault)
    seen = 0
    planned = next(n for n, request in enumerate(undisturbed, start=1) if request not in READ)
    for at in range(planned, len(undisturbed) + 1):
        if touching(STORIES[story][1], undisturbed[at - 1 :])[:1] != ["GET"]:
            continue
        ran, meter, requests = overtaken(story, fault, at)
        methods = touching(meter, requests[at - 1 :])
        assert (methods.count("POST"), meter["display_name"]) == (0, "Theirs")
        (account,) = held(ran.out)["accounts"]
        status = account["changes"][0]["result"]["status"]
        if status == "done":  # before the rename: the verification finds it
            assert (ran.code, account["diagnostics"][-1]["code"]) == (5, "A102")
            continue
        seen += 1
        assert (status, ran.code in (4, 5)) == ("stale", True)
    assert seen >= (2 if story == "reactivate and rename" else 1) + (2 if fault else 0)
