"""`--shard I/N` and `merge`: a fleet in parts, and one report of all."""

from __future__ import annotations

import json
from collections import Counter

import pytest
from cli.fleet_world import NAMES, codes, names
from hypothesis import given
from hypothesis import strategies as st
from published import held

from reconciler.report.shards import find_shard

COMMANDS = ["plan", "apply", "drift"]


@given(st.lists(st.text(min_size=1), unique=True), st.integers(1, 12))
def test_every_account_is_in_exactly_one_shard(accounts, count):
    """Which one does not depend on the others, so that lists may differ between jobs."""
    shards = [[name for name in accounts if find_shard(name, count) == n + 1] for n in range(count)]
    assert sorted(name for shard in shards for name in shard) == sorted(accounts)
    assert [find_shard(name, count) for name in accounts[1:]] == [
        find_shard(name, count) for name in accounts
    ][1:]


def test_the_shard_of_an_account_is_the_same_in_every_version():
    """Jobs of one run may be on different machines; sizes differ little."""
    assert [find_shard(name, 3) for name in ("a", "b", "partners/acct_1")] == [2, 2, 1]
    sizes = Counter(find_shard(f"partners/acct_{n}", 10) for n in range(1000))
    assert set(sizes) == set(range(1, 11))
    assert max(sizes.values()) <= 130


@pytest.mark.parametrize("command", COMMANDS)
def test_shards_joined_are_the_report_of_all(command, fleet):
    """In the order of the project, with the same counts and the same exit code."""
    shards = [fleet.report(f"shard-{n}", command, "--shard", f"{n}/3") for n in (1, 2, 3)]
    parts = [json.loads(file.read_text()) for file in shards]
    assert [part["shard"]["index"] for part in parts] == [1, 2, 3]
    assert all(part["complete"] for part in parts)
    assert sum(len(part["accounts"]) for part in parts) == len(NAMES)
    merged = fleet.merge(*reversed(shards), "--format", "json")
    document = held(merged.out)
    assert names(document) == list(NAMES)
    assert "shard" not in document
    again = held(fleet.all(command, "--format", "json").out)
    assert (document["complete"], document["command"]) == (True, command)
    assert document["exit_code"] == merged.code == max(part["exit_code"] for part in parts)
    if command != "apply":  # the second apply has nothing left to do
        assert document["summary"] == again["summary"]


def test_the_exit_code_is_the_worst_in_the_documented_order(fleet):
    """A missing key (6) counts more than drift (2)."""
    fleet.write(*NAMES, broken="NOT_SET")
    shards = [fleet.report(f"shard-{n}", "drift", "--shard", f"{n}/2") for n in (1, 2)]
    codes_ = {json.loads(file.read_text())["exit_code"] for file in shards}
    assert codes_ == {2, 6}
    ran = fleet.merge(*shards, "--format", "json")
    assert (ran.code, held(ran.out)["complete"]) == (6, False)


@pytest.mark.parametrize(("command", "code"), [("plan", 1), ("drift", 1), ("apply", 5)])
def test_a_missing_shard_is_incomplete_and_a_failure(command, code, fleet):
    """What apply did to its accounts is not known."""
    shards = [fleet.report(f"shard-{n}", command, "--shard", f"{n}/4") for n in (1, 3, 4)]
    ran = fleet.merge(*shards, "--format", "json", "--out", f"markdown={fleet.folder / 'm.md'}")
    document = held(ran.out)
    assert (ran.code, document["complete"], codes(document)) == (code, False, ["M003"])
    assert "shard 2/4" in document["diagnostics"][0]["message"]
    assert "shard 2/4" in (fleet.folder / "m.md").read_text()


def test_a_shard_without_accounts_is_a_success_that_says_so(fleet):
    """Where there are more shards than accounts, some have none."""
    fleet.write("a")
    empty = "1/2" if find_shard("a", 2) == 2 else "2/2"
    ran = fleet.all("apply", "--shard", empty)
    assert (ran.code, ran.out) == (
        0,
        f"\nNo selected account is in shard {empty}: nothing to do.\nShard {empty}: 0 accounts.\n",
    )
    files = [fleet.report(f"s{n}", "plan", "--shard", f"{n}/2") for n in (1, 2)]
    assert names(held(fleet.merge(*files, "--format", "json").out)) == ["a"]


def test_a_shard_that_could_not_begin_is_missing_and_its_errors_are_shown(fleet):
    """Its report has no accounts."""
    first = fleet.report("first", "plan", "--shard", "1/2")
    (fleet.folder / "meters.yaml").write_text("version: 1\nmeters: 3\n")
    second = fleet.report("second", "plan", "--shard", "2/2")
    document = held(fleet.merge(first, second, "--format", "json").out)
    assert codes(document)[-1] == "M003"
    assert len(codes(document)) == 2
    assert document["exit_code"] == 1


