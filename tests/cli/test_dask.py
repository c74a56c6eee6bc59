"""`--dask` without a cluster: its options, and the part of a run that a worker does."""

from __future__ import annotations

import pickle
import sys
from functools import partial
from pathlib import Path
from types import SimpleNamespace

import pytest
from builders.fleet import fleet_world, name_accounts
from msgspec.structs import replace
from published import held

from reconciler.config import load
from reconciler.fleet.apply_account import ApplyOptions, apply_account
from reconciler.fleet.dask_worker import (
    Job,
    Outcome,
    _Run,
    _work_on,
    begin_run,
    end_run,
    share_limits,
)
from reconciler.history import journal
from reconciler.operations.session import Network

KEY = "sk_test_emulator"


@pytest.fixture
def world(tmp_path: Path, monkeypatch, clock):
    """Two connected accounts."""
    monkeypatch.setenv("PLATFORM_KEY", KEY)
    monkeypatch.chdir(tmp_path)
    with fleet_world(tmp_path, name_accounts(2), clock) as made:
        made.write(name_accounts(2), platform_rate_limit=80)
        yield made


def refuse(run, *words: str) -> tuple[int, dict[str, str]]:
    """The exit code and the only diagnostic of a run that begins no account."""
    ran = run(*words, "--account", "partners", "--format", "json")
    document = held(ran.out)
    assert document["accounts"] == []
    (only,) = document["diagnostics"]
    return ran.code, only


@pytest.mark.parametrize("command", ["plan", "drift", "apply"])
def test_without_dask_the_package_to_install_is_named(command, world, run, monkeypatch):
    """It is an extra."""
    monkeypatch.setitem(sys.modules, "distributed", None)
    monkeypatch.delitem(sys.modules, "reconciler.fleet.dask_cluster", raising=False)
    sure = ["--yes"] if command == "apply" else []
    code, said = refuse(run, command, *sure, "--dask", "127.0.0.1:8786")
    assert (code, said["code"]) == (1, "E007")
    assert "pip install 'meter-reconciler[dask]'" in said["hint"]
    assert list(world.server.log) == []


@pytest.mark.parametrize(
    "address", ["", "localhost", "http://127.0.0.1:1", "tcp://u:p@host:1", "tcp://a b:1", "x:port"]
)
def test_an_address_has_a_host_and_a_port(address, world, run):
    """A usage error otherwise."""
    code, said = refuse(run, "plan", "--dask", address)
    assert code == 64
    assert "such as tcp://127.0.0.1:8786" in said["message"]


def test_apply_cannot_ask(world, run):
    """The plans are made elsewhere."""
    code, said = refuse(run, "apply", "--dask", "127.0.0.1:8786")
    assert (code, said["code"]) == (64, "U002")


def test_an_account_in_a_file_of_this_machine_is_refused(world, run):
    """Its state is not where the workers are."""
    text = 'version: 1\nmeters: [meters.yaml]\naccounts: {partners: {emulator: ".reconciler/a"}}\n'
    world.file("reconciler.yaml", text)
    code, said = refuse(run, "plan", "--dask", "127.0.0.1:8786")
    assert code == 64
    assert "'partners' is a file of this machine" in said["message"]


def build_job(world) -> Job:
    """The job of an apply on both accounts."""
    project = load(str(world.folder))
    return Job(
        work=partial(apply_account, ApplyOptions()),
        project=project,
        accounts=project.accounts[0].expand(name_accounts(2)),
        side_by_side=2,
    )


def work(job: Job, clock) -> Outcome:
    """What a worker makes of the first account."""
    with Network(clock) as network:
        return _work_on(job, _Run(network), "tcp://worker:1", 0)


def test_a_job_can_be_sent_and_has_no_key(world):
    """It names the variable of the key."""
    data = pickle.dumps(build_job(world))
    assert (KEY.encode() in data, b"PLATFORM_KEY" in data) == (False, True)
    assert pickle.loads(data).accounts == build_job(world).accounts


def test_a_worker_without_the_folder_sends_the_journal_back(world, clock):
    """It is then added to that of the caller."""
    job = build_job(world)
    away = work(replace(job, project=replace(job.project, root="/not/here")), clock)
    assert (away.report.exit_code, world.active()["acct_0001"]) == (0, 1)
    folder = world.folder / ".reconciler"
    assert not folder.exists()
    assert journal.append_entries(folder, away.journal, clock) == ()
    kinds = [entry["kind"] for entry in journal.read(folder)[0]]
    assert kinds == ["run", "request", "response", "result", "end"]
    assert KEY.encode() not in away.journal


def test_a_journal_that_cannot_be_added_to_is_a_warning(world, clock):
    """The changes were made."""
    world.file(".reconciler", "")
    (said,) = journal.append_entries(world.folder / ".reconciler", b"{}\n", clock)
    assert (said.code, said.level) == ("J003", "warning")


def test_a_worker_in_the_folder_writes_the_journal_there(world, clock):
    """As every other run."""
    assert work(build_job(world), clock).journal == b""
    assert journal.read(world.folder / ".reconciler")[0][-1]["kind"] == "end"


@pytest.mark.parametrize("value", [None, "", " "])
def test_a_key_is_looked_up_where_the_work_is_done(value, world, clock, monkeypatch):
    """What is missing is named, with the worker."""
    if value is None:
        monkeypatch.delenv("PLATFORM_KEY")
    else:
        monkeypatch.setenv("PLATFORM_KEY", value)
    report = work(build_job(world), clock).report
    (said,) = report.diagnostics
    assert (report.exit_code, said.code) == (6, "S001")
    assert "PLATFORM_KEY is not set on the Dask worker tcp://worker:1" in said.message
    assert list(world.server.log) == []


def test_no_account_begins_to_write_after_the_end_of_its_run(world, clock):
    """Its plan may have been made by then."""
    with Network(clock) as network:
        run = _Run(network)
        run.stopped = True
        outcome = _work_on(build_job(world), run, "tcp://worker:1", 0)
    assert outcome.report.exit_code == 130
    assert world.server.log.posts == []


def test_the_limit_of_a_platform_is_divided_among_the_workers(world):
    """Accounts with a key of their own keep theirs."""
    (entry,) = load(str(world.folder)).accounts
    accounts = (*entry.expand(name_accounts(2)), replace(entry, connected=None))
    first, second, own = share_limits(accounts, 4)
    assert first.platform is second.platform
    assert first.platform
    assert first.platform.rate_limit == 20
    assert own is accounts[2]


class Profiler:
    """The part of Dask's periodic callback that counts here."""

    running = True

    def is_running(self) -> bool:
        return self.running

    def start(self) -> None:
        assert not self.running
        self.running = True

    def stop(self) -> None:
        self.running = False


@pytest.mark.parametrize(("version", "runs"), [((3, 11, 9), False), ((3, 12, 0), True)])
def test_the_profiler_of_a_worker_is_stopped_where_it_can_block(version, runs, monkeypatch):
    """Until the end of all runs; a worker may be without one."""
    monkeypatch.setattr(sys, "version_info", version)
    worker = SimpleNamespace(periodic_callbacks={"profile": Profiler()})
    for run in ("one", "two"):
        begin_run(run, worker)
        assert worker.periodic_callbacks["profile"].running is runs
    end_run("one", worker)
    assert worker.periodic_callbacks["profile"].running is runs
    for _ in range(2):
        end_run("two", worker)
        assert worker.periodic_callbacks["profile"].running
    begin_run("three", SimpleNamespace(periodic_callbacks={}))
    end_run("three", SimpleNamespace(periodic_callbacks={}))
