"""`generate`: code for applications, and the check that it is current."""

from __future__ import annotations

import json

import pytest
from cli.world import CALLS, SEATS
from published import held
from stripe.params.billing import MeterEventCreateParams

RETIRED = CALLS.replace("calls", "old").replace("{", "{status: inactive, ", 1)
OTHER_KEY = CALLS.replace(
    "{event_name", "{value_settings: {event_payload_key: amount}, event_name", 1
)


@pytest.fixture
def made(world):
    return world(f"{SEATS}\n{CALLS}\n{RETIRED}")


def test_the_stripe_package_takes_the_events_of_generated_python(made, run, tmp_path):
    """What a builder returns are the parameters of the official client."""
    code = run("generate", made.folder, "--format", "python")
    assert (code.code, code.err) == (0, "")
    module: dict[str, object] = {}
    exec(code.out, module)
    event = module["build_calls"]("cus_1", 3, identifier="once")
    assert event.keys() <= MeterEventCreateParams.__annotations__.keys()
    assert event["payload"] == {"stripe_customer_id": "cus_1", "value": "3"}
    assert "value" not in module["build_seats"]("cus_1")["payload"]
    with pytest.warns(DeprecationWarning, match="'old' is retired"):
        module["build_old"]("cus_1", 1)


def test_a_check_fails_until_the_printed_command_is_run(made, run, monkeypatch):
    """For a file that is missing, for one that is stale, and no longer once it is written."""
    monkeypatch.chdir(made.folder)
    missing = run("generate", "--check", "meters.go", "--format", "json")
    assert (missing.code, held(missing.out)["diagnostics"][0]["code"]) == (2, "N003")
    hint = held(missing.out)["diagnostics"][0]["hint"]
    assert hint == "run `reconciler generate --out go=meters.go`"
    assert run("generate", "--out", "go=meters.go").code == 0
    current = run("generate", "--check", "meters.go")
    assert (current.code, current.out) == (0, "meters.go: current\n")

    made.write(f"{SEATS}\n{CALLS}")
    stale = run("generate", "--check", "meters.go")
    assert (stale.code, stale.out.splitlines()[-1]) == (2, "meters.go: out of date")
    assert "error N003: the generated code is out of date" in stale.out


def test_every_language_is_checked_by_its_suffix(made, run, monkeypatch):
    monkeypatch.chdir(made.folder)
    files = {"python": "m.py", "typescript": "m.ts", "go": "m.go", "json": "m.json", "env": ".env"}
    outs = [word for language, file in files.items() for word in ("--out", f"{language}={file}")]
    assert run("generate", *outs).code == 0
    checks = [word for file in files.values() for word in ("--check", file)]
    ran = run("generate", *checks)
    assert (ran.code, ran.out.count("current")) == (0, 5)
    listed = json.loads((made.folder / "m.json").read_text("utf-8"))["meters"]
    assert {each["event_name"]: each["deprecated"] for each in listed} == {
        "calls": False,
        "old": True,
        "seats": False,
    }


@pytest.mark.parametrize("language", ["python", "json"])
def test_files_that_are_not_valid_leave_generated_code_as_it_is(language, made, run):
    """An application must not be built with an error report as its source."""
    out = made.folder / "generated"
    assert run("generate", made.folder, "--out", f"{language}={out}").code == 0
    before = out.read_text("utf-8")
    made.file("meters.yaml", "version: 1\nmeters: [{event_name: seats}]\n")
    ran = run("generate", made.folder, "--out", f"{language}={out}", "--format", "go")
    assert (ran.code, out.read_text("utf-8")) == (1, before)
    assert "error C0" in ran.err


@pytest.mark.parametrize(
    ("words", "code"),
    [
        ([], "N004"),
        (["--check", "meters.txt"], "N004"),
        (["--format", "rust"], "U003"),
        (["--format", "markdown"], "U003"),
    ],
)
def test_a_language_has_to_be_known(words, code, made, run):
    ran = run("generate", made.folder, *words)
    assert ran.code == 64
    assert code in ran.out


def test_accounts_that_disagree_are_told_apart_with_account(made, run):
    """One builder cannot serve both; the error names both places."""
    made.file("other.yaml", f"version: 1\nmeters:\n  - {OTHER_KEY}\n")
    made.file(
        "reconciler.yaml",
        "version: 1\naccounts:\n"
        '  sandbox: {api_key_env: SANDBOX_KEY, meters: ["meters.yaml"]}\n'
        '  other: {api_key_env: OTHER, meters: ["other.yaml"]}\n',
    )
    ran = run("generate", made.folder, "--format", "json")
    (problem,) = held(ran.out)["diagnostics"]
    assert (ran.code, problem["code"]) == (1, "N001")
    assert problem["location"]["file"].endswith("other.yaml")
    assert "meters.yaml:4" in problem["message"]
    chosen = run("generate", made.folder, "--format", "json", "--account", "other")
    assert [each["value_key"] for each in json.loads(chosen.out)["meters"]] == ["amount"]
    assert chosen.code == 0


def test_one_key_for_customer_and_value_is_an_error(made, run):
    same = CALLS.replace("{", "{value_settings: {event_payload_key: stripe_customer_id}, ", 1)
    made.write(same)
    ran = run("generate", made.folder, "--format", "python")
    assert (ran.code, "N002" in ran.out) == (1, True)


def test_a_path_selects_the_meters_of_its_files(made, run):
    made.file("reconciler.yaml", 'version: 1\nmeters: ["*/*.yaml"]\n')
    for name, meter in (("one", SEATS), ("two", CALLS)):
        (made.folder / name).mkdir()
        made.file(f"{name}/m.yaml", f"version: 1\nmeters:\n  - {meter}\n")
    ran = run("generate", made.folder / "one", "--format", "env")
    assert ran.out.splitlines()[1:] == ["METER_SEATS=seats"]
