"""`emulate` as a process: it prints its address and serves until a signal."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from contextlib import contextmanager

import pytest
from cli.world import CALLS
from published import held

from reconciler.emulator import open_state


@contextmanager
def emulating(*words: object):
    """The process and its one document; ended in any case."""
    command = [sys.executable, "-m", "reconciler", "emulate", "--port", "0", "--format", "json"]
    child = subprocess.Popen(
        [*command, *map(str, words)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        text = ""
        while not text.endswith("\n}\n"):
            line = child.stdout.readline()
            assert line, child.stderr.read()
            text += line
        yield child, held(text)
    finally:
        child.kill()
        child.communicate()


def meters(document: dict[str, str]) -> list[str]:
    """The event_names that the emulator lists."""
    request = urllib.request.Request(f"{document['url']}/v1/billing/meters")
    request.add_header("Authorization", f"Bearer {document['api_key']}")
    with urllib.request.urlopen(request, timeout=10) as answer:
        return [meter["event_name"] for meter in json.load(answer)["data"]]


SEED = {
    "meters": [
        {
            "event_name": "seats",
            "display_name": "Seats",
            "default_aggregation": {"formula": "count"},
        }
    ]
}


@pytest.mark.parametrize("signal_", [signal.SIGINT, signal.SIGTERM])
def test_it_serves_until_a_signal(signal_, tmp_path):
    """Ending a server is no failure: exit 0, and the account is kept in its file."""
    seed, state = tmp_path / "seed.json", tmp_path / "state.json"
    seed.write_text(json.dumps(SEED))
    with emulating("--seed", seed, "--state", state) as (child, document):
        assert meters(document) == ["seats"]
        child.send_signal(signal_)
        out, err = child.communicate(timeout=10)
        assert (child.returncode, out, err) == (0, "", "")
    with open_state(state) as store:
        assert [meter["event_name"] for meter in store.ledger.meters.values()] == ["seats"]


def test_it_breaks_on_demand():
    """A fault of the command line strikes."""
    with emulating("--fault", "500:before:times=1", "--latency", "1") as (_, document):
        with pytest.raises(urllib.error.HTTPError, match="500"):
            meters(document)
        assert meters(document) == []


READ_ONLY = "rk_test_reader=billing_meter_read,plan_read,event_read"


def test_a_key_that_may_only_read(run, tmp_path, monkeypatch):
    """It plans and audits; an apply with it ends with 6 and writes nothing, as at Stripe."""
    seed = tmp_path / "seed.json"
    seed.write_text(json.dumps(SEED))
    with emulating("--seed", seed, "--key", READ_ONLY, "--key", "sk_test_all") as (_, document):
        assert document["api_key"] == "rk_test_reader"
        entry = {"api_key_env": "SANDBOX_KEY", "api_base": document["url"]}
        project = {"version": 1, "meters": ["meters.yaml"], "accounts": {"sandbox": entry}}
        (tmp_path / "reconciler.yaml").write_text(json.dumps(project))
        (tmp_path / "meters.yaml").write_text(f"version: 1\nmeters:\n  - {CALLS}\n")
        monkeypatch.setenv("SANDBOX_KEY", document["api_key"])
        assert run("plan", tmp_path, "--detailed-exitcode").code == 2
        assert run("drift", tmp_path).code == 2
        refused = run("apply", tmp_path, "--yes")
        assert refused.code == 6
        assert "billing_meter_write" in refused.out
        assert meters(document) == ["seats"]
        monkeypatch.setenv("SANDBOX_KEY", "sk_test_all")
        assert run("apply", tmp_path, "--yes").code == 0
        assert meters(document) == ["calls", "seats"]


@pytest.mark.parametrize("key", ["hello", "rk_test_x=billing_meter_raed"])
def test_a_key_that_makes_no_sense_is_wrong_usage(key, run):
    """Before anything is served."""
    ran = run("emulate", "--port", "0", "--key", key, "--format", "json")
    assert ran.code == 64
    assert [diagnostic["code"] for diagnostic in held(ran.out)["diagnostics"]] == ["U002"]


def test_it_announces_and_holds():
    """At the moment that is asked for it pauses until a signal."""
    with emulating("--announce", "--hold", "1:before") as (child, document):
        child.stdin.write("\n")
        child.stdin.flush()
        assert meters(document) == []
        assert child.stderr.readline() == "reached 1 before GET /v1/billing/meters\n"
        assert child.stderr.readline() == "reached 1 after GET /v1/billing/meters\n"


def test_a_taken_port_is_a_clear_error(run, world):
    """E001 and exit 1; which port, and how to come by a free one."""
    port = world().server.port
    ran = run("emulate", "--port", port)
    assert ran.code == 1
    assert f"error E001: cannot listen on 127.0.0.1:{port}: Address already in use" in ran.out
    assert "--port 0" in ran.out


@pytest.mark.parametrize("option", ["--seed", "--state"])
@pytest.mark.parametrize("name", ["own.json", "./own.json", "linked.json", "hard.json"])
def test_no_document_takes_the_place_of_the_state_or_the_seed(option, name, run, tmp_path):
    """By whatever name; it would be lost for the next start."""
    own = tmp_path / "own.json"
    own.write_text(json.dumps(SEED))
    (tmp_path / "linked.json").symlink_to("own.json")
    os.link(own, tmp_path / "hard.json")
    ran = run("emulate", "--port", "0", option, own, "--out", f"json={tmp_path}/{name}")
    assert (ran.code, own.read_text()) == (64, json.dumps(SEED))
    assert "error U009" in ran.out


@pytest.mark.parametrize("options", [["--seed", "none.json"], ["--state", "meters.yaml"]])
def test_files_that_describe_no_account_are_clear_errors(options, run, world, monkeypatch):
    """E001 and exit 1, one document."""
    monkeypatch.chdir(world("{}").folder)
    ran = run("emulate", "--port", "0", *options, "--format", "json")
    assert ran.code == 1
    assert [diagnostic["code"] for diagnostic in held(ran.out)["diagnostics"]] == ["E001"]


@pytest.mark.parametrize("port", ["65536", "99999999999999999999", "-1", "http"])
def test_a_port_that_cannot_be_is_wrong_usage(port, run):
    ran = run("emulate", "--port", port)
    assert ran.code == 64
    assert "error U002: argument --port" in ran.out


@pytest.mark.parametrize("host", ["nowhere.invalid", "127.0.0.1:80", "", "[::1]", "x" * 300])
def test_a_host_that_cannot_be_is_a_clear_error(host, run, monkeypatch):
    """E001; no network is asked for a name that is none."""

    def fail(*_, **__):
        raise socket.gaierror(-2, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", fail)
    ran = run("emulate", "--port", "0", "--host", host)
    assert (ran.code, "E001: " in ran.out) == (1, True)
    assert "--host takes an address of this machine" in " ".join(ran.out.split())


def test_an_address_of_another_machine_is_a_clear_error(run):
    """192.0.2.1 belongs to documentation, and to no machine."""
    ran = run("emulate", "--port", "0", "--host", "192.0.2.1")
    assert ran.code == 1
    assert "E001: cannot listen on 192.0.2.1:0" in ran.out
    assert "--host takes an address of this machine" in " ".join(ran.out.split())


def test_it_warns_beyond_loopback_and_of_a_seed_that_is_not_used(tmp_path):
    """Both are in the document, whose address is one that can be connected to."""
    seed, state = tmp_path / "seed.json", tmp_path / "state.json"
    seed.write_text(json.dumps(SEED))
    with emulating("--seed", seed, "--state", state) as (_, document):
        assert document["diagnostics"] == []
    options = ("--seed", seed, "--state", state, "--host", "0.0.0.0")
    with emulating(*options) as (child, document):
        assert [each["code"] for each in document["diagnostics"]] == ["E004", "E005"]
        assert {each["level"] for each in document["diagnostics"]} == {"warning"}
        assert document["diagnostics"][0]["message"].startswith("--host 0.0.0.0 is not a loopback")
        assert document["url"].startswith("http://127.0.0.1:")
        assert meters(document) == ["seats"]
        child.send_signal(signal.SIGTERM)
        out, err = child.communicate(timeout=10)
        assert (child.returncode, out, err) == (0, "", "")


def test_verbose_logs_each_request():
    """With its status and its id; what a TLS client sends is always reported."""
    for flags in ((), ("-v",)):
        with emulating(*flags, "--key", "sk_test_all") as (child, document):
            assert meters(document) == []
            with pytest.raises(urllib.error.HTTPError, match="401"):
                meters(document | {"api_key": "sk_test_other"})
            with pytest.raises(OSError, match="SSL"):
                meters(document | {"url": document["url"].replace("http:", "https:")})
            child.send_signal(signal.SIGTERM)
            _, err = child.communicate(timeout=10)
            *requests, hint = err.splitlines()
            assert hint == f"400 This is not HTTPS: use {document['url']}"
            logged = [line.rpartition(" req_")[0] for line in requests]
            both = ["GET /v1/billing/meters 200", "GET /v1/billing/meters 401"]
            assert logged == (both if flags else [])
            assert "sk_test" not in err


def test_it_is_controlled_only_if_that_is_asked_for():
    """The expired key of an option, and a fault of the control path."""
    for flags, status in (((), 404), (("--control",), 200)):
        with emulating("--expired-key", "sk_test_old", *flags) as (_, document):
            with pytest.raises(urllib.error.HTTPError, match="401"):
                meters(document | {"api_key": "sk_test_old"})
            request = urllib.request.Request(f"{document['url']}/_emulator/faults")
            request.add_header("Authorization", f"Bearer {document['api_key']}")
            request.add_header("Content-Type", "application/json")
            request.data = b'{"add": ["503"]}'
            try:
                with urllib.request.urlopen(request, timeout=10) as answer:
                    answered = answer.status
            except urllib.error.HTTPError as error:
                answered = error.code
            assert answered == status
            with contextlib.ExitStack() as stack:
                if flags:
                    stack.enter_context(pytest.raises(urllib.error.HTTPError, match="503"))
                assert meters(document) == []


def post(document: dict[str, str], path: str, body: str, kind: str) -> dict[str, object]:
    """The answer to a POST with the key of the document."""
    request = urllib.request.Request(f"{document['url']}{path}", body.encode())
    request.add_header("Authorization", f"Bearer {document['api_key']}")
    request.add_header("Content-Type", kind)
    with urllib.request.urlopen(request, timeout=10) as answer:
        return json.load(answer)


def test_usage_and_the_time_survive_a_kill(tmp_path):
    """By a key that may only send usage; 40 days later the same event is too old."""
    seed = tmp_path / "seed.json"
    seed.write_text(json.dumps(SEED | {"customers": [{"id": "cus_1"}]}), "utf-8")
    words = ("--state", tmp_path / "state", "--seed", seed, "--switch", "v1_usage_errors=error")
    words += ("--key", "rk_test_usage=billing_meter_event_write", "--control")
    form = "application/x-www-form-urlencoded"
    event = "event_name=seats&payload[stripe_customer_id]=cus_1&identifier=a&timestamp="
    with emulating(*words) as (child, document):
        start = int(time.time())
        sent = post(document, "/v1/billing/meter_events", f"{event}{start}", form)
        assert sent["identifier"] == "a"
        with pytest.raises(urllib.error.HTTPError, match="403"):
            meters(document)
        post(document, "/_emulator/clock", '{"advance": "40d"}', "application/json")
        child.kill()
    with open_state(tmp_path / "state") as store:
        assert [each["identifier"] for each in store.ledger.usage.values()] == ["a"]
        assert store.ledger.clock_offset == 40 * 24 * 3600
    with emulating(*words) as (_, document), pytest.raises(urllib.error.HTTPError) as caught:
        post(document, "/v1/billing/meter_events", f"{event}{start}", form)
    assert "more than 35 days ago" in json.load(caught.value)["error"]["message"]
