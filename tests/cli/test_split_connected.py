"""Shards, resumed runs and folders of plans with the connected accounts of a platform."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from builders.fleet import FleetWorld, fleet_world, name_accounts
from cli.fleet_world import names
from published import held

IDS = name_accounts(9)
ALL = ("--account", "partners", "--format", "json")


@pytest.fixture
def platform(tmp_path: Path, monkeypatch, clock) -> Iterator[Callable[..., FleetWorld]]:
    """`platform()`: an entry with all connected accounts of a platform."""
    monkeypatch.setenv("PLATFORM_KEY", "sk_test_emulator")
    monkeypatch.chdir(tmp_path)
    with ExitStack() as stack:

        def build(**entry: Any) -> FleetWorld:
            made = stack.enter_context(fleet_world(tmp_path, IDS, clock, {}))
            made.write("all", **entry)
            return made

        yield build


def run_shards(run, count, *words):
    """Run every shard; return the files of the reports."""
    files = [Path(f"shard-{n}.json") for n in range(1, count + 1)]
    for n, file in enumerate(files, 1):
        shard = ("--shard", f"{n}/{count}", "--out", f"json={file}", "--quiet")
        run(*words, "--account", "partners", *shard)
    return files


def test_the_shards_of_a_platform_apply_every_account_once(platform, run):
    made = platform()
    files = run_shards(run, 3, "apply", "--yes")
    document = held(run("merge", *files, "--format", "json").out)
    assert names(document) == [f"partners/{id_}" for id_ in IDS]
    assert (document["exit_code"], document["complete"]) == (0, True)
    assert made.active() == dict.fromkeys(IDS, 1)


def test_plans_of_connected_accounts_are_files_of_one_folder(platform, run):
    made = platform()
    assert run("plan", *ALL, "--save", "plans").code == 0
    assert {file.name for file in Path("plans").iterdir()} == {
        f"partners%2F{id_}.json" for id_ in IDS
    }
    assert run("apply", "--plan", "plans").code == 0
    assert made.active() == dict.fromkeys(IDS, 1)


def test_a_list_that_cannot_be_read_fails_in_every_shard(platform, run, monkeypatch):
    """No shard looks empty because its accounts are not known, and the joined report says so."""
    platform()
    files = run_shards(run, 3, "plan")
    monkeypatch.delenv("PLATFORM_KEY")
    broken = run_shards(run, 3, "plan")
    reports = [json.loads(file.read_text()) for file in broken]
    assert [report["exit_code"] for report in reports] == [6, 6, 6]
    ran = run("merge", *broken, "--format", "json")
    assert (ran.code, names(held(ran.out))) == (6, ["partners"])
    assert files == broken


def test_a_failed_account_of_a_platform_is_resumed_alone(platform, run):
    """What succeeded sends no further request."""
    made = platform()
    run("apply", "--yes", "--account", "partners", "--quiet", "--out", "json=first.json")
    data = json.loads(Path("first.json").read_text())
    data["accounts"][4] |= {"exit_code": 1, "complete": False}
    Path("first.json").write_text(json.dumps(data | {"exit_code": 1, "complete": False}))
    sent = len(made.server.log.posts)
    document = held(run("apply", "--yes", *ALL, "--resume", "first.json").out)
    done = [a["account"]["name"] for a in document["accounts"] if not a.get("carried_over")]
    assert done == [f"partners/{IDS[4]}"]
    assert (document["exit_code"], len(made.server.log.posts)) == (0, sent)
