"""A folder with a project in it, and the emulator behind its account."""

from __future__ import annotations

import json
import signal
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from conftest import Ran
from published import held

from reconciler.emulator import Phase, Reached, Server

SEATS = "{event_name: seats, display_name: Seats, default_aggregation: {formula: count}}"
CALLS = "{event_name: calls, display_name: Calls, default_aggregation: {formula: sum}}"
RETIRED = SEATS.replace("seats,", "seats, status: inactive,")
REPLACED = SEATS.replace("seats,", "seats, retires: [mtr_old],")


def existing(
    name: str, display_name: str, formula: str = "count", **more: object
) -> dict[str, object]:
    """A meter of a seed."""
    return {
        "event_name": name,
        "display_name": display_name,
        "default_aggregation": {"formula": formula},
        **more,
    }


def account_of(ran: Ran) -> dict[str, Any]:
    """The one account of a JSON report."""
    (account,) = held(ran.out)["accounts"]
    return account


@dataclass(frozen=True, slots=True)
class World:
    """Files on one side, an account on the other."""

    folder: Path
    server: Server

    def write(self, meters: str, policy: str = "{}", **account: object) -> None:
        """One meter file (its entries in flow style), and a project file with one account."""
        entry = {"api_key_env": "SANDBOX_KEY", "api_base": self.server.url, **account}
        project = (
            f'version: 1\nmeters: ["meters.yaml"]\npolicy: {policy}\n'
            f"accounts:\n  sandbox: {json.dumps(entry)}\n"
        )
        self.file("reconciler.yaml", project)
        listed = "".join(f"  - {line}\n" for line in meters.splitlines() if line.strip())
        self.file("meters.yaml", f"version: 1\nmeters:{chr(10) + listed if listed else ' []'}\n")

    def add_account(self, name: str, api_key_env: str = "NOT_SET") -> None:
        """Another account of the project, by default without a key."""
        project = (self.folder / "reconciler.yaml").read_text("utf-8")
        self.file("reconciler.yaml", f"{project}  {name}: {{api_key_env: {api_key_env}}}\n")

    def file(self, name: str, text: str) -> Path:
        path = self.folder / name
        path.write_text(text, "utf-8")
        return path

    def at(
        self,
        act: Callable[[], object],
        method: str = "POST",
        path: str = "",
        phase: Phase = Phase.BEFORE,
    ) -> list[str]:
        """Do something once, before or after the effect of the first such request.

        `path` is the end of its path. Returns a list that then holds the path: the control.
        """
        happened: list[str] = []

        def reached(moment: Reached) -> None:
            request = moment.request
            if (request.method, moment.phase) == (method, phase) and request.path.endswith(path):
                self.server.reached = lambda _: None
                happened.append(request.path)
                act()

        self.server.reached = reached
        return happened

    def interrupt(self, number: int) -> None:
        """Send a signal to the main thread; returns when the run has received it.

        Of a signal to the process, the system may interrupt another thread: then the main thread
        would go on waiting for the response to this very request.
        """
        signal.pthread_kill(threading.main_thread().ident or 0, number)
        while not self.server.clock.stopped():
            time.sleep(0.001)  # the main thread receives it

    def posts(self) -> list[str]:
        """The paths of every POST that the account has seen."""
        return [entry.path for entry in self.server.log.posts]
