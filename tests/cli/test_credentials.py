"""Where the key goes, which keys go there, and what is said about a key that does not."""

from __future__ import annotations

import json

import pytest
from cli.world import SEATS
from stripe_client.scripted import Scripted, in_turn

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
