"""A project folder and, where one is asked for, an emulator that its account is."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from builders.in_process import without_sockets
from cli.fleet_world import NAMES, Fleet
from cli.world import World
from conftest import Run
from virtual import VirtualClock

from reconciler.emulator import Server, Settings, open_state

KEY = "sk_test_emulator"


@pytest.fixture
def over_http() -> None:
    """Every case of the test reaches the emulator over HTTP."""


@pytest.fixture(autouse=True)
def _sockets(request: pytest.FixtureRequest) -> Iterator[None]:
    """Let a test with many cases do without sockets after its first one."""
    call = getattr(request.node, "callspec", None)
    if call and any(call.indices.values()) and "over_http" not in request.fixturenames:
        with without_sockets():
            yield
    else:
        yield


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
