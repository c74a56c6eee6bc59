"""The part of a run that a worker of a Dask cluster does: a few accounts at a time.

A task names accounts by their positions. What the tasks of a run have in common, the `Job`, is sent
to each worker once; keys are in neither, but in the environment of the worker.
"""

from __future__ import annotations

import os
import secrets
import sys
import threading
import time
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from msgspec import Struct, field
from msgspec.structs import replace

from ..clock import SystemClock
from ..diagnostics.codes import service
from ..diagnostics.errors import AuthError, StoppedError
from ..history import journal
from ..model.project import Account, Platform, Project
from ..operations.make_plan import Planned
from ..operations.session import Network
from ..report.report import AccountReport
from .listener import Listener
from .work import Surroundings, Work, work_safely

_IDLE = 60.0  # seconds after which the connections of a run are closed, if it did not say its end


class Job(Struct, frozen=True, kw_only=True):
    """What all tasks of a run have in common; `run` names it. It can be pickled.

    The rate limits of its platforms are the share of one worker.
    """

    work: Work
    project: Project
    accounts: tuple[Account, ...]
    side_by_side: int
    keeps_plans: bool = False
    run: str = field(default_factory=lambda: secrets.token_hex(8))


class Outcome(Struct, frozen=True):
    """What a worker sends back: the report, the plan if it is to be saved, and journal entries."""

    report: AccountReport
    planned: Planned | None = None
    journal: bytes = b""


class _Run(Struct):
    """What the accounts of one run share on this worker."""

    network: Network
    running: int = 0
    used_at: float = 0.0
    stopped: bool = False


class _Listener(Listener):
    """Keeps the plan of an account, and lets none begin to write after the end of the run."""

    def __init__(self, run: _Run, *, keeps_plans: bool) -> None:
        self.run, self.keeps_plans = run, keeps_plans
        self.planned: Planned | None = None

    def keep_plan(self, planned: Planned) -> None:
        """Keep a plan, where plans are saved."""
        if self.keeps_plans:
            self.planned = planned

    def begin_writing(self, account: str, changes: int) -> None:
        """Raise StoppedError if the run has ended."""
        if self.run.stopped:
            raise StoppedError(service.STOPPED("stopped before the first change"))


_RUNS: dict[str, _Run] = {}
_BEGUN: set[str] = set()  # runs that have not said their end
_LOCK = threading.Lock()


def share_limits(accounts: Iterable[Account], workers: int) -> tuple[Account, ...]:
    """Return the accounts with the share of one worker in the rate limits of their platforms."""
    shared: dict[str, Platform] = {}

    def share(account: Account) -> Account:
        platform = account.platform
        if platform is None or platform.rate_limit is None:
            return account
        limit = platform.rate_limit / workers
        platform = shared.setdefault(platform.name, replace(platform, rate_limit=limit))
        return replace(account, platform=platform)

    return tuple(map(share, accounts))


def run_accounts(job: Job, positions: Sequence[int], worker: str) -> tuple[Outcome, ...]:
    """Work on accounts side by side, in threads beyond those of the worker.

    The caller limits how many accounts are worked on; the threads of a worker are for tasks that
    compute.
    """
    from distributed import secede

    secede()
    with _take_part(job) as run, ThreadPoolExecutor(len(positions)) as threads:
        return tuple(threads.map(partial(_work_on, job, run, worker), positions))


def begin_run(run: str, dask_worker: Any) -> None:
    """Stop the profiler of a worker on Python 3.11, where it can block the whole process.

    It calls `sys._current_frames`, in which a garbage collection and the start of a thread may wait
    for each other (CPython issue 106883); here many threads are started. Dask passes the worker.
    """
    _BEGUN.add(run)
    if profiler := _find_profiler(dask_worker):
        profiler.stop()


def end_run(run: str, dask_worker: Any) -> None:
    """Let the accounts of a run that are still read be given up, and close its connections."""
    with _LOCK:
        if found := _RUNS.get(run):
            found.stopped = True
            _close_idle()
        _BEGUN.discard(run)
        is_idle = not _BEGUN and not _RUNS
    profiler = _find_profiler(dask_worker)
    if is_idle and profiler and not profiler.is_running():
        profiler.start()


def _find_profiler(dask_worker: Any) -> Any:
    """Return the profiler that must not run beside the accounts; None if there is none."""
    if sys.version_info >= (3, 12):
        return None
    return dask_worker.periodic_callbacks.get("profile")


@contextmanager
def _take_part(job: Job) -> Iterator[_Run]:
    """Yield what the accounts of a run share here."""
    with _LOCK:
        _close_idle()
        run = _RUNS.get(job.run)
        if run is None:
            run = _RUNS[job.run] = _Run(Network(SystemClock(), job.side_by_side))
        run.running += 1
    try:
        yield run
    finally:
        with _LOCK:
            run.running -= 1
            run.used_at = time.monotonic()
            _close_idle()


def _close_idle() -> None:
    """Close the connections of runs that have ended, or have done nothing for a while."""
    now = time.monotonic()
    for name, run in list(_RUNS.items()):
        if not run.running and (run.stopped or now - run.used_at > _IDLE):
            del _RUNS[name]
            run.network.close()


def _work_on(job: Job, run: _Run, worker: str, position: int) -> Outcome:
    """Work on one account."""
    listener = _Listener(run, keeps_plans=job.keeps_plans)

    def is_stopped() -> bool:
        return run.stopped

    around = Surroundings(
        clock=SystemClock(is_stopped),
        stopped=is_stopped,
        network=run.network,
        listener=listener,
    )
    with _find_folder(job.project) as (project, folder):
        work = partial(_check_key, job.work, worker)
        report = work_safely(work, project, job.accounts[position], around)
        return Outcome(report, listener.planned, _read_journal(folder) if folder else b"")


def _check_key(
    work: Work, worker: str, project: Project, account: Account, around: Surroundings
) -> AccountReport:
    """Do the work; raise AuthError (S001) if the variable of the key is not set on this worker."""
    name = account.api_key_env or "STRIPE_API_KEY"
    if not around.environ.get(name, "").strip():
        message = (
            f"account {account.name!r}: the environment variable {name} is not set on the Dask "
            f"worker {worker}"
        )
        hint = f"set {name} in the environment of every worker: keys are not sent to them"
        raise AuthError(service.KEY_MISSING(message, hint=hint))
    return work(project, account, around)


@contextmanager
def _find_folder(project: Project) -> Iterator[tuple[Project, Path | None]]:
    """Yield the project, whose folder keeps the journal; where it is not here, a temporary one."""
    if os.path.isdir(project.root):
        yield project, None
        return
    with TemporaryDirectory(prefix="reconciler-") as folder:
        yield replace(project, root=folder), Path(folder)


def _read_journal(folder: Path) -> bytes:
    """Return the entries that were written; empty if there are none."""
    path = folder / ".reconciler" / journal.NAME
    return path.read_bytes() if path.exists() else b""
