"""The workers of a Dask cluster, as the caller sees them: accounts go out, reports come back.

Loaded only with `--dask`. The accounts that are to be worked on at one time are sent in tasks of a
few: each task costs this process, the scheduler and the worker some milliseconds.
"""

from __future__ import annotations

import asyncio
import logging
import math
import pickle
import threading
from collections.abc import Coroutine, Iterable, Sequence
from concurrent.futures import CancelledError
from contextlib import suppress
from pathlib import Path
from typing import Any, Self, TypeVar

from distributed import Client, Future, KilledWorker
from msgspec import Struct
from msgspec.structs import replace

from .._version import __version__
from ..clock import Stopped
from ..diagnostics.codes import fleet
from ..diagnostics.errors import Exit
from ..history.journal import append_entries
from ..model.project import Account, AccountRef, Project
from ..report.report import AccountReport
from ..threads import block_signals, wait_for
from .dask_connection import (
    PATIENCE,
    build_client,
    connect,
    explaining_errors,
    find_workers,
    read_versions,
)
from .dask_worker import Job, Outcome, begin_run, end_run, run_accounts, share_limits
from .engine import report_not_begun
from .work import Surroundings

T = TypeVar("T")

_SILENCE = 60.0  # seconds for an answer of the scheduler or of the workers during a run,
_NO_WORKERS = 60.0  # and for a worker that takes the place of a lost one
_LOOK = 0.5  # seconds between looks at which workers are there
_GATHER = 0.005  # seconds in which accounts that are ready together go into one task
_MOST_IN_TASK = 16
_TASKS_AT_ONCE = 4  # of one worker: the accounts of a task end together, those of others go on
_ATTEMPTS = 3  # with an account, before it is given up
_POLL = 0.1  # seconds between checks for an interruption


class _Waiting(Struct):
    """An account that is waited for, and how often it was sent to a worker that was lost."""

    position: int
    outcome: asyncio.Future[Outcome]
    lost: int = 0


class _Worker(Struct):
    """A worker in use: how many accounts it works on, and whether it has left."""

    gone: asyncio.Event
    accounts: int = 0


