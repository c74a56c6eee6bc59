"""What the same requests take without this tool: `http.client`, and nothing else."""

from __future__ import annotations

import json
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from http.client import HTTPConnection
from queue import Empty, SimpleQueue
from typing import Any
from urllib.parse import urlencode

from .emulator import Sent
from .processes import BenchmarkError, Sample

METERS = "/v1/billing/meters"


@dataclass(frozen=True, slots=True)
class Batch:
    """Requests that follow each other, all for one account: None is that of the key."""

    requests: Sequence[Sent]
    account: str | None = None


def list_meters(address: str) -> Sample:
    """Read every page of the meters over one connection, one after another."""
    began, cpu, pages = time.perf_counter(), time.process_time(), 0
    connection = HTTPConnection(address)
    params: dict[str, Any] = {"limit": 100}
    while True:
        page = _send(connection, Sent("GET", METERS, params, 200), None)
        pages += 1
        if not page["has_more"]:
            break
        params["starting_after"] = page["data"][-1]["id"]
    connection.close()
    return Sample(time.perf_counter() - began, time.process_time() - cpu, requests=pages)


def send_batches(address: str, batches: Iterable[Batch], threads: int) -> Sample:
    """Send batches on so many threads, each with a connection of its own."""
    waiting: SimpleQueue[Batch] = SimpleQueue()
    for batch in batches:
        waiting.put(batch)
    began, cpu = time.perf_counter(), time.process_time()
    with ThreadPoolExecutor(threads) as pool:
        sent = sum(pool.map(lambda _: _work(address, waiting), range(threads)))
    return Sample(time.perf_counter() - began, time.process_time() - cpu, requests=sent)


def _work(address: str, waiting: SimpleQueue[Batch]) -> int:
    connection, sent = HTTPConnection(address), 0
    for batch in _drain(waiting):
        for request in batch.requests:
            _send(connection, request, batch.account)
        sent += len(batch.requests)
    connection.close()
    return sent


def _drain(waiting: SimpleQueue[Batch]) -> Iterator[Batch]:
    while True:
        try:
            yield waiting.get_nowait()
        except Empty:
            return


def _send(connection: HTTPConnection, sent: Sent, account: str | None) -> Any:
    """Send a request, and return the JSON of its answer."""
    headers = {"Authorization": "Bearer sk_test_emulator"}
    if account:
        headers["Stripe-Account"] = account
    form = urlencode(list(_flatten(sent.params)))
    if sent.method == "GET":
        connection.request("GET", f"{sent.path}?{form}" if form else sent.path, None, headers)
    else:
        headers["Content-Type"] = "application/x-www-form-urlencoded"
        connection.request(sent.method, sent.path, form, headers)
    response = connection.getresponse()
    answer = response.read()
    if response.status != sent.status:
        raise BenchmarkError(f"{sent.method} {sent.path}: {response.status} {answer.decode()}")
    return json.loads(answer)


def _flatten(params: Mapping[str, Any], inside: str = "") -> Iterator[tuple[str, str]]:
    """Yield the fields of a form, as Stripe nests them."""
    for name, value in params.items():
        key = f"{inside}[{name}]" if inside else name
        if isinstance(value, Mapping):
            yield from _flatten(value, key)
        else:
            yield key, str(value)
