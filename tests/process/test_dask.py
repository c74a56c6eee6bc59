"""A fleet on a Dask cluster of several processes, of which some are killed."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
from builders.fleet import FleetWorld, fleet_world, name_accounts
from cli.world import existing
from process.children import TIMEOUT, Child, Ended

from reconciler.clock import SystemClock
from reconciler.emulator import Phase

KEY = "sk_test_emulator"
OTHER_KEY = "sk_test_of_the_caller"  # which the emulator rejects
KEPT = "PATH", "HOME", "PYTHONPATH", "TMPDIR", "LANG"

pytestmark = [
    pytest.mark.full,
    pytest.mark.skipif(find_spec("distributed") is None, reason="distributed is not installed"),
]


@dataclass(frozen=True, slots=True)
class DaskProcess:
    """A running cluster: its address, its workers' process ids, and its log."""

    process: subprocess.Popen[str]
    address: str
    workers: tuple[int, ...]
    log: Path

    def kill(self) -> None:
        """End the scheduler and all workers at once."""
        with suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)


@contextmanager
def dask_process(folder: Path, workers: int = 2, key: str | None = KEY) -> Iterator[DaskProcess]:
    """Run a cluster; whatever happens, nothing of it is left."""
    environ = {name: os.environ[name] for name in KEPT if name in os.environ}
    environ |= {"PLATFORM_KEY": key} if key else {}
    script, log = Path(__file__).with_name("dask_process.py"), folder / "dask.log"
    with open(log, "w", encoding="utf-8") as errors:
        process = subprocess.Popen(
            [sys.executable, str(script), str(workers)],
            env=environ,
            cwd=folder,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
            start_new_session=True,
        )
    assert process.stdin
    assert process.stdout
    try:
        line = process.stdout.readline()
        assert line, log.read_text("utf-8")
        found = json.loads(line)
        yield DaskProcess(process, found["address"], tuple(found["workers"]), log)
        process.stdin.close()
        with suppress(subprocess.TimeoutExpired):
            process.wait(10)
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait(TIMEOUT)
        process.stdout.close()
        process.stdin.close()


@dataclass(frozen=True, slots=True)
class World:
    """A fleet, and a cluster for it."""

    fleet: FleetWorld
    dask: DaskProcess

    def start(self, *words: object) -> Child:
        """Start a command on all accounts."""
        place = ("-C", self.fleet.folder, "--account", "partners", "--dask", self.dask.address)
        return Child(words[0], *place, *words[1:], "--format", "json", fresh=True)

    def run(self, *words: object) -> Ended:
        """Run a command on all accounts."""
        return self.start(*words).end()


@pytest.fixture
def build(tmp_path: Path, monkeypatch) -> Iterator[Callable[..., World]]:
    """`build(ids, ...)`: a project, its platform served over HTTP, and a cluster."""
    monkeypatch.setenv("PLATFORM_KEY", OTHER_KEY)
    with ExitStack() as stack:

        def make(ids, connected: object = None, meters=None, key: str | None = KEY, **more: Any):
            project = tmp_path / "project"
            project.mkdir()
            fleet = stack.enter_context(fleet_world(project, ids, SystemClock(), meters or {}))
            fleet.write(connected or list(ids), **more)
            return World(fleet, stack.enter_context(dask_process(tmp_path, key=key)))

        yield make


def ends(ended: Ended) -> dict[str, int]:
    """The exit code of each account, in the order of the report."""
    accounts = ended.document["accounts"]
    return {
        each["account"]["name"].removeprefix("partners/"): each["exit_code"] for each in accounts
    }


def codes(ended: Ended) -> dict[str, set[str]]:
    """The codes of the diagnostics of each account."""
    accounts = ended.document["accounts"]
    return {
        each["account"]["name"].removeprefix("partners/"): {d["code"] for d in each["diagnostics"]}
        for each in accounts
    }


def at_post(fleet: FleetWorld, number: int, act: Callable[[], None]) -> None:
    """Do something once, when a request that writes has arrived and before it has its effect."""
    seen: list[str] = []

    def reached(moment: Any) -> None:
        if (moment.request.method, moment.phase) == ("POST", Phase.BEFORE):
            seen.append(moment.request.headers["stripe-account"])
            if len(seen) == number:
                act()

    fleet.server.reached = reached