class Cluster:
    """A Dask cluster during one run, for a `with` block; threads may share it.

    The run uses as many workers at a time as there are at its start, so that each can be given its
    share of a platform's rate limit; a new one takes the place of one that has left.
    """

    def __init__(self, address: str, job: Job, *, writes: bool, stopped: Stopped) -> None:
        """`writes` says whether the work of the job can change an account."""
        self._address = address
        self._job = job
        self._writes = writes
        self._stopped = stopped
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._positions = {account.name: n for n, account in enumerate(job.accounts)}
        self._client: Client | None = None
        self._workers: dict[str, _Worker] = {}
        self._most = self._most_in_task = 1
        self._unsuitable: set[str] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._ready: asyncio.Queue[_Waiting] = asyncio.Queue()
        self._joined = asyncio.Event()
        self._lost = ""

    def __enter__(self) -> Self:
        """Connect; raise ServiceError (E008, E009) if the cluster cannot be used."""
        logging.getLogger("distributed").setLevel(logging.CRITICAL)
        with block_signals():
            self._thread.start()
        try:
            self._call(self._open())
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        with suppress(Exception):
            self._call(self._close())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(PATIENCE)

    def work_on(self, project: Project, account: Account, around: Surroundings) -> AccountReport:
        """Let a worker do the work on an account: this is a `Work`.

        Raise KeyboardInterrupt after a stop where nothing can have been written.
        """
        if self._writes:
            around.listener.begin_writing(account.name, 0)
        outcome = self._wait_for(self._positions[account.name])
        if outcome.planned:
            around.listener.keep_plan(outcome.planned)
        report = outcome.report
        if outcome.journal:
            folder = Path(project.root) / ".reconciler"
            lost = append_entries(folder, outcome.journal, around.clock)
            report = replace(report, diagnostics=(*report.diagnostics, *lost))
        return report

    def _wait_for(self, position: int) -> Outcome:
        waited = asyncio.run_coroutine_threadsafe(self._ask(position), self._loop)
        while True:
            with suppress(TimeoutError):
                return waited.result(_POLL)
            if self._stopped() and not self._writes:
                waited.cancel()
                raise KeyboardInterrupt

    def _call(self, work: Coroutine[Any, Any, T]) -> T:
        return wait_for(asyncio.run_coroutine_threadsafe(work, self._loop))

    async def _open(self) -> None:
        """Connect, check all workers, and send what the tasks have in common."""
        side_by_side, accounts = self._job.side_by_side, self._job.accounts
        with explaining_errors(self._address):
            self._client = client = build_client(self._address)
            present = await connect(client)
            self._most = max(1, min(len(present), side_by_side, len(accounts)))
            await asyncio.wait_for(self._use_workers(client, present), PATIENCE)
        tasks_at_once = self._most * _TASKS_AT_ONCE
        self._most_in_task = min(_MOST_IN_TASK, math.ceil(side_by_side / tasks_at_once))
        job = replace(self._job, accounts=share_limits(accounts, self._most))
        sent = client.submit(pickle.loads, pickle.dumps(job), pure=False)
        self._begin(self._send_tasks(client, sent))
        self._begin(self._watch(client))

    async def _close(self) -> None:
        """Let the workers give up what they still read, and disconnect."""
        for task in self._tasks:
            task.cancel()
        if self._client is None:
            return
        if self._workers and not self._lost:
            with suppress(Exception):
                there = list(self._workers)
                ended = self._client.run(end_run, self._job.run, workers=there, on_error="ignore")
                await asyncio.wait_for(ended, PATIENCE)
        with suppress(Exception):
            await asyncio.wait_for(self._client.close(PATIENCE), PATIENCE)

    def _begin(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _use_workers(self, client: Client, addresses: Sequence[str]) -> None:
        """Use these workers from now on, up to the most that are used at a time."""
        used = addresses[: self._most - len(self._workers)]
        if not used:
            return
        await client.run(begin_run, self._job.run, workers=list(used), on_error="ignore")
        self._workers |= {address: _Worker(asyncio.Event()) for address in used}
        self._joined.set()

    async def _watch(self, client: Client) -> None:
        """Notice which workers leave and join, and when the scheduler is lost."""
        while not self._lost:
            await asyncio.sleep(_LOOK)
            try:
                present = await asyncio.wait_for(find_workers(client), _SILENCE)
                await self._replace_workers(client, present)
            except Exception:
                self._lose_scheduler()
            self._check_connection(client)

    async def _replace_workers(self, client: Client, present: Sequence[str]) -> None:
        for address in self._workers.keys() - set(present):
            self._workers.pop(address).gone.set()
        known = self._workers.keys() | self._unsuitable
        new = [each for each in present if each not in known]
        if len(self._workers) < self._most and new:
            versions = await asyncio.wait_for(read_versions(client, new), _SILENCE)
            self._unsuitable |= {each for each in new if versions.get(each) != __version__}
            suitable = [each for each in new if each not in self._unsuitable]
            await asyncio.wait_for(self._use_workers(client, suitable), _SILENCE)

    def _check_connection(self, client: Client) -> None:
        """Notice that the scheduler was lost, even where Dask connects again: tasks are gone."""
        if client.status != "running":
            self._lose_scheduler()

    def _lose_scheduler(self) -> None:
        self._lost = f"the connection to the Dask scheduler {self._address} was lost"
        for worker in self._workers.values():
            worker.gone.set()
        self._joined.set()

    async def _ask(self, position: int) -> Outcome:
        waiting = _Waiting(position, asyncio.get_running_loop().create_future())
        self._ready.put_nowait(waiting)
        return await waiting.outcome

    async def _send_tasks(self, client: Client, job: Future[Job]) -> None:
        """Send accounts that are ready at the same time in tasks of a few."""
        while True:
            ready = [await self._ready.get()]
            await asyncio.sleep(_GATHER)
            while not self._ready.empty():
                ready.append(self._ready.get_nowait())
            for at in range(0, len(ready), self._most_in_task):
                self._begin(self._run_task(client, job, ready[at : at + self._most_in_task]))

    async def _run_task(
        self, client: Client, job: Future[Job], accounts: Sequence[_Waiting]
    ) -> None:
        """Send accounts to a worker; if it is lost, each of them alone to another one."""
        address = await self._choose_worker()
        if address is None:
            return self._give_up(accounts)
        worker = self._workers[address]
        worker.accounts += len(accounts)
        positions = tuple(each.position for each in accounts)
        try:
            task = client.submit(
                run_accounts, job, positions, address, workers=[address], pure=False
            )
            outcomes = await _wait_for_result(task, worker.gone)
        except Exception as error:
            why = f"its task on the Dask worker {address} failed: {type(error).__name__}"
            return self._report_unknown(accounts, why)
        finally:
            worker.accounts -= len(accounts)
        for each, outcome in zip(accounts, outcomes or (), strict=outcomes is not None):
            _set(each, _mark_repeated(outcome, each, address))
        if outcomes is None:
            self._check_connection(client)
            for each in accounts:
                self._begin(self._run_again(client, job, each, address))
        return None

    async def _run_again(
        self, client: Client, job: Future[Job], account: _Waiting, address: str
    ) -> None:
        """Send an account of a lost worker to another one, unless it was lost too often."""
        account.lost += 1
        if self._lost:
            self._report_unknown([account], self._lost)
        elif account.lost >= _ATTEMPTS or self._stopped():
            self._report_unknown([account], f"the Dask worker {address} was lost")
        else:
            await self._run_task(client, job, [account])

    async def _choose_worker(self) -> str | None:
        """Return the worker with the fewest accounts; None if there is none for a while."""
        deadline = self._loop.time() + _NO_WORKERS
        while not self._workers and self._loop.time() < deadline:
            if self._lost or self._stopped():
                return None
            self._joined.clear()
            with suppress(TimeoutError):
                await asyncio.wait_for(self._joined.wait(), _LOOK)
        if self._lost or not self._workers:
            return None
        return min(self._workers, key=lambda address: self._workers[address].accounts)

    def _give_up(self, accounts: Iterable[_Waiting]) -> None:
        """Report accounts for which there was no worker."""
        why, exit_code = self._lost or "the Dask cluster has no workers", Exit.FAILED
        if self._stopped():
            why, exit_code = "the run was interrupted", Exit.INTERRUPTED
        for each in accounts:
            if each.lost:
                self._report_unknown([each], why)
            else:
                name = self._job.accounts[each.position].name
                _set(each, Outcome(report_not_begun(name, why, exit_code)))

    def _report_unknown(self, accounts: Iterable[_Waiting], why: str) -> None:
        """Report accounts whose result was lost."""
        for each in accounts:
            name = self._job.accounts[each.position].name
            said = fleet.ACCOUNT_UNKNOWN(f"what became of account {name!r} is not known: {why}")
            report = AccountReport(
                account=AccountRef(name),
                exit_code=Exit.PARTIAL if self._writes else Exit.FAILED,
                diagnostics=(said,),
                complete=False,
            )
            _set(each, Outcome(report))


async def _wait_for_result(
    task: Future[tuple[Outcome, ...]], gone: asyncio.Event
) -> tuple[Outcome, ...] | None:
    """Return the result of a task; None if its worker has left. Raise what the task raised."""
    result = asyncio.ensure_future(_read_result(task))
    left = asyncio.ensure_future(gone.wait())
    try:
        await asyncio.wait((result, left), return_when=asyncio.FIRST_COMPLETED)
        return result.result() if result.done() else None
    finally:
        left.cancel()
        result.cancel()
        task.release()


async def _read_result(task: Future[tuple[Outcome, ...]]) -> tuple[Outcome, ...] | None:
    """Return the result of a task; None if Dask gave it up because workers were lost."""
    try:
        outcomes: tuple[Outcome, ...] = await task
    except (KilledWorker, CancelledError, asyncio.CancelledError):
        return None
    return outcomes


def _mark_repeated(outcome: Outcome, waiting: _Waiting, address: str) -> Outcome:
    """Return the outcome with a warning, if an earlier worker was lost."""
    if not waiting.lost:
        return outcome
    report = outcome.report
    said = fleet.RUN_AGAIN(
        f"account {report.account.name!r} was worked on again, by the Dask worker {address}, "
        "because the one before was lost"
    )
    return replace(outcome, report=replace(report, diagnostics=(*report.diagnostics, said)))


def _set(waiting: _Waiting, outcome: Outcome) -> None:
    """Hand an outcome to the thread that waits for it, unless it was interrupted."""
    if not waiting.outcome.done():
        waiting.outcome.set_result(outcome)
