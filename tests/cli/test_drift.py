"""`drift` through the command line and real HTTP: a scenario folder for every kind of finding."""

from __future__ import annotations

import json
import re

import pytest
import stripe
from cli.world import CALLS, SEATS, account_of, existing
from conftest import TESTS
from published import held

from reconciler.model.event import RESEND
from reconciler.model.finding import Kind

SCENARIOS = TESTS / "golden" / "drift"
FORMATS = {"text": "txt", "json": "json"}
USAGE = {Kind.USAGE_REJECTED, Kind.ZERO_USAGE, Kind.NO_USAGE}
"""Kinds of tests/cli/test_rejected_usage.py and test_usage_sample.py."""


@pytest.mark.parametrize("kind", sorted(set(Kind) - USAGE))
def test_every_kind_of_finding_has_its_scenario(kind, world, run, golden, monkeypatch):
    """Found, dated, attributed, priced, with a remedy, exit 2."""
    folder = SCENARIOS / kind
    made = world(seed=json.loads((folder / "live.json").read_text("utf-8")))
    made.file("meters.yaml", (folder / "meters.yaml").read_text("utf-8"))
    monkeypatch.chdir(made.folder)
    for format_, ending in FORMATS.items():
        ran = run("drift", "--format", format_)
        assert ran.code == 2, ran.out + ran.err
        golden(f"drift/{kind}/expected.{ending}", ran.out)
    (account,) = held(ran.out)["accounts"]
    assert account["complete"] is True
    assert kind in {each["kind"] for each in account["findings"]}
    assert made.posts() == []


def test_ignored_findings_are_counted_and_shown_and_an_expired_rule_is_found(
    world, run, golden, monkeypatch
):
    """An expired exemption is a finding of the account."""
    folder = SCENARIOS / "ignored"
    made = world(CALLS, json.loads((folder / "live.json").read_text("utf-8")))
    rules = (folder / "ignore.yaml").read_text("utf-8")
    project = (made.folder / "reconciler.yaml").read_text("utf-8")
    made.file("reconciler.yaml", project + rules)
    monkeypatch.chdir(made.folder)
    for format_, ending in FORMATS.items():
        ran = run("drift", "--format", format_)
        assert ran.code == 2
        golden(f"drift/ignored/expected.{ending}", ran.out)
    (account,) = held(ran.out)["accounts"]
    assert account["summary"]["ignored"] == 2
    assert account["diagnostics"] == []
    assert [each["code"] for each in account["findings"] if each["event_name"] is None] == ["D010"]

    made.file("reconciler.yaml", project + rules.replace("2026-08-31", "2026-12-31"))
    ran = run("drift")
    assert ran.code == 0, ran.out
    assert "ignored until 2026-12-31 (finance): the old price list runs out" in " ".join(
        ran.out.split()
    )
    assert "3 ignored" in ran.out


def findings(ran):
    """The findings of a JSON report by event_name."""
    (account,) = held(ran.out)["accounts"]
    found = {}
    for each in account["findings"]:
        found.setdefault(each["event_name"], []).append(each)
    return found


def test_the_story_of_an_outage(world, run, clock):
    """Applied, deactivated by another client, found, attributed, reactivated, no drift."""
    made = world(SEATS)
    assert run("apply", made.folder, "--yes").code == 0
    other = stripe.StripeClient(
        "sk_test_other", base_addresses={"api": made.server.url}, max_network_retries=0
    ).v1
    (meter,) = other.billing.meters.list().data
    prices = [other.prices.create(_price(meter.id, n)) for n in range(3)]
    clock.sleep(3 * 86_400)
    deactivated = other.billing.meters.deactivate(meter.id)
    clock.sleep(2 * 3_600)

    found = run("drift", made.folder, "--format", "json")
    assert found.code == 2
    (finding,) = findings(found)["seats"]
    at = int(clock.now()) - 2 * 3_600
    assert (finding["kind"], finding["severity"]) == ("inactive", "revenue")
    assert (finding["since"], finding["resend_until"]) == (at, at + RESEND)
    assert finding["meter_ids"] == [meter.id]
    assert finding["attribution"] == {
        "origin": "another_client",
        "at": at,
        "request_id": deactivated.last_response.request_id,
        "plan_id": None,
        "commit": None,
        "note": (
            "billing.meter.deactivated at 2026-09-24T14:13:20Z, by another API client: the "
            "idempotency key is not from reconciler"
        ),
    }
    assert {each["id"] for each in finding["prices"]} == {each.id for each in prices}
    assert "for 2 hours; usage sent since then is lost" in finding["message"]
    assert finding["remediation"]["kind"] == "command"

    assert run("apply", made.folder, "--yes").code == 0
    awake = other.billing.meters.retrieve(meter.id)
    assert (awake.id, awake.status) == (meter.id, "active")
    assert other.billing.meters.list().data == [awake]
    assert run("drift", made.folder).code == 0


