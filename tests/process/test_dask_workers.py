"""What a Dask cluster is asked for: TLS, workers of this version, others in place of lost ones."""

from __future__ import annotations

import signal
import threading
from pathlib import Path

import pytest
from builders.fleet import name_accounts
from process.children import TIMEOUT
from process.dask_world import NEEDS_DASK, codes, ends

from reconciler.emulator import Phase

PEM = str(Path(__file__).parents[1] / "cli" / "loopback.pem")
TLS = "DASK_DISTRIBUTED__COMM__TLS__"
ROLES = ("SCHEDULER", "WORKER", "CLIENT")
CERTIFICATES = {f"{TLS}{role}__{what}": PEM for role in ROLES for what in ("CERT", "KEY")} | {
    f"{TLS}CA_FILE": PEM,
    "DASK_DISTRIBUTED__COMM__REQUIRE_ENCRYPTION": "true",
}
PRELOAD = "DASK_DISTRIBUTED__WORKER__PRELOAD"

pytestmark = NEEDS_DASK


def kill_at_posts(world, phase: Phase, times: int) -> None:
    """Kill the only worker at the first requests that write, before or after their effect."""
    left = iter(range(times))

    def reached(moment) -> None:
        if (moment.request.method, moment.phase) == ("POST", phase) and next(
            left, None
        ) is not None:
            assert world.dask.kill_workers() == 1
            if phase is Phase.BEFORE:
                raise ConnectionAbortedError

    world.fleet.server.reached = reached


def test_an_account_is_given_up_after_three_lost_workers(build):
    """Each is replaced by a new one, which does the work of the next run after one more loss."""
    (id_,) = name_accounts(1)
    world = build([id_], workers=1)
    kill_at_posts(world, Phase.BEFORE, times=3)
    first = world.run("apply", "--yes")
    assert (first.code, ends(first), codes(first)) == (5, {id_: 5}, {id_: {"A015"}})
    (said,) = first.document["accounts"][0]["diagnostics"]
    assert said["message"].startswith(f"what became of account 'partners/{id_}' is not known: the ")
    assert said["message"].endswith(" was lost")
    assert (world.fleet.active(), len(world.fleet.server.log.posts)) == ({id_: 0}, 0)

    kill_at_posts(world, Phase.AFTER, times=1)
    second = world.run("apply", "--yes")
    assert (second.code, codes(second), world.fleet.active()) == (0, {id_: {"A016"}}, {id_: 1})
    assert len(world.fleet.server.log.posts) == 1
    assert second.document["accounts"][0]["changes"][0]["action"] == "unchanged"


def test_a_second_signal_ends_the_command_and_not_the_work(build):
    """Every account is in the report; those in progress are finished by their worker."""
    ids = name_accounts(4)
    world = build(ids, workers=1)
    begun, released, done = threading.Semaphore(0), threading.Event(), threading.Semaphore(0)

    def reached(moment) -> None:
        if moment.request.method == "POST":
            if moment.phase is Phase.AFTER:
                done.release()
            else:
                begun.release()
                released.wait(TIMEOUT)

    world.fleet.server.reached = reached
    child = world.start("apply", "--yes", "--concurrency", "2")
    try:
        for _ in range(2):
            assert begun.acquire(timeout=TIMEOUT)
        child.stop(signal.SIGINT)
        child.process.send_signal(signal.SIGINT)
        ended = child.end()
        assert not released.is_set()
    finally:
        released.set()
    assert (ended.code, ended.document["exit_code"]) == (130, 130)
    assert "second signal" in ended.document["diagnostics"][0]["message"]
    assert ends(ended) == dict.fromkeys(ids, 130)
    assert [each for each, found in codes(ended).items() if "A014" in found] == ids[2:]
    for _ in range(2):
        assert done.acquire(timeout=TIMEOUT)
    assert world.fleet.active() == {id_: int(id_ in ids[:2]) for id_ in ids}


@pytest.mark.parametrize(
    ("preload", "has"),
    [
        ("import reconciler._version as it\nit.__version__ = '0.0.1'\n", "has version 0.0.1, "),
        ("import sys\nsys.modules['reconciler'] = None\n", "does not have this tool, "),
    ],
)
def test_a_worker_of_another_version_is_not_used(preload, has, build):
    """No account is read."""
    world = build(name_accounts(2), workers=1, environment={PRELOAD: repr([preload])})
    ended = world.run("apply", "--yes")
    (said,) = ended.document["diagnostics"]
    assert (ended.code, said["code"], ended.document["accounts"]) == (1, "E009", [])
    assert f" {has}this is version " in said["message"]
    assert list(world.fleet.server.log) == []


def test_a_cluster_behind_tls(build, monkeypatch, tmp_path):
    """With the certificates of Dask's configuration; without, what is wrong is said at once."""
    ids = name_accounts(2)
    world = build(ids, workers=1, protocol="tls", environment=CERTIFICATES)
    other = tmp_path / "text.pem"
    other.write_text("no certificate\n")
    assert world.dask.address.startswith("tls://")

    def refuse(address: str, **changed: str | None) -> str:
        with monkeypatch.context() as changing:
            for name, value in {**CERTIFICATES, **changed}.items():
                changing.delenv(name, raising=False)
                if value is not None:
                    changing.setenv(name, value)
            ended = world.run("plan", "--dask", address)
        (said,) = ended.document["diagnostics"]
        assert (ended.code, said["code"]) == (1, "E008")
        assert said["message"].startswith(f"{address}: ")
        return said["message"].removeprefix(f"{address}: ")

    tls, tcp = world.dask.address, world.dask.address.replace("tls:", "tcp:")
    lacking = "the configuration of Dask lacks `ca-file` or `client.cert`"
    assert refuse(tls, **{f"{TLS}CA_FILE": None}) == lacking
    assert "No such file" in (said := refuse(tls, **{f"{TLS}CA_FILE": "/nonexistent/ca.pem"}))
    assert said.startswith("Dask cannot use its TLS configuration: ")
    assert "(ca-file '/nonexistent/ca.pem', client.cert " in said
    assert f"client.cert {str(other)!r}" in refuse(tls, **{f"{TLS}CLIENT__CERT": str(other)})
    assert "encryption required" in refuse(tcp)
    (tmp_path / "dask.yaml").write_text("distributed: [\n")
    assert "is malformed, " in refuse(tls, DASK_CONFIG=str(tmp_path / "dask.yaml"))
    assert list(world.fleet.server.log) == []

    for name, value in CERTIFICATES.items():
        monkeypatch.setenv(name, value)
    ended = world.run("apply", "--yes")
    assert (ended.code, world.fleet.active()) == (0, dict.fromkeys(ids, 1))
