"""`--dask`: let the workers of a Dask cluster do the work on the accounts of a run."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from ...diagnostics.codes import environment, usage
from ...diagnostics.errors import ServiceError, UsageError
from ...diagnostics.shorten import shorten
from ...fleet.work import Work
from ...model.project import Account, Project
from ..context import Context


@contextmanager
def place_work(
    address: str | None,
    work: Work,
    project: Project,
    accounts: tuple[Account, ...],
    concurrency: int,
    context: Context,
    *,
    writes: bool = False,
    keeps_plans: bool = False,
) -> Iterator[Work]:
    """Yield the work, done here or, with an address, on the workers of a cluster.

    Raise UsageError for accounts that only this machine has, ServiceError (E007, E008, E009) if the
    cluster cannot be used.
    """
    if address is None or not accounts:
        yield work
        return
    if emulated := [account.name for account in accounts if account.emulator]:
        message = (
            f"--dask takes no account with `emulator`: {emulated[0]!r} is a file of this machine"
        )
        hint = "select other accounts with --account"
        raise UsageError(usage.BAD_OPTIONS(message, hint=hint))
    with _explaining_imports(address):
        from ...fleet.dask_cluster import Cluster
        from ...fleet.dask_worker import Job
    job = Job(
        work=work,
        project=project,
        accounts=accounts,
        side_by_side=concurrency,
        keeps_plans=keeps_plans,
    )
    with Cluster(address, job, writes=writes, stopped=context.stop) as cluster:
        yield cluster.work_on


@contextmanager
def _explaining_imports(address: str) -> Iterator[None]:
    """Raise ServiceError (E007, E008) if Dask cannot be imported, with its configuration."""
    try:
        yield
    except ImportError as error:
        message = f"--dask cannot be used: {error}"
        raise ServiceError(environment.DASK_NOT_INSTALLED(message)) from None
    except Exception as error:
        message = f"{address}: {shorten(' '.join(str(error).split()))}"
        raise ServiceError(environment.DASK_UNAVAILABLE(message)) from None
