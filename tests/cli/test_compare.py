"""`compare A B`: the parity of two accounts, without meter files."""

from __future__ import annotations

import json
import re

import pytest
from cli.test_newer_stripe import alter
from cli.world import existing
from published import held

from reconciler.emulator import Key, Settings

A, B = "sandbox", "production"


@pytest.fixture
def accounts(world, monkeypatch):
    """`accounts(a, b, ...)`: a project with two accounts that have these meters."""

    def build(a, b, head="", settings=None, **of_b):
        one, other = world("", {"meters": a}), world("", {"meters": b}, settings=settings)
        for name in ("KEY_A", "KEY_B"):
            monkeypatch.setenv(name, "sk_test_emulator")
        entries = {
            A: {"api_key_env": "KEY_A", "api_base": one.server.url},
            B: {"api_key_env": "KEY_B", "api_base": other.server.url, **of_b},
        }
        one.file("reconciler.yaml", f"version: 1\n{head}accounts: {json.dumps(entries)}\n")
        (one.folder / "meters.yaml").unlink()
        monkeypatch.chdir(one.folder)
        return one, other

    return build


def compare(run, *words):
    ran = run("compare", A, B, *words, "--format", "json")
    return ran.code, held(ran.out)


def results(document):
    return [
        (each["a"]["event_name"] or each["b"]["event_name"], each["result"])
        for each in document["meters"]
    ]


def test_equal_accounts_exit_0_whatever_their_ids_times_and_order(accounts, run):
    """Only what both accounts can share is compared."""
    a = [existing("calls", "Calls", "sum", id="mtr_1", created=1_700_000_000), existing("b", "B")]
    b = [existing("b", "B", id="mtr_9"), existing("calls", "Calls", "sum", created=1_600_000_000)]
    one, other = accounts(a, b)
    code, document = compare(run)
    assert (code, document["complete"], document["exit_code"]) == (0, True, 0)
    assert results(document) == [("b", "same"), ("calls", "same")]
    assert "No differences in 2 event_names." in run("compare", A, B).out
    assert one.posts() + other.posts() == []


def test_every_field_that_differs_is_listed_and_exits_2(accounts, run):
    """With the value of each account."""
    a = [existing("calls", "Calls", "sum", event_time_window="hour")]
    b = [
        existing(
            "calls",
            "API calls",
            "last",
            value_settings={"event_payload_key": "amount"},
            customer_mapping={"type": "by_id", "event_payload_key": "customer"},
        )
    ]
    accounts(a, b)
    code, document = compare(run)
    (meter,) = document["meters"]
    assert (code, meter["result"]) == (2, "differs")
    assert [(field["path"], field["a"], field["b"]) for field in meter["fields"]] == [
        ("customer_mapping.event_payload_key", "stripe_customer_id", "customer"),
        ("default_aggregation.formula", "sum", "last"),
        ("display_name", "Calls", "API calls"),
        ("event_time_window", "hour", None),
        ("value_settings.event_payload_key", "value", "amount"),
    ]


OFF = {"status": "inactive"}


@pytest.mark.parametrize(
    ("a", "b", "result", "fields"),
    [
        pytest.param([{}], [], "only_a", [], id="in A only"),
        pytest.param([], [{}], "only_b", [], id="in B only"),
        pytest.param([{}, OFF, OFF], [{}], "same", [], id="inactive duplicates"),
        pytest.param([{}], [OFF], "differs", ["status"], id="inactive in B"),
        pytest.param(
            [{}],
            [OFF, {**OFF, "default_aggregation": {"formula": "last"}}],
            "differs",
            ["status"],
            id="the inactive one with the same settings",
        ),
        pytest.param([OFF], [], "inactive", [], id="inactive in A only"),
        pytest.param(
            [{**OFF, "default_aggregation": {"formula": "last"}}],
            [OFF, OFF],
            "inactive",
            [],
            id="inactive in both",
        ),
    ],
)
def test_the_meters_of_one_event_name(a, b, result, fields, accounts, run):
    """Active ones are compared; a name that is active in neither account is no difference."""
    meter = existing("calls", "Calls", "sum")
    accounts([{**meter, **each} for each in a], [{**meter, **each} for each in b])
    code, document = compare(run)
    (compared,) = document["meters"]
    assert compared["result"] == result
    assert [field["path"] for field in compared["fields"]] == fields
    assert code == (0 if result in ("same", "inactive") else 2)
    assert document["counts"] == {name: int(name == result) for name in document["counts"]}


