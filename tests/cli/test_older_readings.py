"""What a replacement says of its old meter is true, whatever a single reading shows."""

from __future__ import annotations

import copy
import json
from functools import partial

import pytest
from cli.world import CALLS, REPLACED, existing
from published import held

from reconciler.emulator import Phase

OLD = existing("seats", "Seats", "sum", id="mtr_old", created=1_700_000_000)
CREATES = "method=POST:path=/v1/billing/meters"
UNDOES = "method=POST:path=/v1/billing/meters/*/reactivate"


def show_older(made, meter_id):
    """Answer every GET of a meter with its state from before the first request that wrote."""
    path, meters = f"/v1/billing/meters/{meter_id}", made.server.state.ledger.meters
    older = copy.deepcopy(meters[meter_id])
    real = []

    def reached(moment):
        if (moment.request.method, moment.request.path) == ("GET", path):
            with made.server.lock:
                if moment.phase is Phase.BEFORE:
                    real.append(meters[meter_id])
                    meters[meter_id] = older
                else:
                    meters[meter_id] = real.pop()

    made.server.reached = reached


def outcome(ran):
    """The result of the only change that writes."""
    (line,) = (each for each in held(ran.out)["accounts"][0]["changes"] if "result" in each)
    return line["result"]


@pytest.fixture
def applied(world, run):
    """`applied(prepare, *faults)`: a replacement whose create fails for good."""

    def act(prepare, *faults):
        made = world(REPLACED, {"meters": [OLD]})
        made.server.arm(f"500:before:{CREATES}", *faults)
        prepare(made)
        return made, run("apply", made.folder, "--yes", "--format", "json")

    return act


def test_an_undo_is_sent_whatever_a_reading_shows(applied):
    """The reading that shows the old meter active is older than our own deactivation."""
    made, ran = applied(lambda made: show_older(made, "mtr_old"))
    assert made.server.state.ledger.meters["mtr_old"]["status"] == "active"
    assert made.posts()[-1].endswith("mtr_old/reactivate")
    assert (ran.code, outcome(ran)["error"]["code"]) == (5, "A006")


@pytest.mark.parametrize("fault", ["500:before", "reset:before", "429:before"])
def test_an_undo_without_effect_is_not_believed_for_an_older_reading(applied, fault):
    made, ran = applied(lambda made: show_older(made, "mtr_old"), f"{fault}:{UNDOES}")
    assert made.server.state.ledger.meters["mtr_old"]["status"] == "inactive"
    error = outcome(ran)["error"]
    assert (ran.code, error["code"]) == (5, "A005")
    assert "mtr_old/reactivate" in error["hint"]


def test_an_undo_whose_answer_is_lost_is_believed_by_a_later_reading(applied):
    made, ran = applied(lambda _: None, f"reset:after:{UNDOES}")
    assert made.server.state.ledger.meters["mtr_old"]["status"] == "active"
    assert (ran.code, outcome(ran)["error"]["code"]) == (5, "A006")


def test_a_meter_renamed_while_it_was_inactive_is_reactivated_all_the_same(applied):
    """The undo is sent in any case, and leaves the name of another client."""

    def rename(made):
        edit = partial(made.server.edit, "/v1/billing/meters/mtr_old", {"display_name": "Theirs"})
        made.at(edit, path="mtr_old/deactivate", phase=Phase.AFTER)

    made, ran = applied(rename, f"reset:before:times=3:{UNDOES}")
    meter = made.server.state.ledger.meters["mtr_old"]
    assert (meter["status"], meter["display_name"]) == ("active", "Theirs")
    assert (ran.code, outcome(ran)["error"]["code"]) == (5, "A006")


def test_the_verification_looks_at_what_was_undone(applied):
    """Deactivated again behind our back: `active again` must not be the last word."""

    def undo_the_undo(made):
        edit = partial(made.server.edit, "/v1/billing/meters/mtr_old/deactivate")
        made.at(edit, path="mtr_old/reactivate", phase=Phase.AFTER)

    made, ran = applied(undo_the_undo)
    assert made.server.state.ledger.meters["mtr_old"]["status"] == "inactive"
    error = outcome(ran)["error"]
    assert (ran.code, error["code"]) == (5, "A005")
    assert "mtr_old/reactivate" in error["hint"]
    assert "active again" not in json.dumps(held(ran.out))


def test_a_rename_after_a_reactivation_is_not_stopped_by_an_older_reading(world, run):
    """It shows the meter still inactive."""
    paused = existing("calls", "Was", "sum", id="mtr_paused", status="inactive")
    made = world(CALLS, {"meters": [{**paused, "created": 1_700_000_000}]})
    show_older(made, "mtr_paused")
    ran = run("apply", made.folder, "--yes", "--format", "json")
    meter = made.server.state.ledger.meters["mtr_paused"]
    assert (ran.code, meter["status"], meter["display_name"]) == (0, "active", "Calls")
