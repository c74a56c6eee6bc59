"""What each command needs of the files: `list` none, a saved plan its account, `validate` many."""

from __future__ import annotations

import json

import pytest
from cli.world import CALLS, SEATS, existing
from published import held

SEED = {"meters": [existing("seats", "Seats"), existing("calls", "Calls", "sum")]}
METERS = "version: 1\nmeters:\n"


@pytest.fixture
def bare(world):
    """A project without any meter file."""

    def build(patterns="", seed=SEED):
        made = world("", seed)
        (made.folder / "meters.yaml").unlink()
        text = (made.folder / "reconciler.yaml").read_text("utf-8")
        made.file("reconciler.yaml", text.replace('meters: ["meters.yaml"]\n', patterns))
        return made

    return build


@pytest.mark.parametrize("patterns", ["", "meters: ['meters/*.yaml']\n"])
def test_list_needs_no_meter_file(patterns, bare, run):
    """Neither in the project nor in a folder of it; but an error in one is an error."""
    made = bare(patterns)
    (made.folder / "empty").mkdir()
    for path in (made.folder, made.folder / "empty"):
        ran = run("list", path, "--format", "json")
        (account,) = json.loads(ran.out)["accounts"]
        assert (ran.code, len(account["meters"])) == (0, 2)
    (made.folder / "meters").mkdir()
    made.file("meters/broken.yaml", "version: [")
    assert run("list", made.folder).code == 1


@pytest.mark.parametrize("command", ["plan", "apply", "drift", "validate"])
@pytest.mark.parametrize("patterns", ["", "meters: ['meters/*.yaml']\n"])
def test_other_commands_say_how_to_adopt_what_exists(command, patterns, bare, run):
    """A wrong path must not look like a clean account."""
    made = bare(patterns)
    ran = run(command, made.folder, *(["--yes"] if command == "apply" else []))
    said = " ".join(ran.out.split())
    assert (ran.code, "to adopt existing meters, `reconciler import" in said) == (1, True)
    assert made.posts() == []


def test_what_the_hint_says_adopts_every_meter(bare, run):
    """The entries that drift prints, appended, leave nothing to do."""
    made = bare()
    file = made.file("meters.yaml", "version: 1\nmeters: []\n")
    (account,) = held(run("drift", made.folder, "--format", "json").out)["accounts"]
    entries = [each["remediation"]["text"] for each in account["findings"]]
    file.write_text(METERS + "".join(f"  {entry}\n" for entry in entries), "utf-8")
    assert run("drift", made.folder).code == 0
    assert len(entries) == 2


def test_list_of_a_folder_that_does_not_exist_is_an_error(bare, run):
    assert run("list", bare().folder / "metres").code == 1


def test_a_misnamed_project_file_is_an_error_of_list_too(bare, run):
    made = bare()
    (made.folder / "reconciler.yaml").rename(made.folder / "reconciler.yml")
    assert "C024" in run("list", made.folder).out


@pytest.fixture
def saved(world, run):
    """A saved plan for one of two accounts."""
    made = world(SEATS)
    made.add_account("another")
    file = made.folder / "plan.json"
    assert run("plan", made.folder, "--account", "sandbox", "--save", file).code == 0
    return made, file


@pytest.mark.parametrize("where", [".", "meters"])
def test_a_saved_plan_names_its_account(where, saved, run, monkeypatch):
    """The project may have several, and PATH does not narrow what was approved."""
    made, file = saved
    (made.folder / "meters").mkdir()
    made.file("meters/calls.yaml", f"{METERS}  - {CALLS}\n")
    text = (made.folder / "reconciler.yaml").read_text("utf-8")
    text = text.replace("  another: {", "  another: {meters: [meters/*.yaml], ")
    made.file("reconciler.yaml", text)
    monkeypatch.chdir(made.folder / where)
    ran = run("apply", "--plan", file, "--format", "json")
    (account,) = held(ran.out)["accounts"]
    assert (ran.code, account["account"]["name"], len(made.posts())) == (0, "sandbox", 1)


def test_a_saved_plan_for_an_account_that_the_project_lacks_is_refused(saved, run):
    """Also where only one account is left, or another one is named."""
    made, file = saved
    assert run("apply", made.folder, "--plan", file, "--account", "another").code == 6
    text = (made.folder / "reconciler.yaml").read_text("utf-8")
    made.file("reconciler.yaml", text.replace("  sandbox: ", "  renamed: "))
    ran = run("apply", made.folder, "--plan", file)
    assert (ran.code, "G009" in ran.out, made.posts()) == (3, True, [])


@pytest.fixture
def two(tmp_path):
    """Two projects, each with two meter files, and files that belong to none."""
    for project in ("one", "two"):
        folder = tmp_path / project
        folder.mkdir()
        accounts = "".join(f"  {project}_{n}: {{api_key_env: K{n}}}\n" for n in (1, 2))
        (folder / "reconciler.yaml").write_text(f"version: 1\naccounts:\n{accounts}")
        for name, entry in (("seats", SEATS), ("calls", CALLS)):
            (folder / f"{name}.yaml").write_text(f"{METERS}  - {entry}\n")
    return tmp_path


def valid(ran):
    """The exit code, and how many meters each account of a report declares."""
    report = held(ran.out)
    return ran.code, report["declared"], [one["account"]["name"] for one in report["accounts"]]


def test_validate_takes_files_of_several_projects(two, run, monkeypatch):
    """And checks all accounts unless one is named, each project once."""
    monkeypatch.chdir(two)
    every = ["one_1", "one_2", "two_1", "two_2"]
    files = ["one/seats.yaml", "two/seats.yaml", "two/calls.yaml"]
    assert valid(run("validate", *files, "--format", "json")) == (0, 3, every)
    whole = run("validate", *files, "one/reconciler.yaml", "--format", "json")
    assert valid(whole) == (0, 4, every)
    assert [each["complete"] for each in held(whole.out)["accounts"]] == [True, True, False, False]
    some = ["--account", "two_2", "--account", "one_1"]
    assert valid(run("validate", *files, *some, "--format", "json")) == (0, 3, ["one_1", "two_2"])
    assert run("validate", *files, "--account", "three").code == 64


def test_validate_reports_the_errors_of_all_paths(two, run, monkeypatch):
    """Of files that were not passed too, and of paths that do not exist."""
    monkeypatch.chdir(two)
    (two / "two" / "seats.yaml").write_text("version: [")
    (two / "one" / "extra.yaml").write_text(f"{METERS}  - {SEATS}\n")
    ran = run("validate", "one/calls.yaml", "two/calls.yaml", "nowhere", "--format", "json")
    codes = [one["code"] for one in held(ran.out)["diagnostics"]]
    assert (ran.code, sorted(codes)) == (1, ["C001", "C015", "Y003"])


def test_validate_joins_files_without_a_project(tmp_path, run, monkeypatch):
    """One name in two of them is declared twice."""
    monkeypatch.chdir(tmp_path)
    for name in ("a.yaml", "b.yaml"):
        (tmp_path / name).write_text(f"{METERS}  - {SEATS}\n")
    ran = run("validate", "a.yaml", "b.yaml", "--format", "json")
    assert [one["code"] for one in held(ran.out)["diagnostics"]] == ["C015"]
