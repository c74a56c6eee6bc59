"""`--expect HASH`: what was reviewed with one key is applied with another."""

from __future__ import annotations

import pytest
from cli.world import CALLS, SEATS, existing
from published import held

from reconciler.emulator import Key, Settings

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
