"""The project of twenty lines, its account, and a hook at either side of every request."""

from __future__ import annotations

import json
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from builders.fleet import fleet_world
from process import dask_world, twenty

from reconciler.clock import SystemClock
from reconciler.diagnostics.codes.journal import DAMAGED
from reconciler.emulator import Phase, Reached, Server, open_state
from reconciler.history import journal

Hook = Callable[[int, Reached], None]


@dataclass(slots=True)
class Stand:
    """A project folder and an emulated account, with a hook around every request.

    The hook is given the moment, and the number of the request among those of its method.
    """

    folder: Path
    server: Server
    hook: Hook = lambda number, moment: None
    numbers: dict[str, dict[int, int]] = field(default_factory=lambda: {"GET": {}, "POST": {}})
    lock: Any = field(default_factory=threading.Lock)

    def reached(self, moment: Reached) -> None:
        numbers = self.numbers[moment.request.method]
        with self.lock:
            number = numbers.setdefault(moment.number, len(numbers) + 1)
        self.hook(number, moment)

    def at(self, number: int, phase: Phase, act: Hook, method: str = "POST") -> threading.Event:
        """Act at one moment; what is returned is set once that is over."""
        over = threading.Event()

        def hook(at: int, moment: Reached) -> None:
            if (moment.request.method, at, moment.phase) == (method, number, phase):
                try:
                    act(at, moment)
                finally:
                    over.set()

        self.hook = hook
        return over

    @property
    def posts(self) -> int:
        """How many requests that write have arrived."""
        return len(self.numbers["POST"])

    def lose(self, moment: Reached) -> None:
        """From a hook before the effect: the request never arrived."""
        with self.server.lock:
            account = self.server.state.ledger.account.id
            self.server.state.in_use.discard((account, moment.request.key or ""))
        raise ConnectionAbortedError

    @property
    def meters(self) -> dict[str, dict[str, Any]]:
        with self.server.lock:
            return json.loads(json.dumps(self.server.state.ledger.meters))

    @property
    def effects(self) -> Counter[tuple[str, str]]:
        """How often what happened to each meter, as the account's events tell."""
        with self.server.lock:
            events = list(self.server.state.ledger.events.values())
        return Counter((event["data"]["object"]["id"], event["type"]) for event in events)

    @property
    def state_folder(self) -> Path:
        return self.folder / ".reconciler"

    def journal(self, *, killed: bool = False) -> tuple[dict[str, Any], ...]:
        """Every entry of the journal, none of them damaged.

        Linux may stop a write at the end of a page if its process is killed: one entry is cut off.
        """
        entries, diagnostics = journal.read(self.state_folder)
        assert [each.code for each in diagnostics] in ([], [DAMAGED.code] * killed), diagnostics
        return entries


@pytest.fixture
def stand(tmp_path: Path) -> Iterator[Stand]:
    """The twenty lines before their first run."""
    with open_state(None, twenty.seed()) as store:
        server = Server(store)
        made = Stand(tmp_path, server)
        server.reached = made.reached
        with server:
            twenty.write(tmp_path, server.url)
            yield made


@pytest.fixture
def build(tmp_path: Path, monkeypatch) -> Iterator[Callable[..., dask_world.World]]:
    """`build(ids, ...)`: a project, its platform served over HTTP, and a Dask cluster."""
    monkeypatch.setenv("PLATFORM_KEY", dask_world.OTHER_KEY)
    with ExitStack() as stack:

        def make(
            ids, connected: object = None, meters: Mapping[str, Any] | None = None, **dask: Any
        ) -> dask_world.World:
            project = tmp_path / "project"
            project.mkdir()
            fleet = stack.enter_context(fleet_world(project, ids, SystemClock(), meters or {}))
            fleet.write(connected or list(ids))
            cluster = stack.enter_context(dask_world.dask_process(tmp_path, **dask))
            return dask_world.World(fleet, cluster)

        yield make
