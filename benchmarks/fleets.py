"""Fleets of connected accounts, on threads and on the workers of a Dask cluster."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from typing import Any

from . import floors, projects
from .processes import Sample, environment
from .scenarios import THREADS, Case, Scenario, Skipped, Workshop, apply, apply_and_undo

ON_THREADS = ("--concurrency", str(THREADS))
_HELP = (sys.executable, "-m", "reconciler", "apply", "--help")


def apply_fleet(accounts: int, latency: int) -> Scenario:
    """`apply` to empty connected accounts, beside the same requests on bare threads."""

    def prepare(workshop: Workshop) -> Case:
        return _fleet(workshop, accounts, latency, ON_THREADS)

    return prepare


def apply_fleet_on_dask(accounts: int, latency: int, workers: int = 3) -> Scenario:
    """`apply` of a fleet on the workers of a cluster, each a process of this machine."""

    def prepare(workshop: Workshop) -> Case:
        cluster = workshop.stack.enter_context(clustering(workers))
        return _fleet(workshop, accounts, latency, on_dask(cluster))

    return prepare


def on_dask(cluster: Any, side_by_side: int = THREADS) -> tuple[str, ...]:
    """Return the options that let the workers of a cluster work on so many accounts at a time."""
    return ("--dask", str(cluster.scheduler_address), "--concurrency", str(side_by_side))


@contextmanager
def clustering(workers: int) -> Iterator[Any]:
    """Run a scheduler and workers; yield the `LocalCluster`."""
    shown = subprocess.run(_HELP, env=environment(), capture_output=True, text=True, check=True)
    if "--dask" not in shown.stdout:
        raise Skipped("this version has no `apply --dask`")
    try:
        distributed = import_module("distributed")
    except ImportError:
        raise Skipped("dask is not installed: pip install 'meter-reconciler[dask]'") from None
    os.environ.update(environment())  # the workers inherit the key, and find the package
    with distributed.LocalCluster(
        n_workers=workers,
        threads_per_worker=1,
        host="127.0.0.1",
        dashboard_address="127.0.0.1:0",  # None means port 8787, which another may have
    ) as cluster:
        yield cluster


def _fleet(workshop: Workshop, accounts: int, latency: int, words: tuple[str, ...]) -> Case:
    emulator = workshop.get_emulator(0, latency, accounts=accounts)
    folder, ids = workshop.make_folder(), projects.name_accounts(accounts)
    projects.write_fleet(folder, emulator.url, ids)
    projects.write_meters(folder, 1)
    _, sent = apply_and_undo(emulator, folder, 1, "--account", f"partners/{ids[0]}")
    batches = [floors.Batch(sent, account) for account in ids]

    def floor(_: Sample) -> Sample:
        sample = floors.send_batches(emulator.address, batches, THREADS)
        emulator.take_requests()
        emulator.reset()
        return sample

    title = f"the same requests, {THREADS} threads"
    return Case(lambda: apply(emulator, folder, accounts, "--account", "*", *words), floor, title)
