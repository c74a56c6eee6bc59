"""A deactivation that has to be sent again: its meter and its prices are read again before it."""

from __future__ import annotations

import threading
from contextlib import contextmanager

import pytest
from builders.emulated import context
from builders.meters import declare, existing
from stateful.words import edit

from reconciler.diagnostics.errors import Exit
from reconciler.emulator import Fault
from reconciler.operations.apply_plan import apply_plan
from reconciler.stripe.retry import ATTEMPTS

WANTS = [declare("gone", formula="count", status="inactive"), declare("gone", retires=("mtr_g",))]


@contextmanager
def lost_at_first(desired, act):
    """An account that loses the first request to deactivate, with all its retries; `act` is
    called at the first of them.
    """
    with context([existing("mtr_g", "gone", formula="count")], declared=[desired]) as it:
        planned = it.plan()
        it.server.state.arm(Fault.parse(f"reset:before:path=*deactivate:times={ATTEMPTS}"))

        def reached(moment):
            if moment.request.path.endswith("deactivate"):
                it.server.reached = lambda _: None
                act(it)

        it.server.reached = reached
        yield it, planned


@pytest.mark.parametrize("desired", WANTS, ids=["deactivate", "replace"])
def test_a_signal_does_not_cut_the_retry_short(desired):
    """The request may have had an effect: the change is finished, and the run interrupted."""
    stopped = threading.Event()
    with lost_at_first(desired, lambda _: stopped.set()) as (it, planned):
        with it.session(stopped=stopped.is_set) as session:
            report = apply_plan(planned, session)
        (change,) = report.changes
        assert (report.exit_code, str(change.result.status)) == (Exit.INTERRUPTED, "done")
        assert not it.list_all()["mtr_g"].active


@pytest.mark.parametrize("desired", WANTS, ids=["deactivate", "replace"])
def test_a_price_that_comes_before_the_retry_keeps_its_meter_active(desired):
    with lost_at_first(desired, lambda it: edit(it, "price gone")) as (it, planned):
        report = it.apply(planned)
        (change,) = report.changes
        assert (report.exit_code, str(change.result.status)) == (Exit.PARTIAL, "stale")
        assert change.result.error.code == "A012"
        assert it.list_all()["mtr_g"].active
