"""Several accounts in one run: each of them once, and one that cannot be read hides nothing."""

from __future__ import annotations

import pytest
from cli.world import SEATS, existing
from published import held

CHAIRS = {"meters": [existing("seats", "Chairs")]}
COMMANDS = [["plan"], ["apply", "--yes"], ["drift"]]


def no_key(made, monkeypatch):
    monkeypatch.delenv("SANDBOX_KEY")


def malformed_key(made, monkeypatch):
    monkeypatch.setenv("SANDBOX_KEY", "hello")


def rejected_key(made, monkeypatch):
    monkeypatch.setenv("SANDBOX_KEY", "sk_test_")


def no_answer(made, monkeypatch):
    made.server.arm("reset:method=GET")


def no_service(made, monkeypatch):
    made.server.arm("500:method=GET")


def wrong_account(made, monkeypatch):
    made.write(SEATS, account_id="acct_1Another")


@pytest.mark.parametrize("words", COMMANDS, ids=lambda words: words[0])
def test_an_account_that_is_named_twice_is_run_once(words, world, run):
    """One report, and no request is sent twice."""
    made = world(SEATS, CHAIRS)
    twice = ["--account", "sandbox", "--account", "sandbox"]
    document = held(run(words[0], made.folder, *words[1:], *twice, "--format", "json").out)
    assert [each["account"]["name"] for each in document["accounts"]] == ["sandbox"]
    assert len(made.posts()) == (words[0] == "apply")


@pytest.mark.parametrize("words", [*COMMANDS, ["list"]], ids=lambda words: words[0])
@pytest.mark.parametrize("fail", [no_key, malformed_key, rejected_key, no_answer, no_service])
def test_an_account_that_cannot_be_read_is_not_complete(fail, words, world, run, monkeypatch):
    """Nor is the run; an empty report of it must not look like a clean account."""
    made = world(SEATS, CHAIRS)
    fail(made, monkeypatch)
    ran = run(words[0], made.folder, *words[1:], "--format", "json")
    document = held(ran.out)
    (account,) = document["accounts"]
    assert ran.code in (1, 6)
    assert (document["complete"], account["exit_code"]) == (False, ran.code)
    assert account.get("complete", False) is False
    assert account["diagnostics"]
    assert made.posts() == []


@pytest.mark.parametrize("words", COMMANDS, ids=lambda words: words[0])
def test_one_account_without_a_key_does_not_hide_the_other(words, world, run):
    """The other is done, reported as complete, and the exit code is the worse one."""
    made = world(SEATS, CHAIRS)
    made.add_account("unready")
    both = ["--account", "unready", "--account", "sandbox"]
    ran = run(words[0], made.folder, *words[1:], *both, "--format", "json")
    document = held(ran.out)
    ends = [(each["account"]["name"], each["complete"]) for each in document["accounts"]]
    assert ends == [("unready", False), ("sandbox", True)]
    assert (ran.code, document["exit_code"], document["complete"]) == (6, 6, False)
    assert len(made.posts()) == (words[0] == "apply")


def test_drift_in_the_wrong_account_is_not_complete(world, run):
    """Nothing was compared."""
    made = world(SEATS, CHAIRS)
    wrong_account(made, None)
    ran = run("drift", made.folder, "--format", "json")
    (account,) = held(ran.out)["accounts"]
    assert (ran.code, account["complete"], account["findings"]) == (3, False, [])


@pytest.mark.parametrize("words", COMMANDS, ids=lambda words: words[0])
def test_entries_may_share_the_variable_of_their_keys(words, world, run):
    """As the environments of one CI service do; the key of one account never acts on another."""
    made = world(SEATS, CHAIRS, account_id="acct_1EmulatedAccount")
    project = made.folder / "reconciler.yaml"
    first = project.read_text("utf-8")
    other = first.splitlines()[-1].replace("sandbox", "other").replace("acct_1Emul", "acct_2Emul")
    project.write_text(f"{first}{other}\n", "utf-8")
    ran = run(words[0], made.folder, *words[1:], "--account", "*", "--format", "json")
    sandbox, refused = held(ran.out)["accounts"]
    assert [said["code"] for said in refused["diagnostics"]] == ["G007"]
    assert (sandbox["exit_code"], refused["exit_code"]) == (2 if words[0] == "drift" else 0, 3)
    assert len(made.posts()) == (words[0] == "apply")