@pytest.mark.parametrize("words", ["0/3", "4/3", "3", "a/b", "1/0", "1/99999", "-1/3", "1/3/5", ""])
def test_a_shard_out_of_range_is_a_usage_error(words, fleet):
    ran = fleet.all("plan", f"--shard={words}", "--format", "json")
    assert (ran.code, codes(held(ran.out))) == (64, ["U002"])
    assert "--shard" in held(ran.out)["diagnostics"][0]["message"]


def edit(file, **changes):
    """Another report, with other values at its top level."""
    data = json.loads(file.read_text())
    for key, value in changes.items():
        data[key] = {**data[key], **value} if isinstance(value, dict) else value
    other = file.with_name(f"edited-{file.name}")
    other.write_text(json.dumps(data))
    return other


DIFFERENT = {
    "command": ({"command": "drift"}, "M001", "it is of drift"),
    "tool": ({"tool": {"version": "9.0.0"}}, "M001", "written by reconciler 9.0.0"),
    "count": ({"shard": {"count": 5}}, "M001", "of shard 2/5"),
    "index": ({"shard": {"index": 1}}, "M001", "of shard 1/2, and so is"),
    "files": ({"shard": {"configuration": "0"}}, "M001", "other project or meter files"),
    "format": ({"format_version": "2.0"}, "H001", "format_version '2.0' is not supported"),
}


@pytest.mark.parametrize(("changes", "code", "message"), DIFFERENT.values(), ids=DIFFERENT)
def test_reports_of_different_runs_are_not_joined(changes, code, message, fleet):
    one, two = (fleet.report(f"s{n}", "plan", "--shard", f"{n}/2") for n in (1, 2))
    ran = fleet.merge(one, edit(two, **changes), "--format", "json")
    (said,) = held(ran.out)["diagnostics"]
    assert (ran.code, said["code"]) == (1, code)
    assert message in said["message"]
    assert said["location"]["file"].endswith("edited-s2.json")


def test_changed_files_are_found_by_their_digest(fleet):
    one = fleet.report("s1", "plan", "--shard", "1/2")
    fleet.write(*NAMES, meters=fleet_meters("Chairs"))
    two = fleet.report("s2", "plan", "--shard", "2/2")
    assert codes(held(fleet.merge(one, two, "--format", "json").out)) == ["M001"]


def fleet_meters(name):
    return f"{{event_name: seats, display_name: {name}, default_aggregation: {{formula: count}}}}"


def test_an_account_that_two_reports_are_about_is_an_error(fleet):
    """Also where they are of no shard: jobs that select their accounts themselves."""
    one = fleet.report("one", "plan")
    two = fleet.folder / "two.json"
    two.write_text(one.read_text())
    ran = fleet.merge(one, two, "--format", "json")
    assert (ran.code, set(codes(held(ran.out)))) == (1, {"M002"})


def test_reports_of_jobs_that_select_accounts_are_joined_in_their_order(fleet):
    """Without positions."""
    files = []
    for name in ("c", "a"):
        file = fleet.folder / f"{name}.json"
        fleet.run("plan", fleet.folder, "--account", name, "--out", f"json={file}")
        files.append(file)
    assert names(held(fleet.merge(*files, "--format", "json").out)) == ["c", "a"]


BAD = {"empty": "", "list": "[]", "cut": '{"format_version": "1.0", "comm', "other": '{"a": 1}'}


@pytest.mark.parametrize("text", BAD.values(), ids=BAD)
def test_what_is_no_report_is_refused_and_every_such_file_is_named(text, fleet):
    files = [fleet.folder / "x.json", fleet.folder / "y.json", fleet.folder / "absent.json"]
    for file in files[:2]:
        file.write_text(text)
    document = held(fleet.merge(*files, "--format", "json").out)
    assert codes(document) == ["H001", "H001", "E003"] or len(codes(document)) == 3
    assert document["command"] == "merge"


def test_merge_without_reports_or_onto_one_is_a_usage_error(fleet):
    assert fleet.merge().code == 64
    one = fleet.report("one", "plan")
    before = one.read_text()
    assert fleet.merge(one, "--out", f"json={one}").code == 64
    assert one.read_text() == before


def test_a_report_of_validate_is_not_joined(fleet):
    file = fleet.folder / "v.json"
    fleet.run("validate", fleet.folder, "--out", f"json={file}")
    assert codes(held(fleet.merge(file, "--format", "json").out)) == ["M001"]


@pytest.mark.parametrize("form", ["text", "markdown", "html", "junit", "sarif", "github"])
def test_a_joined_report_is_written_in_every_format(form, fleet):
    shards = [fleet.report(f"s{n}", "drift", "--shard", f"{n}/2") for n in (1, 2)]
    ran = fleet.merge(*shards, "--format", form)
    assert ran.code == 2
    assert "seats" in ran.out
