"""Shards, resumed runs and folders of plans with the connected accounts of a platform."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from fnmatch import fnmatchcase
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


def write_hashes(run):
    """Write the plan_hash of each account to a file."""
    accounts = held(run("plan", *ALL).out)["accounts"]
    hashes = {each["account"]["name"]: each["plan_hash"] for each in accounts}
    Path("hashes.json").write_text(json.dumps(hashes))


@pytest.mark.parametrize("fault", ["500:path=/v1/accounts", "garbage:path=/v1/accounts:status=403"])
@pytest.mark.parametrize(
    "words",
    [
        ["--plan", "plans"],
        ["--plan", "plans/partners%2Facct_0001.json"],
        ["--plan", "plans", "--account", "partners/*_0002"],
        ["--yes", "--account", "partners", "--expect", "hashes.json"],
        ["--yes", "--account", "partners", "--expect", "0" * 64],
    ],
)
def test_a_list_that_cannot_be_read_is_the_error_of_an_apply_too(words, fault, platform, run):
    """Neither a plan for an unknown account, nor a hash that is missing."""
    made = platform()
    run("plan", *ALL, "--save", "plans")
    write_hashes(run)
    made.server.arm(fault)
    made.server.log.clear()
    planned = run("plan", *ALL)
    requests = len(list(made.server.log))
    ran = run("apply", *words, "--format", "json")
    document = held(ran.out)
    assert (ran.code, names(document), document["diagnostics"]) == (planned.code, ["partners"], [])
    assert find_codes(document) == find_codes(held(planned.out))
    assert len(list(made.server.log)) == 2 * requests
    assert made.server.log.posts == []


def find_codes(document):
    """The codes of the only account."""
    (account,) = document["accounts"]
    return [each["code"] for each in account["diagnostics"]]


def test_other_accounts_are_applied_where_one_list_cannot_be_read(platform, run, monkeypatch):
    """The plans of the entry are left for the next run."""
    made = platform()
    project = Path("reconciler.yaml")
    project.write_text(f"{project.read_text()}  own: {{emulator: own.json}}\n")
    words = ("--account", "*", "--format", "json")
    run("plan", *words, "--save", "plans")
    monkeypatch.delenv("PLATFORM_KEY")
    document = held(run("apply", "--plan", "plans", "--format", "json").out)
    assert {a["account"]["name"]: a["exit_code"] for a in document["accounts"]} == {
        "own": 0,
        "partners": 6,
    }
    one = held(run("apply", "--plan", "plans", "--account", "own", "--format", "json").out)
    assert (names(one), one["exit_code"]) == (["own"], 0)
    assert made.server.log.posts == []


@pytest.mark.parametrize(
    "words",
    [
        ["apply", "--plan", "plans", "--account", "partners/*_0003"],
        ["compare", "partners/acct_0001", "partners/acct_0002"],
    ],
)
def test_connected_accounts_are_listed_once_in_a_run(words, platform, run):
    made = platform()
    run("plan", *ALL, "--save", "plans")
    made.server.log.clear()
    assert run(*words).code == 0
    assert [entry.path for entry in made.server.log].count("/v1/accounts") == 1


def test_a_saved_plan_of_an_account_that_is_no_longer_connected_is_refused(platform, run):
    """A name is looked up as it is: what is a glob in it matches no other account."""
    platform()
    run("plan", "--account", "partners/acct_0001", "--save", "plans/")
    Path("reconciler.yaml").write_text(
        Path("reconciler.yaml").read_text().replace('"all"', '["acct_0002"]')
    )
    ran = run("apply", "--plan", "plans", "--format", "json")
    (said,) = held(ran.out)["diagnostics"]
    assert (ran.code, "no account 'partners/acct_0001'" in said["message"]) == (3, True)


def test_the_accounts_of_saved_plans_are_looked_up_and_not_matched(platform, run, monkeypatch):
    """Matching ten thousand names with each other as globs takes minutes."""
    platform()
    run("plan", *ALL, "--save", "plans")
    matched = []

    def match(name, pattern):
        matched.append(pattern)
        return fnmatchcase(name, pattern)

    monkeypatch.setattr("reconciler.model.pattern.fnmatchcase", match)
    assert run("apply", "--plan", "plans").code == 0
    assert sum("acct_" in pattern for pattern in matched) <= len(IDS)


def test_the_meters_of_the_platform_itself_are_not_read(platform, run):
    """Its entry is the only one of the project, but covers other accounts."""
    made = platform()
    assert run("plan", "--account", "partners", "--format", "json").code == 0
    listed = [entry.account for entry in made.server.log if entry.path == "/v1/billing/meters"]
    assert set(listed) == set(IDS)


def test_the_history_of_an_entry_is_that_of_its_accounts(platform, run):
    """Also of one that is no longer connected; events are read of those that are."""
    made = platform()
    assert run("apply", *ALL, "--yes").code == 0
    text = Path("reconciler.yaml").read_text()
    Path("reconciler.yaml").write_text(text.replace('"all"', json.dumps(IDS[:1])))
    made.server.log.clear()

    def read(pattern, *words):
        ran = run("history", "--account", pattern, *words, "--format", "json")
        assert ran.code == 0, ran
        return sorted(each["account"]["name"] for each in held(ran.out)["runs"])

    every = [f"partners/{id_}" for id_ in IDS]
    assert read("partners") == read("partners/*") == every
    assert read(every[-1]) == every[-1:]
    assert not made.server.log
    assert read("partners", "--meter", "calls") == every
    read_of = {entry.account for entry in made.server.log if entry.path == "/v1/events"}
    assert read_of == {IDS[0]}
