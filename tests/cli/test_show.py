"""`show`: a saved plan in any format, from its file alone."""

from __future__ import annotations

import json

import pytest
from cli.world import CALLS, SEATS, existing
from msgspec.structs import replace
from published import held

from reconciler.planning.plan import seal
from reconciler.planning.plan_file import dump_plan, load_plan
from reconciler.render import FORMATS

RETIRED = CALLS.replace("calls,", "calls, status: inactive,")
SEED = {"meters": [existing("seats", "Chairs"), existing("calls", "Calls", "sum")]}


@pytest.fixture
def saved(world, run):
    """The file of a plan, made and left: the account is gone, and the key with it."""

    def save(meters=f"{SEATS}\n{RETIRED}", seed=SEED, *words, **more):
        made = world(meters, seed, **more)
        file = made.folder / "saved.json"
        run("plan", made.folder, "--save", file, *words)
        return made, file

    return save


@pytest.mark.parametrize("name", FORMATS)
def test_every_format_shows_the_changes_without_a_key(name, saved, run, monkeypatch):
    """As the plan does, but for what only the run knew."""
    made, file = saved()
    asked = len(list(made.server.log))
    monkeypatch.delenv("SANDBOX_KEY")
    ran = run("show", file, "--format", name)
    assert ran.code == 0
    assert "calls" in ran.out
    assert len(list(made.server.log)) == asked


def test_the_report_is_that_of_the_plan(saved, run):
    """The same changes and hashes; the origin is stated, and the exit code is 0.

    Prices that a plan only shows are not saved with it.
    """
    made, file = saved()
    planned = held(run("plan", made.folder, "--format", "json").out)
    shown = held(run("show", file, "--format", "json").out)
    assert (shown["command"], shown["exit_code"]) == ("show", 0)
    (was,), (now,) = planned["accounts"], shown["accounts"]
    for change in (*was["changes"], *now["changes"]):
        change.pop("prices")
        change.pop("prices_read", None)
    assert all(now[key] == was[key] for key in ("account", "changes", "plan_hash", "summary"))
    origin, *rest = now["diagnostics"]
    assert (origin["code"], rest) == ("A203", was["diagnostics"])
    text = run("show", file).out
    assert text.startswith("Saved plan for sandbox (acct_1EmulatedAccount, test mode)\n")
    assert "Planned: 1 update, 1 deactivation." in text


def test_a_refused_plan_says_so(saved, run):
    """The codes are saved, not the details; several reasons, one for each change."""
    _, file = saved(policy="{max_deactivations: 0}")
    ran = run("show", file)
    assert ran.code == 0
    assert "refused by G001: 'calls': too many deactivations" in ran.out
    assert "Refused when it was made: apply makes no changes." in ran.out
    assert "1 update, 1 deactivation, 1 refused" in ran.out
    _, file = saved(livemode=True)
    (account,) = held(run("show", file, "--format", "json").out)["accounts"]
    codes = [each["code"] for each in account["diagnostics"] if each["level"] == "error"]
    assert codes == ["G006"]
    assert all("G006" in change["refused_by"] for change in account["changes"])


def test_a_plan_without_changes_and_a_partial_one(saved, run):
    _, file = saved(SEATS, {"meters": [existing("seats", "Seats")]})
    assert "The plan has no changes." in run("show", file).out
    _, file = saved(f"{SEATS}\n{RETIRED}", SEED, "--only", "seats")
    assert held(run("show", file, "--format", "json").out)["complete"] is False
    assert "Partial run: " in run("show", file).out


def test_the_commit_is_named(saved, run):
    _, file = saved()
    plan = load_plan(file.read_text("utf-8"), "saved.json")
    file.write_text(dump_plan(seal(replace(plan, commit="c" * 40))), "utf-8")
    assert f"for commit {'c' * 40};" in " ".join(run("show", file).out.split())


def test_what_is_no_saved_plan(saved, run, tmp_path):
    """One error: which file, and why; the exit code is 1, without a file 64."""
    made, file = saved()
    edited = made.file("edited.json", file.read_text().replace("Chairs", "Stools"))
    other = made.file("other.json", json.dumps({"plan_version": 2}))
    binary = made.folder / "binary.json"
    binary.write_bytes(b"\xff\xfe")
    folder = made.folder / "no-plans"
    folder.mkdir()
    for given, code in {edited: "A201", other: "A201", binary: "E003", folder: "M007"}.items():
        ran = run("show", given, "--format", "json")
        (diagnostic,) = held(ran.out)["diagnostics"]
        assert (ran.code, diagnostic["code"]) == (1, code)
        assert diagnostic["location"]["file"] == str(given)
    ran = run("show")
    assert (ran.code, "the file of the saved plan is missing" in ran.out) == (64, True)
    assert run("show", file, "--out", "json=saved.yaml").code == 64
