"""A part of a project, a folder or a file, has the account, the guards and the policy of it."""

from __future__ import annotations

import pytest
from cli.world import CALLS, RETIRED, SEATS, existing
from published import held

SEED = {"meters": [existing("seats", "Seats"), existing("other", "Other")]}
POLICY = '{undeclared: deactivate, owns: ["*"], max_deactivations: 9}'


@pytest.fixture
def project(world):
    """A project whose meters are in two folders, and what its account has."""

    def build(seats=SEATS, policy=POLICY, patterns='["meters/**/*.yaml"]'):
        made = world("", SEED, policy=policy)
        text = (made.folder / "reconciler.yaml").read_text("utf-8")
        made.file("reconciler.yaml", text.replace('["meters.yaml"]', patterns))
        (made.folder / "meters.yaml").unlink()
        for name, entry in (("seats", seats), ("calls", CALLS)):
            (made.folder / "meters" / name).mkdir(parents=True)
            made.file(f"meters/{name}/{name}.yaml", f"version: 1\nmeters:\n  - {entry}\n")
        return made

    return build


def diagnosed(ran):
    """The exit code and the codes of all diagnostics of a JSON report."""
    report = held(ran.out)
    inner = [one["code"] for account in report["accounts"] for one in account["diagnostics"]]
    return ran.code, [one["code"] for one in report["diagnostics"]] + inner


@pytest.mark.parametrize("path", ["meters/calls", "meters/calls/calls.yaml", "meters/calls/"])
@pytest.mark.parametrize("command", ["plan", "drift", "validate"])
def test_a_part_has_the_account_of_the_project_and_is_partial(
    command, path, project, run, monkeypatch
):
    """Only its own meters are evaluated, and absence never is."""
    made = project()
    monkeypatch.chdir(made.folder)
    ran = run(command, path, "--format", "json")
    (account,) = held(ran.out)["accounts"]
    assert (account["account"]["name"], account["complete"]) == ("sandbox", False)
    assert "P104" in [one["code"] for one in account["diagnostics"]]
    found = account["changes"] + account.get("findings", [])
    names = [each["event_name"] for each in found]
    assert names == ([] if command == "validate" else ["calls"])
    assert "Partial run" in run(command, path).out


def test_the_current_folder_may_be_a_part(project, run, monkeypatch):
    """Its changes are applied, and the other meters of the account stay as they are."""
    made = project()
    monkeypatch.chdir(made.folder / "meters" / "calls")
    ran = run("apply", "--yes")
    assert (ran.code, made.posts()) == (0, ["/v1/billing/meters"]), ran.out
    assert (made.folder / ".reconciler").is_dir()


@pytest.mark.parametrize(
    ("policy", "code"), [("{protect: [seats]}", "G002"), ("{max_deactivations: 0}", "G001")]
)
@pytest.mark.parametrize("path", ["meters/seats", "meters/seats/seats.yaml"])
def test_the_policy_of_the_project_guards_a_part(path, policy, code, project, run):
    made = project(RETIRED, policy)
    ran = run("apply", made.folder / path, "--yes", "--format", "json")
    exit_code, codes = diagnosed(ran)
    assert (exit_code, code in codes, made.posts()) == (3, True, [])


@pytest.mark.parametrize("path", ["meters/calls", "meters/calls/calls.yaml"])
def test_an_error_in_any_file_of_the_project_ends_a_partial_run(path, project, run):
    """Also a name that is declared twice, once outside of the part."""
    made = project(CALLS)
    assert diagnosed(run("plan", made.folder / path, "--format", "json")) == (1, ["C015"])


@pytest.mark.parametrize("path", ["drafts", "drafts/new.yaml"])
def test_a_part_that_no_account_reads_is_an_error(path, project, run):
    made = project()
    (made.folder / "drafts").mkdir()
    made.file("drafts/new.yaml", f"version: 1\nmeters:\n  - {CALLS}\n")
    made.file("drafts/notes.yaml", "of: another tool")
    assert diagnosed(run("plan", made.folder / path, "--format", "json")) == (1, ["C023"])


def test_a_file_in_the_part_that_no_account_reads_is_an_error(project, run):
    """Although others are read."""
    made = project(patterns='["meters/*/[cs]*.yaml"]')
    made.file("meters/calls/new.yaml", f"version: 1\nmeters:\n  - {CALLS}\n")
    ran = run("plan", made.folder / "meters" / "calls", "--format", "json")
    assert diagnosed(ran) == (1, ["C023"])
    path = made.folder / "meters" / "calls" / "new.yaml"
    path.rename(path.with_name("new.yaml.bak"))
    assert run("plan", path.parent).code == 0


def test_a_folder_of_the_project_without_meter_files_is_an_error(project, run):
    made = project()
    (made.folder / "empty").mkdir()
    assert diagnosed(run("plan", made.folder / "empty", "--format", "json")) == (1, ["C002"])


def test_an_account_that_does_not_read_the_part_is_an_error(project, run):
    """It must not look as if there were nothing to do."""
    made = project()
    text = (made.folder / "reconciler.yaml").read_text("utf-8")
    other = "  other: {api_key_env: OTHER_KEY, meters: [meters/seats/*.yaml]}\n"
    made.file("reconciler.yaml", text.replace("accounts:\n", f"accounts:\n{other}"))
    path = made.folder / "meters" / "calls"
    ran = run("plan", path, "--account", "other", "--format", "json")
    assert diagnosed(ran) == (1, ["C023"])
    assert run("validate", path).code == 0


def test_a_project_file_beyond_the_root_of_the_repository_does_not_count(project, run, monkeypatch):
    made = project()
    (made.folder / "meters" / "calls" / ".git").mkdir()
    monkeypatch.chdir(made.folder / "meters" / "calls")
    (account,) = held(run("validate", "--format", "json").out)["accounts"]
    assert (account["account"]["name"], account["complete"]) == ("default", True)
