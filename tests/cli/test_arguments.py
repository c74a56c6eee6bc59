"""The command line: options, help, usage errors and suggestions."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from cli.world import CALLS, SEATS, existing
from published import held

from reconciler import __version__
from reconciler.cli.arguments import guess_format
from reconciler.cli.commands import COMMANDS


@pytest.mark.parametrize("word", ["--version", "-V"])
def test_version(word, run):
    """One line, nothing else."""
    ran = run(word)
    assert (ran.code, ran.out, ran.err) == (0, f"reconciler {__version__}\n", "")


@pytest.mark.parametrize("words", [["--help"], ["-h"]])
def test_the_overview_names_every_command_and_exit_code(words, run):
    """Help is a document of its own, on standard output."""
    ran = run(*words)
    assert (ran.code, ran.err) == (0, "")
    for word in [*COMMANDS, "130"]:
        assert f"  {word} " in ran.out
    assert all(len(line) <= 80 for line in ran.out.splitlines())


@pytest.mark.parametrize("words", [["help"], ["help", "plan"], ["help", "--help"]])
def test_help_is_a_command_too(words, run):
    """`help` is `--help`, and `help plan` is `plan --help`."""
    ran = run(*words)
    expected = run("plan", "--help") if "plan" in words else run("--help")
    assert (ran.code, ran.out) == (0, expected.out)


@pytest.mark.parametrize("before", [True, False])
def test_a_run_can_start_in_another_folder(before, world, run, monkeypatch, tmp_path):
    """PATH and the files to write are relative to it; the process stays where it is."""
    made = world(SEATS, {"meters": [existing("seats", "Chairs")]})
    monkeypatch.chdir(tmp_path.parent)
    directory, rest = ("-C", made.folder), ("--out", "json=report.json")
    ran = run(*directory, "plan", *rest) if before else run("plan", *directory, *rest)
    assert ran.code == 0
    assert held((made.folder / "report.json").read_text())["command"] == "plan"
    assert Path.cwd() == tmp_path.parent
    drift = run("drift", "-C", made.folder.name)
    assert f"reconciler apply {made.folder.name}" in drift.out


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help(command, run):
    """Also beside a wrong option."""
    ran = run(command, "--bogus", "--help")
    assert (ran.code, ran.err) == (0, "")
    assert ran.out.startswith(f"usage: reconciler {command} ")
    assert "--format FORMAT" in ran.out


def test_help_offers_only_the_formats_of_the_command(run):
    """A list is text or JSON; asking for more is answered with these two."""
    offered = " ".join(run("list", "--help").out.split())
    assert "format of standard output: text, json --out" in offered
    assert "format of standard output: text, json, markdown" in " ".join(
        run("plan", "--help").out.split()
    )
    ran = run("history", "--format", "junit")
    assert ran.code == 64
    assert "history has no format 'junit'" in ran.out
    assert "use one of text, json" in ran.out


WRONG = [
    ([], "U001", "missing command"),
    (["paln"], "U001", "did you mean `reconciler plan`?"),
    (["--quiet", "plan"], "U001", "options follow the command"),
    (["plan", "--acount", "x"], "U002", "did you mean --account?"),
    (["plan", "--format"], "U002", "expected one argument"),
    (["plan", "a", "b"], "U002", "unrecognized arguments: b"),
    (["list", "--status", "asleep"], "U002", "invalid choice"),
    (["plan", "--out", "json"], "U002", "is not FORMAT=FILE"),
    (["plan", "--format", "jsn"], "U003", "did you mean json?"),
    (["plan", "--out", "pdf=x.pdf"], "U003", "there is no format 'pdf'"),
    (["plan", "--format", "text", "--out", "json=-"], "U004", "2 documents: json, text"),
    (["plan", "--out", "text=x", "--out", "json=x"], "U004", "several documents"),
    (["apply", "--yes", "--plan", "p", "--only", "x"], "U002", "--only cannot narrow"),
    (["explain", "G999"], "U007", "there is no code 'G999'"),
    (["explain", "G01"], "U007", "did you mean"),
    (["diff"], "U001", "did you mean `reconciler plan`?"),
    (["help", "paln"], "U001", "did you mean `reconciler plan`?"),
    (["-chdir=x", "plan"], "U001", "did you mean -C DIR?"),
    (["plan", "--dry-run"], "U002", "`reconciler plan` shows what apply would do"),
    (["plan", "--version"], "U002", "did you mean `reconciler --version`?"),
    (["plan", "-out=x"], "U002", "did you mean `reconciler plan --save FILE`?"),
    (["plan", "-chdir=x"], "U002", "did you mean -C DIR?"),
    (["apply", "-auto-approve"], "U002", "did you mean --yes?"),
    (["apply", "--doit"], "U002", "did you mean --yes?"),
    (["apply", "-target", "x"], "U002", "did you mean --only PATTERN?"),
    (["apply", "--target=x"], "U002", "did you mean --only PATTERN?"),
    (["plan", "-C", "nowhere"], "U002", "-C nowhere: No such file"),
    (["emulate", "--port", "x"], "U002", "not a whole number"),
    (["emulate", "--fault", "boom"], "U002", "'boom'"),
    (["emulate", "--switch", "color=red"], "U002", "unknown switch 'color'"),
    (["emulate", "--switch", "color"], "U002", "is not NAME=VALUE"),
    (["emulate", "--hold", "never"], "U002", "is not a moment"),
]


@pytest.mark.parametrize(("words", "code", "said"), WRONG, ids=[" ".join(w[0]) for w in WRONG])
def test_a_wrong_command_line_is_a_usage_error(words, code, said, run, tmp_path, monkeypatch):
    """Exit 64, with a code and a hint on standard output."""
    monkeypatch.chdir(tmp_path)
    ran = run(*words)
    assert ran.code == 64
    assert f"error {code}: " in ran.out
    assert said in " ".join(ran.out.split())
    assert ran.err == ""


@pytest.mark.parametrize(
    ("words", "message", "hint"),
    [
        (["paln"], "there is no command 'paln'", "did you mean `reconciler plan`?"),
        (["explain", "A2O1"], "there is no code 'A2O1'", "did you mean A201?"),
    ],
)
def test_a_slip_is_met_with_what_was_meant(words, message, hint, run, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (said,) = held(run(*words, "--format", "json").out)["diagnostics"]
    assert (said["message"], said["hint"]) == (message, hint)


@pytest.mark.parametrize("json_", [["--format", "json"], ["--format=json"], ["--out", "json=-"]])
@pytest.mark.parametrize("words", [["paln"], ["plan", "--bogus"], ["apply"], ["explain", "Z1"]])
def test_a_usage_error_with_json_is_json(words, json_, run, tmp_path, monkeypatch):
    """A job that reads JSON gets JSON; a person reads the error on standard error as well."""
    monkeypatch.chdir(tmp_path)
    ran = run(*words, *json_)
    document = held(ran.out)
    assert (ran.code, document["exit_code"], document["complete"]) == (64, 64, False)
    assert document["accounts"] == []
    assert ran.err.startswith("error U")


@pytest.mark.parametrize(
    ("words", "format_"),
    [
        ([], "text"),
        (["plan", "--format"], "text"),
        (["plan", "--format", "bogus"], "text"),
        (["plan", "--out", "json=file"], "text"),
        (["plan", "--out=json=-"], "json"),
    ],
)
def test_the_format_is_guessed_before_options_are_parsed(words, format_):
    """Only what would have been standard output's format counts."""
    assert guess_format(words) == format_


