"""Many accounts in a real process: killed at any moment, and interrupted by signals."""

from __future__ import annotations

import itertools
import signal
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from builders.fleet import FleetWorld, fleet_world, name_accounts
from cli.world import CALLS, existing
from process.children import TIMEOUT, Child, apply

from reconciler.clock import SystemClock
from reconciler.emulator import Phase
from reconciler.history import journal

IDS = name_accounts(6)
WORDS = ("--account", "partners", "--concurrency", "3")
SAMPLE = {(1, Phase.BEFORE), (3, Phase.AFTER), (6, Phase.BEFORE)}
MOMENTS = [
    pytest.param(n, phase, marks=() if (n, phase) in SAMPLE else pytest.mark.full)
    for n in range(1, len(IDS) + 1)
    for phase in Phase
]


@pytest.fixture
def fleet(tmp_path: Path) -> Iterator[FleetWorld]:
    """Six empty connected accounts of one platform."""
    with fleet_world(tmp_path, IDS, SystemClock()) as made:
        made.write({"file": "accounts.txt"}, api_key_env="SANDBOX_KEY")
        made.file("accounts.txt", "".join(f"{id_}\n" for id_ in IDS))
        yield made


def act_at(made: FleetWorld, number: int, phase: Phase, act, method: str = "POST") -> None:
    """Do something at the n-th request of a method, before or after its effect."""
    count = itertools.count(1)

    def watch(moment):
        if (moment.request.method, moment.phase) == (method, phase) and next(count) == number:
            made.server.reached = lambda _: None
            act(moment)

    made.server.reached = watch


def converged(made: FleetWorld, ended) -> None:
    """Each account has the meter once, in the report's order, and the journal can be read."""
    assert ended.code == 0, ended
    assert [each["account"]["id"] for each in ended.document["accounts"]] == IDS
    assert made.active() == dict.fromkeys(IDS, 1)
    entries, diagnostics = journal.read(made.folder / ".reconciler")
    assert diagnostics == ()
    intended = {entry["key"] for entry in entries if entry["kind"] == "request"}
    assert {entry.key for entry in made.server.log.posts} <= intended


@pytest.mark.parametrize(("number", "phase"), MOMENTS)
def test_a_killed_run_is_finished_by_the_next(fleet, number, phase):
    """No account is missed, none is created twice; what is done is not done again."""
    killed = threading.Event()

    def kill(_):
        child.slay()
        killed.set()
        if phase is Phase.BEFORE:
            raise ConnectionAbortedError

    act_at(fleet, number, phase, kill)
    child = apply(fleet.folder, *WORDS)
    child.end()
    assert killed.is_set()

    converged(fleet, apply(fleet.folder, *WORDS).end())
    assert len({entry.key for entry in fleet.server.log.posts}) <= len(IDS) + 3
    posts = len(fleet.server.log.posts)
    converged(fleet, apply(fleet.folder, *WORDS).end())
    assert len(fleet.server.log.posts) == posts


def test_a_signal_lets_accounts_that_write_finish_and_begins_no_other(fleet):
    """Every account is in the report: done, given up or not begun."""
    act_at(fleet, 2, Phase.BEFORE, lambda _: child.stop(signal.SIGINT))
    child = apply(fleet.folder, *WORDS)
    ended = child.end()
    assert ended.code == 130, ended
    accounts = ended.document["accounts"]
    assert [each["account"]["name"] for each in accounts] == [f"partners/{id_}" for id_ in IDS]
    results = {
        each["account"]["id"]: {change["result"]["status"] for change in each.get("changes", ())}
        for each in accounts
    }
    wrote = {id_ for id_, statuses in results.items() if "done" in statuses}
    assert {id_ for id_, count in fleet.active().items() if count} == wrote
    assert 2 <= len(wrote) <= 4
    assert accounts[-1]["exit_code"] == 130
    assert accounts[-1]["diagnostics"][0]["code"] == "A014"
    converged(fleet, apply(fleet.folder, *WORDS).end())


