"""The emulator as a process of its own, and its control path."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.client import HTTPConnection
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from .processes import BenchmarkError, environment

CONTROL = "/_emulator"


@dataclass(frozen=True, slots=True)
class Sent:
    """A request that the emulator received, as its log has it; None is the key's own account."""

    method: str
    path: str
    params: Mapping[str, Any]
    status: int | None
    account: str | None = None


@dataclass(slots=True)
class Emulator:
    """A running emulator; `url` is where its API is.

    `moments` are the times at which it answered requests to its API, if it prints them.
    """

    url: str
    moments: list[float] = field(default_factory=list)

    @property
    def address(self) -> str:
        """Host and port."""
        return urlsplit(self.url).netloc

    def set_switches(self, **switches: str | float | None) -> None:
        """Set switches, such as `latency="50ms"`; None restores a default."""
        self._call("POST", "/switches", switches)

    def arm(self, *faults: str) -> None:
        """Inject these faults, and no others, from now on."""
        self._call("DELETE", "/faults")
        self._call("POST", "/faults", {"add": faults})

    def reset(self) -> None:
        """Restore the state of the seed."""
        self._call("DELETE", "/state")

    def read_meters(self) -> dict[str, list[dict[str, Any]]]:
        """Return the meters that are stored, of each account."""
        accounts = self._call("GET", "/state")["accounts"]
        return {each["account"]["id"]: each["meters"] for each in accounts}

    def count_requests(self) -> int:
        """Return the number of requests since the emulator started."""
        return int(self._call("GET", "")["requests"])

    def take_requests(self) -> list[Sent]:
        """Return the requests since the last call, and forget them."""
        listed = self._call("GET", "/requests")["requests"]
        self._call("DELETE", "/requests")
        names = Sent.__slots__
        return [Sent(**{name: each[name] for name in names}) for each in listed]

    def _call(self, method: str, path: str, given: Mapping[str, Any] | None = None) -> Any:
        connection = HTTPConnection(self.address)
        try:
            body = None if given is None else json.dumps(given)
            headers = {"Content-Type": "application/json"}
            connection.request(method, CONTROL + path, body, headers)
            response = connection.getresponse()
            answer = response.read()
        finally:
            connection.close()
        if response.status != 200:
            raise BenchmarkError(f"{method} {path}: {answer.decode()}")
        return json.loads(answer)


@contextmanager
def emulating(seed: Path, *, timed: bool = False) -> Iterator[Emulator]:
    """Run an emulator with a seed; `timed` notes when each request is answered."""
    words = ("emulate", "--port", "0", "--control", "--format", "json", "--seed", str(seed))
    command = [sys.executable, "-m", "reconciler", *words, *(["-v"] if timed else [])]
    with subprocess.Popen(
        command,
        cwd=seed.parent,
        env=environment(),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            emulator = Emulator(_read_url(process))
            reader = threading.Thread(target=_read_moments, args=(process, emulator))
            reader.start()
            try:
                yield emulator
            finally:
                process.terminate()
                reader.join()
        finally:
            process.terminate()


def _read_url(process: subprocess.Popen[str]) -> str:
    assert process.stdout
    text = ""
    for line in process.stdout:
        text += line
        if line == "}\n":
            return str(json.loads(text)["url"])
    raise BenchmarkError(f"the emulator did not start: {text}")


def _read_moments(process: subprocess.Popen[str], emulator: Emulator) -> None:
    """Note the time of each request to the API, as its line is printed."""
    assert process.stderr
    for line in process.stderr:
        if CONTROL not in line:
            emulator.moments.append(time.perf_counter())
