"""Failures of the service: retried, and described if they last."""

from __future__ import annotations

import json
import re
import signal
import threading
from functools import partial

import pytest
from cli.world import CALLS, SEATS, existing
from msgspec.structs import replace
from published import held

from reconciler.emulator import Phase
from reconciler.stripe.http.connection import Connection, Limits

METERS = "GET /v1/billing/meters"


@pytest.mark.parametrize(
    ("fault", "code", "message", "hint"),
    [
        (
            "500:method=GET",
            "S035",
            f"Stripe returned HTTP 500 for {METERS} after 5 attempts (request REQ); "
            "nothing was changed",
            "see https://status.stripe.com, then run again",
        ),
        (
            "429:method=GET",
            "S034",
            "still rate-limited after 5 attempts (request REQ)",
            "wait, or lower `rate_limit` of the account (now 15)",
        ),
    ],
    ids=["500", "429"],
)
@pytest.mark.parametrize("command", [["plan"], ["drift"], ["apply", "--yes"]], ids=lambda c: c[0])
def test_a_lasting_failure_is_described(command, fault, code, message, hint, run, world):
    """The request, the number of attempts, and that nothing was changed."""
    made = world(SEATS, rate_limit=15)
    made.server.arm(fault)
    ran = run(*command, made.folder, "--format", "json")
    (account,) = held(ran.out)["accounts"]
    (said,) = account["diagnostics"]
    text = re.sub("req_[A-Za-z0-9]+", "REQ", said["message"])
    assert (ran.code, said["code"], text, said["hint"]) == (1, code, message, hint)
    assert "Failed. Nothing was changed in Stripe.\n" in run(*command, made.folder).out
    assert made.posts() == []


@pytest.mark.parametrize("status", [500, 502, 520, 529])
def test_a_5xx_is_retried(status, run, world):
    """Also the codes that only gateways use."""
    made = world(seed={"meters": [existing("seats", "Seats")]})
    made.server.arm(f"garbage:n=1:status={status}")
    ran = run("list", made.folder)
    assert ran.code == 0, ran.out
    assert "seats" in ran.out


CHAIRS = {"meters": [existing("seats", "Chairs", id="mtr_s")]}


@pytest.fixture
def incomplete(monkeypatch):
    """Every POST is answered by a 200 whose object lacks what every meter has."""
    send = Connection.send

    def answer(self, request):
        response = send(self, request)
        return response if request.method == "GET" else replace(response, body=b'{"id": "mtr_s"}')

    monkeypatch.setattr(Connection, "send", answer)


def result_of(ran, name="seats"):
    (account,) = held(ran.out)["accounts"]
    (line,) = [line for line in account["changes"] if line["event_name"] == name]
    return line["result"]


@pytest.mark.parametrize(
    "fault",
    ["409:after", "garbage:after", "truncated:after", "reset:after", "500:after", "503:after"],
)
@pytest.mark.parametrize("times", ["", ":times=1"], ids=["always", "once"])
def test_an_effect_whose_answer_is_lost_is_ours(fault, times, run, world):
    """`done`, not `already`, which says that another client did it."""
    made = world(SEATS, CHAIRS)
    made.server.arm(f"{fault}:method=POST{times}")
    ran = run("apply", made.folder, "--yes", "--format", "json")
    assert (ran.code, result_of(ran)["status"]) == (0, "done"), ran.out


def test_an_effect_whose_answer_lacks_fields_is_ours(incomplete, run, world):
    """As one whose answer cannot be read at all: it proves nothing, and is reported so."""
    made = world(SEATS, CHAIRS)
    ran = run("apply", made.folder, "--yes", "--format", "json")
    assert (ran.code, result_of(ran)["status"]) == (0, "done"), ran.out
    journal = (made.folder / ".reconciler" / "journal.jsonl").read_text("utf-8")
    said = [entry for entry in map(json.loads, journal.splitlines()) if "result" in entry]
    assert [entry["result"] for entry in said] == ["indeterminate"]


@pytest.mark.parametrize(
    ("fault", "code"),
    [
        ("409", 5),
        ("garbage", 5),
        ("reset", 5),
        ("500", 5),
        ("503", 5),
        ("429:reason=global-rate", 1),
    ],
)
def test_only_what_cannot_have_had_an_effect_changed_nothing(fault, code, run, world):
    """Whatever never had one but might have is a partial apply; no format says otherwise."""
    made = world(SEATS, CHAIRS)
    kind, _, more = fault.partition(":")
    made.server.arm(f"{kind}:before:method=POST{':' + more if more else ''}")
    ran = run("apply", made.folder, "--yes")
    assert ran.code == code
    assert ("Nothing was changed in Stripe." in ran.out) is (code == 1)
    assert ("some changes may have been made" in ran.out) is (code == 5)


NAMES = [f"calls_{n:02}" for n in range(24)]
MANY = "\n".join(CALLS.replace("calls,", f"{name},") for name in NAMES)


@pytest.mark.parametrize(("limit", "rate"), [(None, 20.0), (2, 2.0), (100, 100.0)])
def test_the_configured_rate_is_kept(limit, rate, run, world, clock):
    """Requests that write and that read; 20 a second unless the account says otherwise."""
    made = world(MANY, **({"rate_limit": limit} if limit else {}))
    began = clock.now()
    assert run("apply", made.folder, "--yes").code == 0
    paced = (len(made.server.log) - min(5.0, rate)) / rate
    assert len(made.posts()) == len(NAMES)
    assert clock.now() - began == pytest.approx(paced, abs=1.0)


def test_a_silent_server_is_given_up_and_asked_again(run, world, monkeypatch):
    """Long before the time that a whole answer may take."""
    made, over, answered = world(SEATS, CHAIRS), threading.Event(), []

    def hold(moment):
        if moment.number == 1:
            over.wait(30)
            answered.append(moment.phase)

    made.server.reached = hold
    monkeypatch.setattr("reconciler.stripe.transport.Limits", lambda: Limits(read=0.1, total=10))
    try:
        ran = run("plan", made.folder)
        assert (ran.code, answered) == (0, []), ran.out
    finally:
        over.set()


def test_nothing_is_read_after_a_stop(run, world):
    """The account is not listed again: the end of the run is being waited for."""
    made = world(SEATS, CHAIRS)
    after = []

    def stop():
        made.interrupt(signal.SIGTERM)
        after.append(len(made.server.log))

    made.at(stop, phase=Phase.AFTER)
    ran = run("apply", made.folder, "--yes", "--format", "json")
    (account,) = held(ran.out)["accounts"]
    assert (ran.code, result_of(ran)["status"]) == (130, "done")
    assert len(made.server.log) == after[0]
    assert account["diagnostics"] == []


def test_a_stop_ends_the_retries_of_what_had_no_effect(run, world):
    """One request is sent, and the document says that nothing more was done."""
    made = world(SEATS, CHAIRS)
    made.server.arm("429:method=POST:reason=global-rate")
    made.at(partial(made.interrupt, signal.SIGTERM), phase=Phase.AFTER)
    ran = run("apply", made.folder, "--yes", "--format", "json")
    assert (ran.code, len(made.posts())) == (130, 1)
    assert result_of(ran)["status"] == "skipped"
