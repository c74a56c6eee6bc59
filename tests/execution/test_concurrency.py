"""What runs concurrently, and what never does."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from builders.fake_account import Account, run_of
from builders.meters import decide_all, declare, existing
from execution.test_executor import crowd, statuses
from msgspec.structs import replace

from reconciler.execution.executor import apply
from reconciler.model.project import AccountRef


@pytest.mark.parametrize(("workers", "most"), [(8, 8), (3, 3), (99, 64), (1, 1)])
def test_up_to_64_changes_of_one_action_run_concurrently(workers, most):
    barrier, high = threading.Barrier(most), []

    def meet(account, _):
        high.append(barrier.wait(timeout=5))

    account = Account([])
    account.before = meet
    run = run_of(account, *decide_all(crowd(most * 2), []), workers=workers)
    ended = apply(run)
    assert set(statuses(ended).values()) == {"done"}
    assert sorted(high) == sorted([*range(most)] * 2)


def test_an_action_begins_when_the_one_before_has_ended():
    wants = [*crowd(5), declare("zz", display="New")]
    meters = [existing("mtr_z", "zz")]
    account, running = Account(meters), []

    def note(_, step):
        running.append(str(step.operation))

    account.before = note
    apply(run_of(account, *decide_all(wants, meters)))
    assert running == ["create"] * 5 + ["update"]


@pytest.mark.parametrize(
    ("workers", "livemode", "most"),
    [
        (8, False, {"create": 8, "replace": 1}),
        (99, False, {"create": 64, "replace": 1}),
        (2, False, {"create": 2, "replace": 1}),
        (8, None, {"create": 1, "replace": 1}),
    ],
)
def test_how_many_changes_run_concurrently(monkeypatch, workers, livemode, most):
    """Replacements one at a time, and all while the mode is unknown."""
    pools = []

    def pool(max_workers):
        pools.append(max_workers)
        return ThreadPoolExecutor(max_workers)

    monkeypatch.setattr("reconciler.execution.executor.ThreadPoolExecutor", pool)
    created = (declare("new"), declare("other"))  # one alone needs no thread
    wants = [*created, *(declare(f"m{n}", retires=(f"mtr_{n}",)) for n in range(3))]
    meters = [existing(f"mtr_{n}", f"m{n}", formula="count") for n in range(3)]
    run = run_of(Account(meters), *decide_all(wants, meters), workers=workers)
    here = AccountRef("test", "acct_1", livemode)
    ended = apply(replace(run, plan=replace(run.plan, account=here)))
    assert pools == list(most.values())
    assert set(statuses(ended).values()) == {"done"}