def _price(meter_id, n):
    recurring = {"interval": "month", "usage_type": "metered", "meter": meter_id}
    return {
        "currency": "usd",
        "unit_amount": 100 + n,
        "product_data": {"name": f"Plan {n}"},
        "recurring": recurring,
    }


def test_no_format_offers_a_moment_that_is_past(world, run, clock):
    """Of an outage of 40 days only the usage of the last 35 can still be sent."""
    made = world(SEATS, {"meters": [existing("seats", "Seats")]})
    (meter_id,) = made.server.state.ledger.meters
    made.server.edit(f"/v1/billing/meters/{meter_id}/deactivate", {})
    clock.sleep(40 * 86_400)
    for format_ in ("text", "markdown", "html", "junit", "sarif", "github"):
        said = " ".join(run("drift", made.folder, "--format", format_).out.split())
        assert "only usage of the last 35 days" in said, format_
        assert "re-sent until" not in said, format_
    (finding,) = findings(run("drift", made.folder, "--format", "json"))["seats"]
    assert finding["resend_until"] is None
    page = run("drift", made.folder, "--format", "html").out
    assert 'class="deadline"' not in page
    assert page.count(">only usage of the last 35 days<") == 1  # at what is at stake


def test_what_we_did_ourselves_names_plan_and_job(world, run, monkeypatch):
    """The idempotency key names the plan, the journal of this folder the CI job."""
    monkeypatch.setenv("CI_JOB_URL", "https://ci.example/jobs/7")
    retired = SEATS.replace("seats,", "seats, status: inactive,")
    made = world(retired, {"meters": [existing("seats", "Seats")]})
    applied = run("apply", made.folder, "--yes", "--format", "json")
    assert applied.code == 0, applied.err
    made.write(SEATS)
    (finding,) = findings(run("drift", made.folder, "--format", "json"))["seats"]
    plan_id = held(applied.out)["accounts"][0]["plan_id"]
    assert finding["attribution"]["origin"] == "ours"
    assert finding["attribution"]["plan_id"] == plan_id
    assert finding["attribution"]["note"].endswith(
        f"by reconciler, plan {plan_id}, https://ci.example/jobs/7"
    )


def test_a_change_in_the_dashboard_is_not_given_a_culprit(world, run):
    """No key, no request id: no more is said than that it was not this tool."""
    made = world(SEATS, {"meters": [existing("seats", "Seats")]})
    (meter_id,) = made.server.state.ledger.meters
    made.server.edit(f"/v1/billing/meters/{meter_id}", {"display_name": "Chairs"})
    ran = run("drift", made.folder)
    assert ran.code == 2
    said = " ".join(ran.out.split())
    assert "not reconciler: no idempotency key was sent; possibly the Dashboard" in said
    assert "request req_" not in said


@pytest.mark.parametrize(
    ("fail_on", "code"), [(None, 2), ("low", 2), ("high", 2), ("revenue", 0), ("worse", 64)]
)
def test_fail_on_sets_the_severity_that_exits_2(fail_on, code, world, run):
    """What is found is shown all the same."""
    made = world(
        f"{SEATS}\n{CALLS}",
        {"meters": [existing("seats", "Seats", "sum"), existing("calls", "C", "sum")]},
    )
    ran = run("drift", made.folder, *(["--fail-on", fail_on] if fail_on else []))
    assert ran.code == code
    assert ("differs D004" in ran.out) is (code != 64)


def test_in_sync_says_so(world, run):
    """Exit 0, complete, and one sentence."""
    made = world(SEATS, {"meters": [existing("seats", "Seats")]})
    ran = run("drift", made.folder)
    assert (ran.code, ran.err) == (0, "")
    assert ran.out == (
        "Drift for sandbox (acct_1EmulatedAccount, test mode)\n\nNo drift.\n1 without findings.\n"
    )
    assert held(run("drift", made.folder, "--format", "json").out)["complete"] is True


def test_the_page_names_every_kind_and_what_it_costs():
    """The words are needed to write an exemption."""
    page = (TESTS.parent / "docs/reference/drift.md").read_text("utf-8")
    rows = re.findall(r"^\| (\w+) \| (revenue|high|low) \|", page, re.M)
    assert [kind for kind, _ in rows] == list(Kind)
    for kind, severity in rows:
        if kind in USAGE:
            continue
        expected = json.loads((SCENARIOS / kind / "expected.json").read_text("utf-8"))
        (account,) = expected["accounts"]
        assert severity in {f["severity"] for f in account["findings"]}


