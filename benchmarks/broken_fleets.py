"""A fleet in which three accounts are broken in different ways, and all others converge.

Each run is checked: what the accounts hold after it, the report, and that a second run changes
nothing and reports the same three accounts. What differs raises BenchmarkError.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from . import floors, projects
from .emulator import Emulator, Sent, emulating
from .fleets import ON_THREADS, clustering, on_dask
from .processes import BenchmarkError, Sample, python
from .scenarios import THREADS, Case, Scenario, Workshop, count_requests

_RUN_AGAIN = "A016"
_LOOK = 0.02  # seconds between looks at how many requests there were


@dataclass(frozen=True, slots=True)
class Ending:
    """How an account is reported: its exit code, and the codes of its errors."""

    exit_code: int = 0
    errors: frozenset[str] = frozenset()

    def __str__(self) -> str:
        return f"exit code {self.exit_code} with {', '.join(sorted(self.errors)) or 'no error'}"


DENIED = Ending(6, frozenset({"S004"}))
BLOCKED = Ending(3, frozenset({"P001"}))
FAILING = Ending(1, frozenset({"S035"}))


@dataclass(slots=True)
class BrokenFleet:
    """The project, the accounts, and how each broken one is to be reported.

    `disturb` surrounds the first of two runs; `exit_code` is that of both.
    """

    emulator: Emulator
    folder: Path
    ids: Sequence[str]
    broken: Mapping[str, Ending]
    words: tuple[str, ...]
    disturb: Callable[[], AbstractContextManager[None]] = nullcontext
    exit_code: int = FAILING.exit_code
    sent: list[Sent] = field(default_factory=list)

    def apply(self) -> Sample:
        """Apply twice, and check both runs; return what the first one took."""
        self.emulator.reset()
        self.emulator.take_requests()
        with self.disturb():
            sample = self._run()
        self.sent = self.emulator.take_requests()
        self.check()
        self._run()
        again = self.emulator.take_requests()
        if writes := [f"{each.method} {each.path}" for each in again if each.method != "GET"]:
            raise BenchmarkError(f"the second run wrote: {', '.join(writes[:3])}")
        report = self.check()
        if changed := _find_changed(report):
            raise BenchmarkError(f"the second run has changes: {', '.join(changed[:3])}")
        shutil.rmtree(self.folder / ".reconciler")
        return count_requests(sample, self.sent)

    def send_the_same(self, _: Sample) -> Sample:
        """Send the requests of the last run on bare threads, each to the same account."""
        self.emulator.reset()
        batches: dict[str | None, list[Sent]] = {}
        for each in self.sent:
            batches.setdefault(each.account, []).append(each)
        waiting = [floors.Batch(requests, account) for account, requests in batches.items()]
        sample = floors.send_batches(self.emulator.address, waiting, THREADS)
        self.emulator.take_requests()
        return sample

    def read_report(self) -> dict[str, Any]:
        """Return the report of the last run."""
        document: dict[str, Any] = json.loads((self.folder / "report.json").read_text("utf-8"))
        return document

    def _run(self) -> Sample:
        words = ("--yes", "--quiet", "--account", "*", "--out", "json=report.json", *self.words)
        return python(
            "-m", "reconciler", "apply", *words, cwd=self.folder, exit_code=self.exit_code
        )

    def check(self) -> dict[str, Any]:
        """Check the accounts, and the report, which is returned."""
        self._check_accounts()
        report = self.read_report()
        found = {each["account"]["name"].partition("/")[2]: each for each in report["accounts"]}
        if list(found) != list(self.ids):
            raise BenchmarkError(f"the report has {len(found):,} of {len(self.ids):,} accounts")
        for account, each in found.items():
            ending, expected = _find_ending(each), self.broken.get(account, Ending())
            if ending != expected:
                raise BenchmarkError(f"{account} ended with {ending}, not {expected}")
        return report

    def _check_accounts(self) -> None:
        """Check that the accounts hold what is declared, and nothing else; the broken ones, not."""
        meters = self.emulator.read_meters()
        converged = {account for account in self.ids if _is_converged(meters[account])}
        if wrong := converged.symmetric_difference(self.ids).symmetric_difference(self.broken):
            raise BenchmarkError(
                f"{len(converged):,} of {len(self.ids):,} accounts converged; "
                f"not as expected: {', '.join(sorted(wrong)[:3])}"
            )


def _is_converged(meters: Sequence[Mapping[str, Any]]) -> bool:
    """Return whether the declared meter is the only one."""
    declared = projects.describe_meter(0) | {"status": "active"}
    return len(meters) == 1 and meters[0].items() >= declared.items()


def _find_ending(account: Mapping[str, Any]) -> Ending:
    said = account["diagnostics"]
    errors = frozenset(each["code"] for each in said if each["level"] == "error")
    return Ending(account["exit_code"], errors)


def _find_changed(report: Mapping[str, Any]) -> list[str]:
    """Return the accounts with changes, but for those that cannot be made."""
    return [
        each["account"]["name"]
        for each in report["accounts"]
        if any(change["action"] not in ("unchanged", "blocked") for change in each["changes"])
    ]


def apply_broken_fleet(accounts: int, latency: int, failure: str = "500") -> Scenario:
    """`apply` on threads; `failure` is what the requests of one broken account get."""

    def prepare(workshop: Workshop) -> Case:
        return _describe(build_fleet(workshop, accounts, latency, ON_THREADS, failure))

    return prepare


def apply_broken_fleet_on_dask(accounts: int, latency: int, workers: int = 3) -> Scenario:
    """`apply` on the workers of a cluster, of which one is killed amid the run."""

    def prepare(workshop: Workshop) -> Case:
        cluster = workshop.stack.enter_context(clustering(workers))
        fleet = build_fleet(workshop, accounts, latency, on_dask(cluster))
        fleet.disturb = lambda: killing_a_worker(fleet, cluster, 3 * accounts)
        return _describe(fleet)

    return prepare


def _describe(fleet: BrokenFleet) -> Case:
    return Case(fleet.apply, fleet.send_the_same, f"its requests, {THREADS} threads")


def build_fleet(
    workshop: Workshop, accounts: int, latency: int, words: tuple[str, ...], failure: str = "500"
) -> BrokenFleet:
    """Return a fleet of empty accounts, of which three are broken.

    The failing one is in the middle: were it the last, its retries would be all that is measured.
    """
    folder, ids = workshop.make_folder(), projects.name_accounts(accounts)
    denied, failing, blocked = (ids[n * accounts // 4] for n in (1, 2, 3))
    seed = projects.write_seed(workshop.make_folder(), 0, accounts, [blocked])
    emulator = workshop.stack.enter_context(emulating(seed))
    emulator.set_switches(latency=f"{latency}ms")
    emulator.arm(f"403:account={denied}", f"{failure}:account={failing}")
    projects.write_fleet(folder, emulator.url, ids)
    projects.write_meters(folder, 1)
    broken = {denied: DENIED, blocked: BLOCKED, failing: FAILING}
    return BrokenFleet(emulator, folder, ids, broken, words)


@contextmanager
def killing_a_worker(fleet: BrokenFleet, cluster: Any, after: int) -> Iterator[None]:
    """Kill a worker once so many requests were received; its accounts must be run again."""
    ended, begin = threading.Event(), fleet.emulator.count_requests()

    def kill() -> None:
        while fleet.emulator.count_requests() < begin + after:
            if ended.wait(_LOOK):
                raise BenchmarkError("the run ended before a worker was killed")
        os.kill(next(iter(cluster.workers.values())).pid, signal.SIGKILL)

    with ThreadPoolExecutor(1) as pool:
        killed = pool.submit(kill)
        try:
            yield
        finally:
            ended.set()
        killed.result()
    if not any(_was_run_again(each) for each in fleet.read_report()["accounts"]):
        raise BenchmarkError("no account was run again")


def _was_run_again(account: Mapping[str, Any]) -> bool:
    return any(each["code"] == _RUN_AGAIN for each in account["diagnostics"])
