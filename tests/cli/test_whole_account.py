"""Errors of a whole account: one, first, and no hint that cannot help."""

from __future__ import annotations

from html import unescape

import pytest
from cli.world import CALLS, SEATS, account_of, existing

from reconciler.render import FORMATS

STORED = existing("seats", "Chairs", id="mtr_s")
ACCOUNT = "acct_1EmulatedAccount"


CONFIGURED = {
    "G006": {"livemode": True},
    "G007": {"account_id": "acct_other"},
    "G008": {"account_id": ACCOUNT},
}
MESSAGES = {
    "G006": "account 'sandbox' is configured for live mode, but mtr_s is in test mode",
    "G007": "account 'sandbox' is configured as acct_other, but the key belongs to " + ACCOUNT,
    "G008": f"account 'sandbox' is configured as {ACCOUNT}, but the key may not read its account",
}


def build(world, code, meters=f"{SEATS}\n{CALLS}"):
    """A project of which the account is wrong, or cannot be confirmed."""
    made = world(meters, {"meters": [STORED]}, **CONFIGURED[code])
    if code == "G008":
        made.server.arm("garbage:path=/v1/account:status=403")
    return made


@pytest.mark.parametrize(
    "words", [["plan"], ["apply", "--yes"], ["apply", "--yes", "--skip-refused"]]
)
@pytest.mark.parametrize("code", CONFIGURED)
def test_what_is_wrong_with_the_account_is_said_once(code, words, world, run):
    """It refuses every change, and is an error of the account, the first one."""
    made = build(world, code)
    ran = run(*words, made.folder, "--format", "json")
    account = account_of(ran)
    assert (ran.code, made.posts()) == (3, [])
    errors = [each["code"] for each in account["diagnostics"] if each["level"] == "error"]
    assert errors == [code]
    assert account["diagnostics"][0]["code"] == code
    assert account["diagnostics"][0]["event_name"] is None
    assert [each["refused_by"] for each in account["changes"]] == [[code], [code]]
    assert "--skip-refused" not in ran.out


@pytest.mark.parametrize("format_", [each for each in FORMATS if each != "json"])
@pytest.mark.parametrize("code", CONFIGURED)
def test_every_format_shows_it_once(code, format_, world, run):
    """With one change and with two; a failed test case repeats what it is named after."""
    for meters in (SEATS, f"{SEATS}\n{CALLS}"):
        made = build(world, code, meters)
        ran = run("apply", made.folder, "--yes", "--format", format_)
        assert format_ == "sarif" or "--skip-refused" not in ran.out  # SARIF explains each code
        shown = " ".join(unescape(ran.out).replace("`", "").split())
        assert shown.count(MESSAGES[code]) == (3 if format_ == "junit" else 1), ran.out


def test_the_text_begins_with_it(world, run):
    """What is planned comes after what makes it pointless."""
    text = run("plan", build(world, "G006").folder).out
    assert text.index("G006") < text.index("seats")


@pytest.mark.parametrize(("declared", "helps"), [(SEATS, False), (f"{SEATS}\n{CALLS}", True)])
def test_skipping_is_only_offered_where_something_would_be_left(declared, helps, world, run):
    """The only change is blocked: without it there is nothing to apply."""
    made = world(declared, {"meters": [existing("seats", "Seats", "sum")]})
    assert ("--skip-refused" in run("apply", made.folder, "--yes").out) is helps
    assert "--skip-refused" not in run("apply", made.folder, "--yes", "--skip-refused").out


@pytest.mark.parametrize("words", [[], ["--skip-refused"]])
def test_a_wrong_hash_gives_every_change_a_result(words, world, run):
    """It says why nothing was done; what needs nothing has none."""
    desks = SEATS.replace("seats", "desks").replace("Seats", "Desks")
    seed = {"meters": [STORED, existing("desks", "Desks")]}
    made = world(f"{SEATS}\n{CALLS}\n{desks}", seed, account_id=ACCOUNT)
    ran = run("apply", made.folder, "--yes", "--expect", "0" * 64, *words, "--format", "json")
    account = account_of(ran)
    assert (ran.code, made.posts()) == (3, [])
    assert [each["code"] for each in account["diagnostics"]] == ["G010"]
    results = {each["event_name"]: each.get("result") for each in account["changes"]}
    assert results.pop("desks") is None
    assert {name: each["status"] for name, each in results.items()} == {
        "seats": "skipped",
        "calls": "skipped",
    }
    for result in results.values():
        assert "not the expected one" in result["error"]["message"]


@pytest.mark.parametrize("hashed", ["right", "wrong"])
def test_a_hash_approves_nothing_without_an_account_id(hashed, world, run):
    """The same plan of another account has the same hash, so any key would do."""
    made = world(SEATS)
    expected = account_of(run("plan", made.folder, "--format", "json"))["plan_hash"]
    given = expected if hashed == "right" else "0" * 64
    ran = run("apply", made.folder, "--yes", "--expect", given, "--format", "json")
    account = account_of(ran)
    assert (ran.code, made.posts()) == (3, [])
    assert account["diagnostics"][0]["code"] == "G014"
    assert "account_id" in account["diagnostics"][0]["message"]
    (change,) = account["changes"]
    assert change["result"]["status"] == "skipped"
    made.write(SEATS, account_id=ACCOUNT)
    again = account_of(run("plan", made.folder, "--format", "json"))["plan_hash"]
    assert run("apply", made.folder, "--yes", "--expect", again).code == 0


def test_an_emulated_account_needs_no_account_id(world, run):
    """Only this process reaches it."""
    made = world(SEATS)
    project = "version: 1\naccounts:\n  local: {emulator: state.json}\n"
    made.file("reconciler.yaml", project)
    expected = account_of(run("plan", made.folder, "--format", "json"))["plan_hash"]
    assert run("apply", made.folder, "--yes", "--expect", expected).code == 0


def test_a_connected_account_is_named_by_the_hash(world, run):
    """Stripe answers for it, and the hash contains it."""
    made = world(SEATS, stripe_account=ACCOUNT)
    expected = account_of(run("plan", made.folder, "--format", "json"))["plan_hash"]
    assert run("apply", made.folder, "--yes", "--expect", expected).code == 0
