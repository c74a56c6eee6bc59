"""A project folder and, where one is asked for, an emulator that its account is."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from cli.fleet_world import NAMES, Fleet
from cli.world import World
from conftest import Run
from virtual import VirtualClock

from reconciler.emulator import Server, Settings, open_state

KEY = "sk_test_emulator"


@pytest.fixture
def world(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, clock: VirtualClock
) -> Iterator[Callable[..., World]]:
    """`world(meters, seed, ...)`: files in a folder, their account served over HTTP."""
    monkeypatch.setenv("SANDBOX_KEY", KEY)
    with ExitStack() as stack:

        def build(
            meters: str = "",
            seed: object = None,
            *,
            policy: str = "{}",
            settings: Settings | None = None,
            **account: object,
        ) -> World:
            store = stack.enter_context(open_state(None, seed))
            server = stack.enter_context(Server(store, settings, clock=clock))
            made = World(tmp_path, server)
            made.write(meters, policy, **account)
            return made

        yield build


@pytest.fixture
def fleet(tmp_path: Path, run: Run) -> Fleet:
    """A project with six accounts in a folder."""
    made = Fleet(tmp_path, run)
    made.write(*NAMES)
    return made