def test_a_fleet_converges_although_a_worker_is_killed(build):
    """Three broken accounts are reported, the accounts of the lost worker are run again."""
    ids = name_accounts(40)
    denied, blocked, gone = ids[1], ids[4], "acct_gone"
    listed = [*ids[:7], gone, *ids[7:]]
    world = build(ids, listed, meters={blocked: [existing("calls", "Calls", "count")]})
    fleet, first_worker = world.fleet, world.dask.workers[0]
    fleet.server.arm(f"403:account={denied}")
    at_post(fleet, 3, lambda: os.kill(first_worker, signal.SIGKILL))

    first = world.run("apply", "--yes")
    expected = {id_: {denied: 6, blocked: 3, gone: 6}.get(id_, 0) for id_ in listed}
    assert ends(first) == expected
    assert list(ends(first)) == listed
    assert first.code == 6
    assert any("A016" in found for found in codes(first).values())
    assert fleet.active() == {id_: int(id_ != denied) for id_ in ids}
    with fleet.server.lock:
        ledgers = list(fleet.server.state.ledgers.items())[1:]
    assert {id_: len(ledger.meters) for id_, ledger in ledgers} == fleet.active()

    fleet.server.reached = lambda _: None
    posts = len(fleet.server.log.posts)
    second = world.run("apply", "--yes")
    assert ends(second) == expected
    assert len(fleet.server.log.posts) == posts
    journal = (fleet.folder / ".reconciler" / "journal.jsonl").read_text("utf-8")
    for text in (first.out, first.err, second.out, journal, world.dask.log.read_text("utf-8")):
        assert KEY not in text
        assert OTHER_KEY not in text


def test_plans_are_saved_and_drift_is_found(build):
    """The other commands, and a folder of plans that workers made and apply."""
    ids = name_accounts(5)
    world = build(ids)
    plans = world.fleet.folder / "plans"
    assert world.run("plan", "--save", f"{plans}/").code == 0
    assert len(list(plans.glob("*.json"))) == 5
    drift = world.run("drift")
    assert (drift.code, set(ends(drift).values())) == (2, {2})
    ended = Child(
        "apply",
        "-C",
        world.fleet.folder,
        "--plan",
        plans,
        "--dask",
        world.dask.address,
        "--format",
        "json",
        fresh=True,
    ).end()
    assert (ended.code, world.fleet.active()) == (0, dict.fromkeys(ids, 1))


def test_a_key_that_workers_do_not_have_is_named(build):
    """The environment of this process has it, and it is not sent."""
    world = build(name_accounts(2), key=None)
    ended = world.run("plan")
    (first, *_) = ended.document["accounts"][0]["diagnostics"]
    assert (ended.code, first["code"]) == (6, "S001")
    assert "PLATFORM_KEY is not set on the Dask worker tcp://127.0.0.1:" in first["message"]
    assert list(world.fleet.server.log) == []


def test_a_lost_scheduler_leaves_a_report_of_every_account(build):
    """What is in progress is unknown, the rest was not begun; the next run does it."""
    ids = name_accounts(30)
    world = build(ids)
    at_post(world.fleet, 2, world.dask.kill)
    ended = world.run("apply", "--yes", "--concurrency", "4")
    found = codes(ended)
    assert (ended.code, list(found)) == (5, ids)
    unknown = [id_ for id_ in ids if "A015" in found[id_]]
    assert 1 <= len(unknown) <= 4
    assert sum("A014" in each for each in found.values()) >= 30 - 4 - 4
    assert {ends(ended)[id_] for id_ in unknown} == {5}


def test_after_a_signal_accounts_in_progress_are_finished(build):
    """No further one is begun, and the report has all of them."""
    ids = name_accounts(30)
    world = build(ids)
    children: list[Child] = []
    at_post(world.fleet, 1, lambda: children[0].stop(signal.SIGINT))
    children.append(world.start("apply", "--yes", "--concurrency", "4"))
    ended = children[0].end()
    found = ends(ended)
    assert (ended.code, list(found)) == (130, ids)
    done = [id_ for id_, code in found.items() if code == 0]
    assert 1 <= len(done) <= 8
    assert world.fleet.active() == {id_: int(id_ in done) for id_ in ids}


def test_a_scheduler_that_does_not_answer_is_an_error(build):
    """Nothing is sent to any account."""
    world = build(name_accounts(2))
    world.dask.kill()
    ended = world.run("plan")
    assert (ended.code, ended.document["diagnostics"][0]["code"]) == (1, "E008")
    assert list(world.fleet.server.log) == []