@pytest.mark.parametrize("both", [False, True])
def test_two_active_meters_of_one_name_are_never_compared(both, accounts, run):
    """Which of them counts usage is not known; the accounts are not equal."""
    meter = existing("calls", "Calls", "sum", id="mtr_1")
    one, other = accounts([meter, {**meter, "id": "mtr_2", **OFF}], [meter])
    alter(one, "mtr_2", status="active")
    if both:
        other.server.state.ledger.meters["mtr_3"] = {
            **other.server.state.ledger.meters["mtr_1"],
            "id": "mtr_3",
        }
    code, document = compare(run)
    (compared,) = document["meters"]
    assert (code, compared["result"], compared["a"]["meter"]) == (2, "ambiguous", None)
    assert set(compared["a"]["other_meters"]) == {"mtr_1", "mtr_2"}
    said = " ".join(run("compare", A, B).out.split())
    assert "not comparable: 2 active meters in sandbox (mtr_" in said
    assert ("and 2 active meters in production" in said) is both


def test_fields_and_statuses_that_this_version_does_not_know_are_compared(accounts, run):
    """And named in a warning; one that is not set equals one that is missing."""
    meter = existing("calls", "Calls", "sum", id="mtr_1")
    one, other = accounts([meter], [meter])
    alter(one, "mtr_1", dimensions={"keys": ["region"], "limit": None}, color=None, status="paused")
    alter(other, "mtr_1", dimensions={"keys": ["region", "plan"]}, status="paused")
    code, document = compare(run)
    (compared,) = document["meters"]
    assert code == 2
    assert compared["fields"] == [
        {"path": "dimensions.keys", "a": ["region"], "b": ["region", "plan"]}
    ]
    said = [[each["code"] for each in account["diagnostics"]] for account in document["accounts"]]
    assert said == [["P006", "P107"], ["P006", "P107"]]
    lines = run("compare", A, B, "--format", "markdown").out.splitlines()
    told = [line for line in lines if "P006" in line or "P107" in line]
    assert [line.partition(": ")[0] for line in told] == [f"- `{A}`"] * 2 + [f"- `{B}`"] * 2


MAPPING = "compare:\n  event_names:\n    - {sandbox: staging_calls, production: calls}\n"


def test_the_project_file_maps_event_names(accounts, run):
    """A mapped name has no other counterpart, in either direction."""
    staging, calls = existing("staging_calls", "Calls", "sum"), existing("calls", "Calls", "sum")
    accounts([staging, existing("seats", "Seats")], [calls, existing("seats", "Seats")], MAPPING)
    code, document = compare(run)
    assert (code, results(document)) == (0, [("seats", "same"), ("staging_calls", "same")])
    mapped = document["meters"][1]
    assert (mapped["a"]["event_name"], mapped["b"]["event_name"]) == ("staging_calls", "calls")
    back = held(run("compare", B, A, "--format", "json").out)
    assert results(back) == [("calls", "same"), ("seats", "same")]
    only = held(run("compare", A, B, "--only", "calls", "--format", "json").out)
    assert (results(only), only["complete"]) == ([("staging_calls", "same")], False)


def test_a_name_whose_counterpart_is_mapped_is_in_one_account_only(accounts, run):
    staging, calls = existing("staging_calls", "Calls", "sum"), existing("calls", "Calls", "sum")
    accounts([staging, calls], [calls, staging], MAPPING)
    code, document = compare(run)
    assert code == 2
    assert results(document) == [
        ("calls", "only_a"),
        ("staging_calls", "only_b"),
        ("staging_calls", "same"),
    ]


@pytest.mark.parametrize(
    ("entries", "code", "text"),
    [
        ("{sandbx: a, production: b}", "C010", "did you mean `sandbox`?"),
        ("{sandbox: a}", "C013", "no key besides `sandbox`"),
        ("{sandbox: a, production: 1}", "C009", "quote"),
        ("{sandbox: a, production: b}, {sandbox: c, production: b}", "C046", "mapped twice"),
    ],
)
def test_a_mapping_that_makes_no_sense_is_an_error(entries, code, text, accounts, run):
    one, _ = accounts([], [], f"compare: {{event_names: [{entries}]}}\n")
    ran = run("compare", A, B, "--format", "json")
    (said,) = held(ran.out)["diagnostics"]
    assert (ran.code, said["code"] in (code, "Y016")) == (1, True)
    assert said["location"]["line"] == 2
    assert text in f"{said['message']} {said['hint']}"
    assert [*one.server.log] == []


def test_a_permission_that_is_missing_in_one_account_is_no_difference(accounts, run, monkeypatch):
    """Nothing is said about any meter, and the account is named in every format."""
    meter = existing("calls", "Calls", "sum")
    settings = Settings(keys=(Key("rk_test_x", frozenset({"plan_read"})),))
    accounts([meter], [meter], settings=settings)
    monkeypatch.setenv("KEY_B", "rk_test_x")
    code, document = compare(run)
    assert (code, document["complete"], document["meters"]) == (6, False, [])
    assert [each["exit_code"] for each in document["accounts"]] == [0, 6]
    outs = [word for name in ("markdown", "html") for word in ("--out", f"{name}=out.{name}")]
    ran = run("compare", A, B, *outs)
    assert (ran.code, "Not compared." in ran.out) == (6, True)
    assert "account 'production'" in ran.out


