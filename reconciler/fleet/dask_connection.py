"""Connect to the scheduler of a Dask cluster, and check its workers."""

from __future__ import annotations

import asyncio
import pydoc
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from distributed import Client
from distributed.comm import CommClosedError
from distributed.security import Security

from .._version import __version__
from ..diagnostics.codes import environment
from ..diagnostics.errors import ServiceError
from ..diagnostics.shorten import shorten

PATIENCE = 15.0
"""Seconds for an answer of the scheduler or of the workers at the start of a run."""

_ENCRYPTED = ("tls://", "wss://")
_VERSION = "reconciler._version.__version__"


@contextmanager
def explaining_errors(address: str) -> Iterator[None]:
    """Raise ServiceError (E008) for what goes wrong in the block."""
    try:
        yield
    except ServiceError:
        raise
    except (Exception, asyncio.CancelledError) as error:
        closed = isinstance(error, CommClosedError) and error.__cause__
        why = shorten(str(closed or error) or type(error).__name__)
        raise ServiceError(environment.DASK_UNAVAILABLE(f"{address}: {why}")) from None


def build_client(address: str) -> Client:
    """Return a client that is not connected yet; raise ServiceError (E008)."""
    return Client(
        address,
        security=_read_security(address),
        asynchronous=True,
        timeout=PATIENCE,
        set_as_default=False,
        name="reconciler",
    )


def _read_security(address: str) -> Security:
    """Return the TLS settings of Dask's configuration, whose files can be used."""
    try:
        security = Security()
        encrypted = security.get_connection_args("client")["ssl_context"] is not None
    except Exception as error:
        why = f"Dask cannot use its TLS configuration: {shorten(str(error))}"
        named = _name_files(security) if isinstance(error, OSError) else ""
        raise ServiceError(environment.DASK_UNAVAILABLE(f"{address}: {why}{named}")) from None
    if address.startswith(_ENCRYPTED) and not encrypted:
        why = "the configuration of Dask lacks `ca-file` or `client.cert`"
        raise ServiceError(environment.DASK_UNAVAILABLE(f"{address}: {why}"))
    return security


def _name_files(security: Security) -> str:
    """Return the names of the TLS files; what is given as text, such as a key, is left out."""
    given = {
        "ca-file": security.tls_ca_file,
        "client.cert": security.tls_client_cert,
        "client.key": security.tls_client_key,
    }
    files = [f"{name} {value!r}" for name, value in given.items() if value and "\n" not in value]
    return f" ({', '.join(files)})" if files else ""


async def connect(client: Client) -> list[str]:
    """Connect; return the workers, which have this version, or raise ServiceError (E009)."""
    await asyncio.wait_for(client, 2 * PATIENCE)
    await client.wait_for_workers(1, timeout=PATIENCE)
    present = await asyncio.wait_for(find_workers(client), PATIENCE)
    _check_versions(await asyncio.wait_for(read_versions(client, present), PATIENCE))
    return present


def _check_versions(versions: dict[str, object]) -> None:
    """Raise ServiceError (E009) if a worker does not have the version of this process."""
    others = {at: version for at, version in versions.items() if version != __version__}
    if others:
        address, version = next(iter(others.items()))
        has = f"has version {version}" if isinstance(version, str) else "does not have this tool"
        more = f", and {len(others) - 1:,} more differ" if len(others) > 1 else ""
        message = f"the Dask worker {address} {has}, this is version {__version__}{more}"
        raise ServiceError(environment.DASK_VERSIONS(message))


async def find_workers(client: Client) -> list[str]:
    """Return the addresses of the workers that are there now."""
    return list(await client.nthreads())


async def read_versions(client: Client, workers: Sequence[str]) -> dict[str, object]:
    """Return the version of this tool on each worker; another object where there is none."""
    return dict(await client.run(pydoc.locate, _VERSION, workers=list(workers), on_error="return"))
