"""`--expect HASH`: what was reviewed with one key is applied with another."""

from __future__ import annotations

import json
import re

import pytest
import requests
from cli.world import CALLS, SEATS, existing
from published import held

from reconciler.emulator import Key, Settings
from reconciler.render import render
from reconciler.report.read_report import read_report

READING = Key("rk_test_read", frozenset({"billing_meter_read", "plan_read"}))
WRITING = Key("sk_test_write")
ODD = existing("calls", "Calls", "last", id="mtr_odd")
ACCOUNT = "acct_1EmulatedAccount"


@pytest.fixture
def reviewed(world, run, monkeypatch):
    """`reviewed(...)`: a project, and the hash of its plan as a key sees it that may only read."""

    def build(**account):
        settings = Settings(keys=(READING, WRITING))
        made = world(SEATS, {"meters": [ODD]}, settings=settings, **account)
        monkeypatch.setenv("SANDBOX_KEY", READING.secret)
        (planned,) = held(run("plan", made.folder, "--format", "json").out)["accounts"]
        monkeypatch.setenv("SANDBOX_KEY", WRITING.secret)
        return made, planned["plan_hash"]

    return build


@pytest.mark.parametrize("account", [{"stripe_account": ACCOUNT}, {"account_id": ACCOUNT}])
def test_the_hash_does_not_depend_on_what_a_key_may_read_of_the_account(account, reviewed, run):
    """The one key knows whose account it is, the other does not."""
    made, expected = reviewed(**account)
    ran = run("apply", made.folder, "--yes", "--expect", expected, "--format", "json")
    assert ran.code == 0, ran.out
    (applied,) = held(ran.out)["accounts"]
    assert (applied["plan_hash"], applied["account"]["id"]) == (expected, ACCOUNT)


@pytest.mark.parametrize(
    ("meters", "account"),
    [
        (f"{SEATS}\n{CALLS}", {"account_id": ACCOUNT}),
        (SEATS.replace("Seats", "Chairs"), {"account_id": ACCOUNT}),
        (SEATS, {"stripe_account": ACCOUNT}),
        (SEATS, {"account_id": ACCOUNT, "stripe_account": ACCOUNT}),
    ],
)
def test_other_files_or_another_account_have_another_hash(meters, account, reviewed, run):
    """Then nothing is written."""
    made, expected = reviewed(account_id=ACCOUNT)
    made.write(meters, **account)
    ran = run("apply", made.folder, "--yes", "--expect", expected)
    assert (ran.code, made.posts()) == (3, [])


def test_an_empty_hash_approves_nothing(reviewed, run):
    """It is what a script passes on of a plan that failed."""
    made, _ = reviewed(account_id=ACCOUNT)
    ran = run("apply", made.folder, "--yes", "--expect", "")
    assert (ran.code, made.posts()) == (3, [])


def test_nothing_to_apply_needs_no_approval(world, run):
    """A job that has applied its plan can run again, also without an account_id."""
    made = world(SEATS, {"meters": [existing("seats", "Seats")]})
    ran = run("apply", made.folder, "--yes", "--expect", "another")
    assert (ran.code, "No changes to apply." in ran.out) == (0, True)
    blocked = SEATS.replace("count", "sum")
    made.write(blocked)
    assert run("apply", made.folder, "--yes", "--expect", "another").code == 3


@pytest.fixture
def approved(world, run, tmp_path):
    """A project whose plan (rename one meter, create another) was saved and approved."""
    seed = {"meters": [existing("seats", "Old", id="mtr_s"), existing("other", "Other")]}
    made = world(f"{SEATS}\n{CALLS}", seed, account_id=ACCOUNT)
    file = tmp_path / "approved.json"
    run("plan", made.folder, "--save", file)
    return made, file, json.loads(file.read_text())["plan_hash"]


def compare(run, made, file, expected, *words):
    return run(
        "apply", made.folder, "--yes", "--expect", expected, "--approved", file, "--format", *words
    )


def edit(made, **fields):
    """Change the meter in the account, by hand."""
    url = f"{made.server.url}/v1/billing/meters/mtr_s"
    key = {"Authorization": "Bearer sk_test_emulator"}
    requests.post(url, fields, headers=key, timeout=9).raise_for_status()


