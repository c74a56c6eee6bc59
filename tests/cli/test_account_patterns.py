"""`--account PATTERN` and RECONCILER_ACCOUNT: the accounts of a run, and the name of each."""

from __future__ import annotations

import json

import pytest
from cli.world import SEATS, existing
from published import held

from reconciler.render import FORMATS

EVERY = ("dev-eu", "dev-us", "production")


@pytest.fixture
def project(world, monkeypatch):
    """Three accounts, which one server answers for; a meter has another name there."""
    made = world(SEATS, {"meters": [existing("seats", "Chairs")]})
    entries = {}
    for n, name in enumerate(EVERY):
        monkeypatch.setenv(f"KEY_{n}", f"sk_test_emulator{n}")
        entries[name] = {"api_key_env": f"KEY_{n}", "api_base": made.server.url}
    text = f'version: 1\nmeters: ["meters.yaml"]\naccounts: {json.dumps(entries)}\n'
    made.file("reconciler.yaml", text)
    monkeypatch.chdir(made.folder)
    return made


def names(ran):
    return [each["account"]["name"] for each in held(ran.out)["accounts"]]


@pytest.mark.parametrize("command", ["validate", "plan", "drift", "list", "ready", "doctor"])
def test_every_command_takes_patterns(command, project, run):
    assert names(run(command, "--account", "dev-*", "--format", "json")) == list(EVERY[:2])


@pytest.mark.parametrize(
    ("patterns", "chosen"),
    [
        (["*"], EVERY),
        (["dev-*"], EVERY[:2]),
        (["production", "dev-*"], ("production", *EVERY[:2])),
        (["dev-us", "*"], ("dev-us", "dev-eu", "production")),
        (["dev-?s"], ["dev-us"]),
    ],
)
def test_a_pattern_selects_every_account_that_it_matches(patterns, chosen, project, run):
    """Each once: in the order of the patterns, then in that of the project file."""
    words = [word for pattern in patterns for word in ("--account", pattern)]
    assert names(run("plan", *words, "--format", "json")) == list(chosen)


@pytest.mark.parametrize("command", ["validate", "plan", "apply", "drift", "list", "history"])
def test_a_pattern_without_a_match_suggests(command, project, run):
    words = ["--yes"] if command == "apply" else []
    ran = run(command, *words, "--account", "dev-*", "--account", "produktion", "--format", "json")
    (said,) = json.loads(ran.out)["diagnostics"]
    assert (ran.code, said["code"]) == (64, "U005")
    assert "no account matches 'produktion'" in said["message"]
    assert said["hint"] == "did you mean production? the project has dev-eu, dev-us, production"
    assert [*project.server.log] == []


def test_the_variable_selects_where_no_option_does(project, run, monkeypatch):
    """One or several globs; `--account` replaces it, and an empty one does not count."""
    monkeypatch.setenv("RECONCILER_ACCOUNT", "dev-us, prod*")
    assert names(run("plan", "--format", "json")) == ["dev-us", "production"]
    assert names(run("validate", "--format", "json")) == ["dev-us", "production"]
    assert names(run("list", "--account", "dev-eu", "--format", "json")) == ["dev-eu"]
    monkeypatch.setenv("RECONCILER_ACCOUNT", "staging")
    ran = run("plan")
    assert (ran.code, "RECONCILER_ACCOUNT" in ran.out) == (64, True)
    monkeypatch.setenv("RECONCILER_ACCOUNT", "")
    ran = run("plan")
    assert ran.code == 64
    assert "--account dev-eu or dev-us or production, or --account '*'" in " ".join(ran.out.split())


def test_a_saved_plan_goes_to_its_own_account(project, run, monkeypatch):
    """Whatever the variable says; patterns of the option must include it."""
    assert run("plan", "--account", "dev-us", "--save", "plan.json").code == 0
    assert run("apply", "--plan", "plan.json", "--account", "production").code == 3
    assert project.posts() == []
    monkeypatch.setenv("RECONCILER_ACCOUNT", "production")
    assert names(run("apply", "--plan", "plan.json", "--format", "json")) == ["dev-us"]
    assert len(project.posts()) == 1
    again = run("apply", "--plan", "plan.json", "--account", "dev-*", "--format", "json")
    assert names(again) == ["dev-us"]


def test_the_report_of_each_account_names_it(project, run):
    """In every format of a plan; two have findings only, so they are read of drift."""
    for command in ("plan", "drift"):
        outs = [word for name in FORMATS for word in ("--out", f"{name}={command}.{name}")]
        run(command, "--account", "*", *outs)
        for name in {*FORMATS} - ({"sarif", "codequality"} if command == "plan" else set()):
            text = (project.folder / f"{command}.{name}").read_text("utf-8")
            assert [each for each in EVERY if each not in text] == [], f"{command} {name}"


def test_apply_writes_to_every_account_and_the_worst_exit_code_counts(project, run, monkeypatch):
    """The first account changes the meter, the second finds it done, the third has no key."""
    monkeypatch.delenv("KEY_2")
    in_order = ["--concurrency", "1"]  # they are entries of one account
    ran = run("apply", "--account", "*", "--yes", *in_order, "--format", "json")
    ends = [(each["account"]["name"], each["exit_code"]) for each in held(ran.out)["accounts"]]
    assert ends == [("dev-eu", 0), ("dev-us", 0), ("production", 6)]
    assert (ran.code, len(project.posts())) == (6, 1)
    assert run("plan", "--account", "dev-*", "--detailed-exitcode").code == 0


def test_drift_in_one_account_and_a_missing_key_in_another_exit_with_6(project, run, monkeypatch):
    """Of 6 and 2, the documented order has 6 first."""
    monkeypatch.delenv("KEY_0")
    ran = run("drift", "--account", "dev-*", "--format", "json")
    assert [each["exit_code"] for each in held(ran.out)["accounts"]] == [6, 2]
    assert ran.code == 6


def test_history_also_has_accounts_that_left_the_project(project, run):
    """The journal knows them, with --meter as well; their events can no longer be read."""
    assert run("apply", "--account", "dev-*", "--yes").code == 0
    text = (project.folder / "reconciler.yaml").read_text("utf-8")
    project.file("reconciler.yaml", text.replace('"dev-eu"', '"other"'))
    for words in (["--account", "dev-e*"], ["--account", "dev-eu", "--meter", "seats"]):
        document = held(run("history", *words, "--format", "json").out)
        assert [each["account"]["name"] for each in document["runs"]] == ["dev-eu"]
    assert run("history", "--account", "dev-ue").code == 64