def test_a_signal_ends_a_fleet_that_only_reads_at_once(fleet):
    """An answer that does not come is not waited for."""
    hanging = threading.Event()
    act_at(fleet, 4, Phase.BEFORE, lambda _: hanging.wait(TIMEOUT), "GET")
    asked = threading.Event()
    act = fleet.server.reached

    def reached(moment):
        asked.set()
        act(moment)

    fleet.server.reached = reached
    child = Child("plan", fleet.folder, *WORDS, "--format", "json", "--quiet")
    try:
        assert asked.wait(TIMEOUT)
        child.process.send_signal(signal.SIGTERM)
        ended = child.end()
    finally:
        hanging.set()
    assert (ended.code, ended.document["exit_code"]) == (130, 130)
    assert len(ended.document["accounts"]) == len(IDS)
    assert "Traceback" not in ended.err


def test_the_second_signal_ends_at_once_with_one_document(tmp_path):
    """It names the accounts that are done, and how to end a replacement that had begun."""
    old = [existing("calls", "Calls", "count", id="mtr_old")]
    seeds = {id_: [{**old[0], "id": f"mtr_{id_}"}] for id_ in IDS[1:]}
    with fleet_world(tmp_path, IDS, SystemClock(), seeds) as made:
        retired = ", ".join(f"mtr_{id_}" for id_ in IDS)
        meters = CALLS.replace("calls,", f"calls, retires: [{retired}],", 1)
        made.write("all", meters=meters, api_key_env="SANDBOX_KEY")
        released, begun = threading.Event(), threading.Semaphore(0)

        def reached(moment):
            if moment.request.path.endswith("/deactivate") and moment.phase is Phase.AFTER:
                begun.release()
                released.wait(TIMEOUT)

        made.server.reached = reached
        child = apply(made.folder, *WORDS)
        try:
            for _ in range(2):
                assert begun.acquire(timeout=TIMEOUT)
            child.stop(signal.SIGINT)
            child.process.send_signal(signal.SIGINT)
            ended = child.end()
        finally:
            released.set()
    assert (ended.code, ended.document["exit_code"]) == (130, 130)
    said = [each["message"] for each in ended.document["diagnostics"]]
    assert "second signal" in said[0]
    named = {id_ for id_ in IDS if any(f"Stripe-Account: {id_}" in text for text in said[1:])}
    hints = [each.get("hint", "") for each in ended.document["diagnostics"][1:]]
    named |= {id_ for id_ in IDS if any(f"Stripe-Account: {id_}" in text for text in hints)}
    assert len(named) >= 2
    assert [each["account"]["name"] for each in ended.document["accounts"]] == [
        f"partners/{id_}" for id_ in IDS
    ]
    assert all(each["configuration"] for each in ended.document["accounts"])  # for --resume


def test_the_second_signal_keeps_what_is_carried_over(fleet, tmp_path):
    """Where one account is left to be run, as where many are."""
    earlier = tmp_path / "earlier.json"
    fleet.server.arm(f"403:account={IDS[2]}")
    apply(fleet.folder, *WORDS, "--out", f"json={earlier}").end()
    fleet.server.disarm()
    released = threading.Event()

    def hang(_):
        child.stop(signal.SIGINT)
        child.process.send_signal(signal.SIGINT)
        released.wait(TIMEOUT)

    act_at(fleet, 1, Phase.BEFORE, hang)
    child = apply(fleet.folder, *WORDS, "--resume", earlier)
    try:
        ended = child.end()
    finally:
        released.set()
    accounts = ended.document["accounts"]
    assert ended.code == 130
    assert [each["account"]["name"] for each in accounts] == [f"partners/{id_}" for id_ in IDS]
    carried = [each["account"]["id"] for each in accounts if each.get("carried_over")]
    assert carried == [id_ for id_ in IDS if id_ != IDS[2]]
    assert accounts[2]["exit_code"] == 130
