"""A project in a checkout, its account on the emulator, a fake GitHub, and a runner."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator

import pytest
from action.runner import Runner, write_event
from cli.conftest import world  # noqa: F401 - a fixture
from publish.fake_host import FakeHost, serve

REPOSITORY = "acme/billing"

PULL = {"number": 7, "head": {"sha": "b" * 40, "repo": {"full_name": REPOSITORY}}}


@pytest.fixture
def github() -> Iterator[FakeHost]:
    with serve() as host:
        yield host


@pytest.fixture
def runner(github: FakeHost, tmp_path_factory, capfd, monkeypatch, clock) -> Callable[..., Runner]:
    """`runner(folder, event, payload)`: a job of that event in the folder of a world.

    Its steps run in this process, unless `bash=True`.
    """
    for name in ("reconciler.cli.main.SystemClock", "reconciler.action.__main__.SystemClock"):
        monkeypatch.setattr(name, lambda *_: clock)

    runs = itertools.count(501)

    def build(folder, event="pull_request", payload=None, *, bash=False, **environ) -> Runner:
        payload = {"pull_request": PULL} if payload is None else payload
        job = tmp_path_factory.mktemp("runner")
        known = {
            "CI": "true",
            "GITHUB_ACTIONS": "true",
            "GITHUB_ACTOR": "maya",
            "GITHUB_API_URL": github.url,
            "GITHUB_EVENT_NAME": event,
            "GITHUB_EVENT_PATH": write_event(job, payload),
            "GITHUB_JOB": "meters",
            "GITHUB_REPOSITORY": REPOSITORY,
            "GITHUB_RUN_ID": str(next(runs)),
            "GITHUB_SHA": "a" * 40,
            "HOME": str(job),
            "SANDBOX_KEY": "sk_test_emulator",
            "LIVE_KEY": "sk_test_emulator",
        }
        read = None if bash else lambda: "".join(capfd.readouterr())
        return Runner(folder, job, {**known, **environ}, read=read, artifacts=github.artifacts)

    return build