def test_the_wrong_account_or_mode_is_refused(accounts, run):
    """A comparison with another account would say nothing about the one that is meant."""
    meter = existing("calls", "Calls", "sum")
    accounts([meter], [meter], account_id="acct_1Another")
    code, document = compare(run)
    assert (code, document["meters"], document["complete"]) == (3, [], False)


def test_two_keys_of_one_account_are_refused(accounts, run, monkeypatch):
    """It would always be equal to itself."""
    one, _ = accounts([existing("calls", "Calls", "sum")], [])
    text = (one.folder / "reconciler.yaml").read_text("utf-8")
    one.file("reconciler.yaml", re.sub(r"http://[0-9.:]+", one.server.url, text))
    code, document = compare(run)
    (said,) = document["diagnostics"]
    assert (code, said["code"], document["meters"]) == (3, "C017", [])
    lines = run("compare", A, B, "--format", "markdown").out.splitlines()
    (line,) = [each for each in lines if "C017" in each]
    assert re.match(r"- \W+ \*\*error\*\* C017: ", line)  # of neither account


@pytest.mark.parametrize(
    ("words", "text"),
    [
        ([], "compare takes two accounts"),
        ([A], "compare takes two accounts"),
        ([A, A], "are the same account"),
        ([A, "prodution"], "did you mean production?"),
        ([A, "*"], "'*' matches 2 accounts"),
        ([A, B, ".", "x"], "unrecognized arguments: x"),
        (["--account", A, "--account", B], "`compare` takes accounts as `compare A B`"),
    ],
)
def test_wrong_usage_says_what_to_write(words, text, accounts, run):
    one, _ = accounts([], [])
    ran = run("compare", *words, "--format", "json")
    (said,) = held(ran.out)["diagnostics"]
    assert (ran.code, text in f"{said['message']} {said['hint']}") == (64, True)
    assert [*one.server.log] == []


def test_every_format_shows_the_same_differences_and_escapes_them(accounts, run):
    """Text, Markdown and HTML; equal meters are named with -v and on the page."""
    evil = "<b>@all</b> | `x`"
    a = [existing("calls", evil, "sum"), existing("gone|*", "Gone"), existing("same", "Same")]
    accounts(a, [existing("calls", "Calls", "sum"), existing("same", "Same")])
    assert run("compare", A, B, "--out", "html=a.html", "--out", "markdown=a.md").code == 2
    text = run("compare", A, B).out
    assert ("calls" in text, "gone|*" in text, "equal\n" in text) == (True, True, False)
    assert "= same  equal" in run("compare", A, B, "-v").out
    page, comment = (read("a.html"), read("a.md"))
    assert "<b>@all" not in page
    assert "same" in page
    assert "Content-Security-Policy" in page
    (row,) = [line for line in comment.splitlines() if "calls" in line]
    assert row.replace("\\|", "").count("|") == 6
    assert "<b>" not in row


def test_a_comment_that_does_not_fit_says_how_much_is_missing(accounts, run):
    a = [existing(f"{'x' * 90}_{n}", "M" * 250) for n in range(400)]
    accounts(a, [{**each, "display_name": "N" * 250} for each in a])
    ran = run("compare", A, B, "--format", "markdown")
    assert ran.code == 2
    assert len(ran.out.encode()) <= 65_000
    shown = ran.out.count("| differs |")
    assert f"**{400 - shown} differences more did not fit.**" in ran.out


def read(name):
    with open(name, encoding="utf-8") as file:
        return file.read()


def test_long_values_and_many_warnings_are_bounded(accounts, run):
    """As in every other document; JSON has them whole."""
    names = [f"calls_{n}" for n in range(8)]
    one, _ = accounts([existing(name, "Calls", id=f"mtr_{name}") for name in names], [])
    for name in names:
        alter(one, f"mtr_{name}", brand_new=f"{name}!", event_name=f"{name} {'x' * 100_000}")
    for format_ in ("text", "markdown", "html"):
        out = run("compare", A, B, "--format", format_).out
        assert "5 more diagnostics with code P107 are not listed here" in " ".join(out.split())
        assert len(out) < 40_000
    assert "calls_7!" in run("compare", A, B, "-v").out
    _, document = compare(run)
    assert len(document["accounts"][0]["diagnostics"]) == 8
    assert len(document["meters"][0]["a"]["event_name"]) > 100_000


def test_a_pattern_without_a_meter_is_no_equality(accounts, run):
    """A typo in CI must not look like two equal accounts."""
    accounts([existing("calls", "C", "sum")], [existing("calls", "C", "sum")])
    ran = run("compare", A, B, "--only", "cals")
    assert (ran.code, "U008" in ran.out, "did you mean calls?" in ran.out) == (64, True, True)
