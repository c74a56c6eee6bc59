"""Where the key goes, which keys go there, and what is said about a key that does not."""

from __future__ import annotations

import json

import pytest
from cli.world import SEATS
from stripe_client.scripted import Scripted, http, in_turn, refusal

from reconciler.emulator import Key, Settings

ALLOW = "RECONCILER_ALLOW_API_BASE"


@pytest.fixture
def gateway(monkeypatch):
    """A proxy that refuses to connect, and remembers where a run wanted to go."""
    with Scripted(in_turn(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n")) as server:
        monkeypatch.setenv("HTTPS_PROXY", server.url)
        yield server


def diagnostics_of(ran):
    (account,) = json.loads(ran.out)["accounts"]
    return account["diagnostics"]


@pytest.mark.parametrize(
    "address",
    ["https://evil.example", "https://api.stripe.com.evil.example", "https://api.stripe.com:8443"],
)
@pytest.mark.parametrize("command", [["plan"], ["apply", "--yes"], ["drift"], ["list"]])
def test_a_file_cannot_send_the_key_to_another_host(command, address, gateway, run, world):
    """Not even a connection is opened."""
    made = world(SEATS, api_base=address)
    ran = run(*command, made.folder)
    assert (ran.code, gateway.asked) == (1, [])
    text = " ".join(ran.out.split())
    assert f"S005: account 'sandbox': the key is not sent to {address}, which" in text
    assert f"set {ALLOW} to its host" in text
    assert run("validate", made.folder).code == 0


@pytest.mark.parametrize(
    ("address", "allowed", "reached"),
    [
        ("https://api.stripe.com", "", True),
        ("https://API.Stripe.com:443/", "", True),
        ("https://gate.example/stripe", "gate.example", True),
        ("https://gate.example", "GATE.example:443", True),
        ("https://gate.example", "https://gate.example/", True),
        ("https://gate.example:8443", "other.example, gate.example:8443", True),
        ("https://gate.example", "gate.example:8443", False),
        ("https://gate.example:8443", "gate.example", False),
        ("https://sub.gate.example", "gate.example", False),
        ("https://gate.example", "http://gate.example", False),
        ("https://gate.example", "*", False),
    ],
)
def test_the_environment_allows_another_host(
    address, allowed, reached, gateway, run, world, monkeypatch
):
    """By its host and port; Stripe needs no permission."""
    monkeypatch.setenv(ALLOW, allowed)
    made = world(SEATS, api_base=address)
    (said,) = diagnostics_of(run("plan", made.folder, "--format", "json"))
    assert said["code"] == ("S010" if reached else "S005")
    assert {asked.method for asked in gateway.asked} == ({"CONNECT"} if reached else set())


def test_plain_http_is_never_allowed(gateway, run, world, monkeypatch):
    """Whatever the environment says, the key does not travel in clear text."""
    monkeypatch.setenv(ALLOW, "http://gate.example, gate.example")
    made = world(SEATS, api_base="http://gate.example")
    ran = run("plan", made.folder)
    assert (ran.code, gateway.asked) == (1, [])
    assert "C014" in ran.out


@pytest.mark.parametrize("value", ["ghp_0123456789abcdef", "whsec_abcdef", "hunter2hunter2"])
def test_another_secret_of_the_job_is_not_sent(value, run, world, monkeypatch):
    """A file may name any variable."""
    monkeypatch.setenv("GITHUB_TOKEN", value)
    made = world(SEATS, api_key_env="GITHUB_TOKEN")
    ran = run("plan", made.folder)
    assert (ran.code, [*made.server.log]) == (6, [])
    assert "S002" in ran.out
    assert value not in ran.out + ran.err


RESTRICTED = Key("rk_test_x", frozenset({"billing_meter_write", "plan_read", "event_read"}))


@pytest.fixture
def restricted(world, monkeypatch):
    """`restricted(account_id)`: an account whose key may not read which account it is."""
    monkeypatch.setenv("SANDBOX_KEY", RESTRICTED.secret)
    return lambda own: world(SEATS, settings=Settings(keys=(RESTRICTED,)), account_id=own)


def test_a_refusal_that_names_the_configured_account_confirms_it(restricted, run):
    """A restricted key needs no further permission."""
    made = restricted("acct_1EmulatedAccount")
    ran = run("apply", made.folder, "--yes", "--format", "json")
    assert (ran.code, len(made.posts())) == (0, 1)
    (account,) = json.loads(ran.out)["accounts"]
    assert account["account"]["id"] == "acct_1EmulatedAccount"


def test_a_refusal_that_names_another_account_denies_it(restricted, run):
    made = restricted("acct_1Another")
    ran = run("apply", made.folder, "--yes")
    assert (ran.code, made.posts()) == (3, [])
    assert "G007" in ran.out
    assert "the key belongs to acct_1EmulatedAccount" in " ".join(ran.out.split())


def test_no_hint_asks_to_remove_the_safety(restricted, run):
    """Where the refusal names no account, the way out is the permission."""
    made = restricted("acct_1EmulatedAccount")
    made.server.arm("garbage:path=/v1/account:status=403")
    ran = run("apply", made.folder, "--yes", "--format", "json")
    (said,) = [each for each in diagnostics_of(ran) if each["code"] == "G008"]
    assert (ran.code, made.posts()) == (3, [])
    assert said["hint"] == "add the permission rak_accounts_kyc_basic_read to the restricted key"
    explained = run("explain", "G008").out
    assert "remove" not in explained + said["hint"]


def test_a_permission_has_the_name_that_stripe_gives_it(run, world):
    """The one to look for in the Dashboard, and its identifier."""
    text = (
        "Permission denied. The provided key 'rk_test_***' lacks it. Enabling \"Identity Read\" "
        "('accounts_kyc_id_numbers_read') permissions on this key would allow this request."
    )
    empty = http(200, {"object": "list", "data": [], "has_more": False})
    script = {"/v1/account": refusal(403, text)}
    with Scripted(lambda asked: script.get(asked.path, empty)) as server:
        made = world(SEATS, account_id="acct_1", api_base=server.url)
        ran = run("plan", made.folder, "--format", "json")
    (said,) = [each for each in diagnostics_of(ran) if each["code"] == "G008"]
    assert "(permission: accounts_kyc_id_numbers_read)" in said["message"]
    assert '"Identity Read" (accounts_kyc_id_numbers_read)' in said["hint"]


@pytest.mark.parametrize(
    ("value", "flaw"),
    [
        ("'sk_test_51abcdefgh'", "is in quotes, which are part of the value"),
        ("SANDBOX_KEY=sk_test_51abcdefgh", "begins with `NAME=`: the value is the key alone"),
        ("pk_test_51abcdefgh", "is a publishable key (pk_…), which may read nothing"),
        ("<paste your key here>", "is a placeholder"),
        ("sk_test_51abcdefgh\n", "holds a space or a line break"),
    ],
)
def test_what_is_wrong_with_a_key_is_said(value, flaw, run, world, monkeypatch):
    """Without repeating it."""
    made = world(SEATS)
    monkeypatch.setenv("SANDBOX_KEY", value)
    ran = run("plan", made.folder, "--format", "json")
    (said,) = diagnostics_of(ran)
    assert (ran.code, said["code"]) == (6, "S002")
    assert said["message"] == f"the API key in SANDBOX_KEY {flaw}"
    assert "51abcdefgh" not in ran.out + ran.err
    assert [*made.server.log] == []


@pytest.mark.parametrize("key", ["sk_test_a-b.c+d/e=", "rk_test_~!*"])
def test_a_key_of_an_unusual_alphabet_is_sent(key, run, world, monkeypatch):
    """And is not displayed, even by a bug."""
    made = world(SEATS, api_key_env="JOB_SETTING")
    monkeypatch.setenv("JOB_SETTING", key)
    assert run("apply", made.folder, "--yes").code == 0
    monkeypatch.setattr("reconciler.operations.make_plan.match_meters", lambda *_: 1 / int(key))
    ran = run("plan", made.folder, "-vv")
    assert "E900" in ran.out
    assert key not in ran.out + ran.err
    assert key.removeprefix("sk_test_") not in ran.out + ran.err


@pytest.mark.parametrize(
    ("environ", "value", "said"),
    [
        (
            {"CI": "true"},
            "",
            "the pull request of a fork gets no secrets: run `reconciler validate`",
        ),
        ({"GITLAB_CI": "true"}, " ", "the pull request of a fork gets no secrets"),
        ({"CI": "true"}, "", "check the name of the secret behind SANDBOX_KEY, and that this job"),
        ({"CI": "true"}, None, "set SANDBOX_KEY to a secret or restricted key"),
        ({}, "", "set SANDBOX_KEY to a secret or restricted key"),
        ({"CI": "false"}, "", "set SANDBOX_KEY to a secret or restricted key"),
        ({"CI": "0"}, "", "set SANDBOX_KEY to a secret or restricted key"),
    ],
)
def test_an_empty_key_in_a_job(environ, value, said, run, world, monkeypatch):
    """A secret that does not exist is an empty variable there."""
    made = world(SEATS)
    for name, given in {**environ, "SANDBOX_KEY": value}.items():
        monkeypatch.delenv(name) if given is None else monkeypatch.setenv(name, given)
    ran = run("plan", made.folder, "--format", "json")
    (diagnostic,) = diagnostics_of(ran)
    assert (ran.code, diagnostic["code"]) == (6, "S001")
    assert said in diagnostic["hint"]


@pytest.mark.parametrize("key", ["stripe_account", "stripe_context", "account_id", "api_key_env"])
@pytest.mark.parametrize("nothing", ["null", "~", ""])
def test_no_account_is_not_answered_with_quotes(key, nothing, run, world):
    """An account of that name is never meant."""
    made = world(SEATS)
    entry = {"api_key_env": "SANDBOX_KEY", key: nothing}
    lines = "".join(f"    {name}: {value}\n" for name, value in entry.items())
    made.file("reconciler.yaml", f"version: 1\naccounts:\n  x:\n{lines}")
    ran = run("validate", made.folder, "--format", "json")
    (said,) = json.loads(ran.out)["diagnostics"]
    assert (ran.code, said["code"], said["message"]) == (1, "C009", f"`{key}` has no value")
    assert f"remove `{key}`" in said["hint"]


@pytest.mark.parametrize("way", ["stripe_account", "stripe_context"])
def test_a_connected_account_without_access_is_no_missing_permission(way, run, world):
    """No permission of a restricted key would help."""
    made = world(SEATS, **{way: "acct_1Gone"})
    ran = run("plan", made.folder, "--format", "json")
    (said,) = diagnostics_of(ran)
    assert (ran.code, said["code"]) == (6, "S008")
    assert "does not have access to account 'acct_1Gone'" in said["message"]
    assert way in said["hint"]
    assert "permission" not in said["hint"]