def test_a_project_with_several_accounts_asks_for_a_name(world, run):
    """The error names them; a misspelled name gets a suggestion."""
    made = world(SEATS)
    made.add_account("staging")
    ran = run("plan", made.folder)
    assert ran.code == 64
    assert "--account sandbox or staging" in ran.out
    assert "did you mean staging?" in run("plan", made.folder, "--account", "stagng").out


@pytest.mark.parametrize(("command", "code"), [("plan", 0), ("drift", 2), ("list", 0)])
def test_one_failing_account_stops_none(command, code, world, run):
    """The other one is read; the exit code is the worse of the two."""
    made = world(SEATS, {"meters": [existing("seats", "Chairs")]})
    made.add_account("keyless")
    names = ("--account", "keyless", "--account", "sandbox")
    ran = run(command, made.folder, *names, "--format", "json")
    keyless, sandbox = held(ran.out)["accounts"]
    assert ran.code == 6
    assert (keyless["exit_code"], sandbox["exit_code"]) == (6, code)
    assert [diagnostic["code"] for diagnostic in keyless["diagnostics"]] == ["S001"]


def test_the_active_meter_of_a_name_is_listed_first(world, run):
    """The one that counts usage, whatever the ids are; then by id."""
    ids = {"mtr_a": "inactive", "mtr_z": "active", "mtr_b": "inactive"}
    seed = [existing("seats", "Seats", id=each, status=status) for each, status in ids.items()]
    made = world("", {"meters": seed})
    assert re.findall(r"mtr_\w", run("list", made.folder).out) == ["mtr_z", "mtr_a", "mtr_b"]
    (account,) = held(run("list", made.folder, "--format", "json").out)["accounts"]
    assert [meter["id"] for meter in account["meters"]] == ["mtr_z", "mtr_a", "mtr_b"]


