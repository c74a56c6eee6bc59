"""A fleet on a Dask cluster: a scheduler and workers in processes of their own."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
from builders.fleet import FleetWorld
from process.children import TIMEOUT, Child, Ended

from reconciler.emulator import Phase

KEY = "sk_test_emulator"
OTHER_KEY = "sk_test_of_the_caller"  # which the emulator rejects
NOTHING: Mapping[str, str] = {}
KEPT = "PATH", "HOME", "PYTHONPATH", "TMPDIR", "LANG", "TESTS_USE_CORES"

NEEDS_DASK = [
    pytest.mark.full,
    pytest.mark.long,
    pytest.mark.skipif(find_spec("distributed") is None, reason="distributed is not installed"),
]


@dataclass(frozen=True, slots=True)
class DaskProcess:
    """A running cluster: its address, its workers' process ids, and its log."""

    process: subprocess.Popen[str]
    address: str
    workers: tuple[int, ...]
    log: Path

    def kill_workers(self) -> int:
        """Kill the workers that there are now; return how many. Others take their places."""
        assert self.process.stdin
        assert self.process.stdout
        self.process.stdin.write("\n")
        self.process.stdin.flush()
        return int(self.process.stdout.readline())

    def kill(self) -> None:
        """End the scheduler and all workers at once."""
        with suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)


@contextmanager
def dask_process(
    folder: Path,
    workers: int = 2,
    key: str | None = KEY,
    protocol: str = "tcp",
    environment: Mapping[str, str] = NOTHING,
) -> Iterator[DaskProcess]:
    """Run a cluster; whatever happens, nothing of it is left."""
    environ = {name: os.environ[name] for name in KEPT if name in os.environ}
    environ |= {"PLATFORM_KEY": key} if key else {}
    environ |= environment
    script, log = Path(__file__).with_name("dask_process.py"), folder / "dask.log"
    with open(log, "w", encoding="utf-8") as errors:
        process = subprocess.Popen(
            [sys.executable, str(script), str(workers), protocol],
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
        """Start a command on all accounts; Dask reads its configuration when it is imported."""
        place = ("-C", self.fleet.folder, "--account", "partners", "--dask", self.dask.address)
        configured = any(name.startswith("DASK_") for name in os.environ)
        how = {"fresh": True} if configured else {"dask": True}
        return Child(words[0], *place, *words[1:], "--format", "json", **how)

    def run(self, *words: object) -> Ended:
        """Run a command on all accounts."""
        return self.start(*words).end()


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