def test_the_name_of_a_meter_that_is_to_be_inactive_is_no_finding(world, run):
    """It is to be deactivated: until then its display_name does not matter."""
    retired = SEATS.replace("seats,", "seats, status: inactive,")
    for status, kinds in (("active", ["running"]), ("inactive", [])):
        made = world(retired, {"meters": [existing("seats", "Chairs", status=status)]})
        ran = run("drift", made.folder, "--format", "json")
        assert ran.code == (2 if kinds else 0)
        assert [each["kind"] for each in findings(ran).get("seats", [])] == kinds


def test_a_remedy_repeats_the_consent_that_was_given(world, run):
    """A list replaces the one in the file: what it had named must not get lost."""
    given = "status: inactive, retires: [mtr_x], accepts: {prices: [price_x]},"
    seats = SEATS.replace("seats,", f"seats, {given}")
    odd = existing("seats", "Seats", "sum", id="mtr_odd")
    made = world(seats, {"meters": [odd], "prices": [{"id": "price_1", "meter": "mtr_odd"}]})
    found = {each["kind"]: each for each in findings(_audited(run, made))["seats"]}
    accepted = 'accepts: {prices: ["price_x", "price_1"]}'
    given_up = f'# or give it up: retires: ["mtr_x", "mtr_odd"], {accepted}'
    assert found["running"]["remediation"]["text"].endswith(given_up)
    same = existing("seats", "Seats", id="mtr_same")
    made = world(seats, {"meters": [same], "prices": [{"id": "price_1", "meter": "mtr_same"}]})
    (finding,) = findings(_audited(run, made))["seats"]
    assert finding["remediation"]["text"] == f'status: "active"  # or give it up: {accepted}'


def _audited(run, made):
    return run("drift", made.folder, "--format", "json")


SHARED = [
    existing("calls", "Calls", "sum", id="mtr_calls"),
    existing("ours_old", "Old"),
    *(existing(f"theirs_{n}", f"Theirs {n}", id=f"mtr_{n}") for n in range(3)),
    existing("theirs_3", "Gone", id="mtr_gone", status="inactive"),
    existing("theirs_4", "Twice", id="mtr_4"),
    existing("theirs_4", "Twice", "sum", id="mtr_5"),
]
SHARED_PRICES = [{"id": f"price_{n}", "meter": f"mtr_{n}"} for n in (0, "gone")]


@pytest.mark.parametrize("undeclared", ["report", "deactivate"])
def test_drift_answers_only_for_what_the_project_owns(undeclared, world, run):
    """Undeclared meters of other projects are counted, whatever is odd about them."""
    policy = f"{{undeclared: {undeclared}, owns: ['ours_*']}}"
    made = world(CALLS, {"meters": SHARED, "prices": SHARED_PRICES}, policy=policy)
    ran = run("drift", made.folder, "--format", "json")
    (account,) = held(ran.out)["accounts"]
    assert (ran.code, set(findings(ran))) == (2, {"ours_old"})
    counts = account["summary"]
    assert (counts["unmanaged"], counts["unchanged"]) == (5, 2)
    text = run("drift", made.folder).out
    assert "4 unmanaged" in text
    assert "theirs" not in text

    made.write(f"{CALLS}\n{SEATS.replace('seats', 'ours_old').replace('Seats', 'Old')}", policy)
    ran = run("drift", made.folder)
    assert (ran.code, ran.out.count("No drift.")) == (0, 1), ran.out
    for format_ in ("markdown", "html", "junit", "sarif", "github"):
        assert run("drift", made.folder, "--format", format_).code == 0


def test_without_owns_every_undeclared_meter_is_a_finding(world, run):
    made = world(CALLS, {"meters": SHARED, "prices": SHARED_PRICES})
    ran = run("drift", made.folder, "--format", "json")
    assert {f"theirs_{n}" for n in range(5)} <= set(findings(ran))


def test_a_declared_meter_outside_of_owns_is_compared(world, run):
    """`owns` is about undeclared meters only."""
    made = world(CALLS, {"meters": [existing("calls", "Other", "sum")]}, policy="{owns: ['x*']}")
    ran = run("drift", made.folder, "--format", "json")
    assert (ran.code, set(findings(ran))) == (2, {"calls"})
    (finding,) = account_of(ran)["findings"]
    assert finding["message"].endswith(" is 'Other', declared is 'Calls'")
