"""A project whose entry `partners` has many connected accounts, and the emulator behind them."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cli.world import CALLS

from reconciler.clock import Clock
from reconciler.emulator import Server, open_state

NOTHING: Mapping[str, object] = {}


@dataclass(frozen=True, slots=True)
class FleetWorld:
    """The files in a folder, and the emulated platform."""

    folder: Path
    server: Server

    def write(
        self, connected: object = "all", *, meters: str = CALLS, more: str = "", **entry: object
    ) -> None:
        """Write the project file, with one entry `partners`, and one meter file."""
        settings = {
            "api_key_env": "PLATFORM_KEY",
            "api_base": self.server.url,
            "connected_accounts": connected,
            **entry,
        }
        head = f"version: 1\nmeters: [meters.yaml]\n{more}"
        self.file("reconciler.yaml", f"{head}accounts:\n  partners: {json.dumps(settings)}\n")
        self.file("meters.yaml", f"version: 1\nmeters:\n  - {meters}\n")

    def file(self, name: str, text: str) -> Path:
        """Write a file of the project."""
        path = self.folder / name
        path.write_text(text, "utf-8")
        return path

    def active(self, event_name: str = "calls") -> dict[str, int]:
        """How many active meters of this event_name each connected account has."""
        with self.server.lock:
            ledgers = list(self.server.state.ledgers.items())[1:]
            return {
                id_: sum(
                    meter["event_name"] == event_name and meter["status"] == "active"
                    for meter in ledger.meters.values()
                )
                for id_, ledger in ledgers
            }


@contextmanager
def fleet_world(
    folder: Path,
    ids: Iterable[str],
    clock: Clock,
    meters: Mapping[str, Any] = NOTHING,
    **account: object,
) -> Iterator[FleetWorld]:
    """Serve a platform with these connected accounts; `meters` are those of some, by id."""
    connected = [{"account": {"id": id_}, "meters": meters.get(id_, [])} for id_ in ids]
    store = open_state(None, {"account": dict(account), "accounts": connected})
    with store, Server(store, clock=clock) as server:
        yield FleetWorld(folder, server)


def name_accounts(count: int) -> list[str]:
    """Return this many ids, in the order of the API's own sorting."""
    return [f"acct_{n:04}" for n in range(1, count + 1)]