def test_list_shows_what_is_there(world, run):
    """In order of name, every field of the API in JSON; a status narrows it."""
    seed = {"meters": [existing("b", "Bees"), existing("a", "Ays", status="inactive")]}
    made = world(SEATS, seed)
    assert "Bees" in run("list", made.folder).out
    ran = run("list", made.folder, "--format", "json")
    (account,) = held(ran.out)["accounts"]
    assert [meter["event_name"] for meter in account["meters"]] == ["a", "b"]
    ran = run("list", made.folder, "--status", "inactive", "--format", "json")
    (account,) = held(ran.out)["accounts"]
    assert [meter["event_name"] for meter in account["meters"]] == ["a"]


def test_only_narrows_what_is_listed_and_validated(world, run):
    """`list` matches existing event_names, `validate` declared ones; both are partial."""
    seed = {"meters": [existing("seats", "Seats"), existing("sea", "Sea"), existing("b", "Bees")]}
    made = world(f"{SEATS}\n{CALLS}", seed)
    ran = run("list", made.folder, "--only", "sea*", "--only", "c", "--format", "json")
    document = held(ran.out)
    (account,) = document["accounts"]
    assert [meter["event_name"] for meter in account["meters"]] == ["sea", "seats"]
    assert (ran.code, document["complete"]) == (0, False)
    assert "Partial list: " in run("list", made.folder, "--only", "none").out
    ran = run("validate", made.folder, "--only", "se*", "--format", "json")
    document = held(ran.out)
    assert (ran.code, document["declared"], document["complete"]) == (0, 1, False)
    assert "Partial run: " in run("validate", made.folder, "--only", "se*").out
    junit = run("validate", made.folder, "--only", "se*", "--format", "junit").out
    assert "seats" in junit
    assert "calls" not in junit
    assert run("validate", made.folder, "--only", "sae*").code == 64
    made.file("meters.yaml", "version: 7\n")
    assert run("validate", made.folder, "--only", "se*").code == 1


@pytest.mark.parametrize("words", [["--only", "zzz*"], ["--status", "inactive"]])
def test_a_list_of_nothing_says_whether_there_is_anything(words, world, run):
    """An account has no meters, has others than were asked for, or could not be read."""
    made = world(seed={"meters": [existing("seats", "Bees")]})
    assert "  no meter matches; the account has 1 meter\n" in run("list", made.folder, *words).out
    made.server.arm("503:method=GET")
    ran = run("list", made.folder, *words)
    assert ran.out.startswith("Meters of sandbox\n\nerror S035: ")
    assert "no meter" not in ran.out
    assert "  no meters\n" in run("list", world().folder, *words).out


@pytest.mark.parametrize(
    ("account", "code"), [({"livemode": True}, "G006"), ({"account_id": "acct_other"}, "G007")]
)
def test_what_is_listed_of_another_account_says_so(account, code, world, run):
    """It is shown, and refused: a script must not take it for the configured account."""
    made = world(SEATS, {"meters": [existing("seats", "Seats")]}, **account)
    ran = run("list", made.folder, "--format", "json")
    (listed,) = held(ran.out)["accounts"]
    assert (ran.code, len(listed["meters"])) == (3, 1)
    assert [(p["code"], p["level"]) for p in listed["diagnostics"]] == [(code, "error")]
    assert f"error {code}" in run("list", made.folder).out


def test_explain(run):
    """One code in full, case aside; all of them without one."""
    assert run("explain", "g001").out.startswith("G001: ")
    everything = held(run("explain", "--format", "json").out)["codes"]
    assert len(everything) > 50
    assert everything == sorted(everything, key=lambda rule: rule["code"])