def test_what_differs_from_the_approved_plan_is_shown(approved, run):
    """The account moved, and the files did."""
    made, file, expected = approved
    edit(made, display_name="Hand")
    made.write(SEATS, account_id=ACCOUNT)
    ran = compare(run, made, file, expected, "json")
    assert (ran.code, len(made.posts())) == (3, 1)
    (account,) = held(ran.out)["accounts"]
    assert [said["code"] for said in account["diagnostics"]] == ["G010"]
    calls, seats = account["differences"]
    assert (calls["event_name"], calls["approved"], calls["planned"]) == ("calls", "create", None)
    assert (seats["event_name"], seats["approved"], seats["planned"]) == ("seats", *["update"] * 2)
    fields = {each["path"]: (each["approved"], each["planned"]) for each in seats["fields"]}
    assert fields["meters.mtr_s.display_name"] == ("Old", "Hand")
    before, after = fields.pop("meters.mtr_s.updated")
    assert (after > before, len(fields)) == (True, 1)


@pytest.mark.parametrize(
    "form", ["text", "markdown", "html", "junit", "sarif", "github", "codequality"]
)
def test_every_format_shows_the_difference(form, approved, run):
    """And a report that is read again still has it."""
    made, file, expected = approved
    edit(made, display_name="Hand")
    ran = compare(run, made, file, expected, form, "--out", f"json={file.parent / 'report.json'}")
    said = re.sub(r"\s+", " ", ran.out.replace("\\n", " ").replace("&quot;", '"'))
    assert "updated: 2025-01-01T00:00:00Z → 2026-" in said.replace("\\u2192", "→")
    for text in ("G016", "approved → now", "meters.mtr_s.display_name", "Hand"):
        assert text in said.replace("\\u2192", "→").replace("\\", ""), text
    report = (file.parent / "report.json").read_text()
    again = render(read_report(report, "report.json"), "json")
    assert json.loads(again)["accounts"][0]["differences"]


def test_another_configured_account_is_a_difference(approved, run):
    made, file, expected = approved
    made.write(f"{SEATS}\n{CALLS}", account_id=ACCOUNT, stripe_account=ACCOUNT)
    ran = compare(run, made, file, expected, "text")
    assert f'the account, approved → now: target.stripe_account: (none) → "{ACCOUNT}"' in (
        ran.out.replace("\n    ", " ")
    )


def test_of_a_folder_of_plans_that_of_the_account_is_compared(approved, run, tmp_path):
    made, file, expected = approved
    folder = tmp_path / "plans"
    folder.mkdir()
    (folder / "sandbox.json").write_bytes(file.read_bytes())
    edit(made, display_name="Hand")
    (account,) = held(compare(run, made, folder, expected, "json").out)["accounts"]
    assert [each["event_name"] for each in account["differences"]] == ["seats"]


def test_the_approved_plan_is_only_shown(approved, run):
    """The plan that is applied is made anew, whatever the file holds."""
    made, file, expected = approved
    file.write_text("nothing")
    assert compare(run, made, file, expected, "json").code == 0
    assert len(made.posts()) == 2


@pytest.mark.parametrize("content", ["nothing", "another plan", "an edited plan"])
def test_another_file_is_not_compared_with(content, approved, run):
    """Its hash is computed again: it cannot pass for the approved plan."""
    made, file, expected = approved
    edit(made, display_name="Hand")
    if content == "another plan":
        run("plan", made.folder, "--save", file)
    else:
        text = file.read_text().replace('"Old"', '"Older"')
        file.write_text(text if content == "an edited plan" else content)
    ran = compare(run, made, file, expected, "json")
    (account,) = held(ran.out)["accounts"]
    assert (ran.code, "differences" in account) == (3, False)
    assert [said["code"] for said in account["diagnostics"]] == ["G010", "G017"]


def test_a_plan_to_compare_with_has_to_be_there(approved, run, tmp_path):
    made, file, expected = approved
    assert compare(run, made, tmp_path / "none", expected, "json").code == 1
    ran = run("apply", made.folder, "--yes", "--approved", file)
    assert (ran.code, "--approved needs --expect" in ran.out) == (64, True)
    ran = compare(run, made, file, expected, "text", "--out", f"json={file}")
    assert (ran.code, "is the approved plan" in " ".join(ran.out.split())) == (64, True)
    assert made.posts() == []


def test_a_missing_approved_plan_is_found_before_the_project_is_read(world, run):
    """With the other files that the command line names."""
    made = world(SEATS.replace("count", "median"))
    expected = ("--expect", "a" * 64, "--approved", made.folder / "missing.json")
    ran = run("apply", made.folder, "--yes", *expected)
    assert (ran.code, "missing.json" in ran.out, "C0" in ran.out) == (1, True, False)
    assert not made.server.log
