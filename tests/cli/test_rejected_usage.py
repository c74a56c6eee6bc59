"""Usage that Stripe rejected, as drift reports it, through real HTTP."""

from __future__ import annotations

import json

import pytest
import stripe
from cli.conftest import KEY
from cli.world import CALLS, SEATS, account_of, existing

from reconciler.emulator import Key, Settings
from reconciler.model.event import RESEND
from reconciler.render import FORMATS
from reconciler.timestamps import format_time

BOTH = {
    "meters": [existing("seats", "Seats"), existing("calls", "Calls", "sum")],
    "customers": [{"id": "cus_1"}],
}
DECLARED = f"{SEATS}\n{CALLS}"
DAY = 86_400


def client(made) -> stripe.StripeClient:
    return stripe.StripeClient(
        "sk_test_app", base_addresses={"api": made.server.url}, max_network_retries=0
    )


def send(made, name: str, *identifiers: str, **payload: str) -> None:
    """Send usage as an application does; API v1 accepts it and rejects it later."""
    for identifier in identifiers:
        client(made).v1.billing.meter_events.create(
            {
                "event_name": name,
                "identifier": identifier,
                "payload": {"stripe_customer_id": "cus_1", "value": "1", **payload},
            }
        )


def findings(ran) -> list[dict[str, object]]:
    return account_of(ran)["findings"]


def find_meter(made, name: str) -> str:
    meters = made.server.state.ledger.meters.values()
    return next(meter["id"] for meter in meters if meter["event_name"] == name)


def test_the_story_of_a_meter_deactivated_by_hand_while_usage_goes_on(world, run, clock):
    """How many events were lost, since when, until when they can be sent; then clean again."""
    made = world(DECLARED, BOTH)
    meter_id = find_meter(made, "seats")
    send(made, "seats", "before")
    made.server.edit(f"/v1/billing/meters/{meter_id}/deactivate", {})
    clock.sleep(3600)
    began = int(clock.now())
    send(made, "seats", "a")
    clock.sleep(3600)
    send(made, "seats", "b", "c")
    clock.sleep(600)

    ran = run("drift", made.folder, "--format", "json")
    assert ran.code == 2
    inactive, rejected = sorted(findings(ran), key=lambda each: str(each["kind"]))
    assert (inactive["kind"], rejected["kind"]) == ("inactive", "usage_rejected")
    assert (rejected["severity"], rejected["code"]) == ("revenue", "D016")
    assert rejected["since"] == began
    assert rejected["resend_until"] == began + RESEND
    assert rejected["meter_ids"] == [meter_id]
    assert rejected["rejected"] == {
        "count": 3,
        "codes": [{"code": "archived_meter", "count": 3, "samples": ["c", "b", "a"]}],
        "first": began,
        "last": began + 3600,
        "window": DAY,
    }
    assert rejected["remediation"] == inactive["remediation"]

    assert run("apply", made.folder, "--yes").code == 0
    clock.sleep(60)
    left = run("drift", made.folder, "--format", "json")
    assert [each["kind"] for each in findings(left)] == ["usage_rejected"]
    clock.sleep(DAY)
    ran = run("drift", made.folder)
    assert (ran.code, "No drift." in ran.out) == (0, True)


@pytest.mark.parametrize("format_", FORMATS)
def test_every_format_tells_the_whole_story(format_, world, run, clock):
    """How many, why, since when, until when they can be sent again; later nothing is left."""

    def drift(code: int) -> str:
        ran = run("drift", made.folder, "--format", format_)
        assert ran.code == code
        return " ".join(ran.out.replace("\\_", "_").split())

    def shows(moment: int) -> str:
        """As it is written for people, in HTML without the seconds."""
        text = format_time(moment)
        return {"json": str(moment), "html": f"{text[:10]} {text[11:16]} UTC"}.get(format_, text)

    made = world(DECLARED, BOTH)
    made.server.edit(f"/v1/billing/meters/{find_meter(made, 'seats')}/deactivate", {})
    clock.sleep(3600)
    first = int(clock.now())
    send(made, "seats", "lost_1")
    clock.sleep(3600)
    send(made, "seats", "lost_2")
    clock.sleep(60)
    said = drift(2)
    assert "archived_meter" in said
    assert "lost_1" in said
    assert '"count": 2' in said if format_ == "json" else "2 usage events were rejected" in said
    for moment in (first, first + 3600, first + RESEND):
        assert shows(moment) in said

    assert run("apply", made.folder, "--yes").code == 0
    left = drift(2)
    assert "archived_meter" in left
    assert "not as declared" not in left
    clock.sleep(DAY)
    clean = drift(0)
    assert "archived_meter" not in clean
    assert "seats" not in clean or format_ in ("junit", "markdown", "html")


@pytest.mark.parametrize(
    ("policy", "code", "level"),
    [("{}", 2, "revenue"), ('{owns: ["*"]}', 0, "warning"), ("{usage_window: 0}", 0, None)],
)
def test_usage_that_no_meter_takes(policy, code, level, world, run, clock):
    """A finding of the account; where `owns` is given, a warning; a question, no claim."""
    made = world(DECLARED, BOTH, policy=policy)
    send(made, "saets", "typo")
    clock.sleep(60)
    ran = run("drift", made.folder, "--format", "json")
    assert ran.code == code
    found = [(each["kind"], each["severity"], each["event_name"]) for each in findings(ran)]
    assert found == ([("usage_without_meter", "revenue", None)] if code else [])
    said = [each["level"] for each in account_of(ran)["diagnostics"] if each["code"] == "D017"]
    assert said == (["warning"] if level == "warning" else [])
    text = run("drift", made.folder).out
    assert ("typo" in text) == (level is not None)
    assert "saets" not in text
    assert "No drift" in text if code == 0 else "No drift" not in text


def test_a_declared_name_without_a_meter_is_asked_about(world, run, clock):
    """The report names none, so it is a question."""
    made = world(DECLARED, {"meters": BOTH["meters"][1:], "customers": BOTH["customers"]})
    send(made, "seats", "early")
    clock.sleep(60)
    said = " ".join(run("drift", made.folder).out.split())
    assert "was it sent as one that is declared and has no meter, 'seats'?" in said


def test_an_exemption_of_every_name_covers_usage_without_a_meter(world, run, clock):
    made = world(DECLARED, BOTH)
    send(made, "saets", "typo")
    clock.sleep(60)
    project = (made.folder / "reconciler.yaml").read_text("utf-8")
    entry = {"kind": "usage_without_meter", "reason": "another team", "until": "2027-12-31"}
    for pattern, code in (("seats", 2), ("*", 0)):
        ignore = json.dumps([{"event_name": pattern, **entry}])
        made.file("reconciler.yaml", f"{project}ignore: {ignore}\n")
        assert run("drift", made.folder).code == code


def test_a_part_of_the_project_reports_only_its_own_meters(world, run, clock):
    made = world(DECLARED, BOTH)
    send(made, "saets", "typo")
    send(made, "calls", "bad", value="many")
    clock.sleep(60)
    assert run("drift", made.folder, "--only", "seats").code == 0
    assert run("drift", made.folder, "--only", "calls").code == 2


def test_a_key_that_may_not_read_reports_changes_no_verdict(world, run):
    """The report is incomplete, and names the permission."""
    may = {"billing_meter_read", "plan_read", "accounts_kyc_basic_read"}
    settings = Settings(keys=(Key(KEY, frozenset(may)),))
    made = world(DECLARED, BOTH, settings=settings)
    ran = run("drift", made.folder, "--format", "json")
    assert ran.code == 0
    assert account_of(ran)["complete"] is False
    (said,) = account_of(ran)["diagnostics"]
    assert (said["code"], said["level"]) == ("D104", "warning")
    assert "event_read" in said["message"]


def test_every_page_is_read(world, run, clock):
    """One report for each second: 101 of them are two pages."""
    made = world(DECLARED, BOTH)
    for n in range(101):
        send(made, "calls", f"i{n}", value="many")
        clock.sleep(60)
    (found,) = findings(run("drift", made.folder, "--format", "json"))
    assert found["rejected"]["count"] == 101
    assert len(made.server.log.matching(path="/v2/core/events")) == 2


@pytest.mark.parametrize("window", ["25", "1w", '"0h"', "-1", "true", "null", "1.5", '"25"', "[]"])
def test_a_window_is_a_duration_or_zero(window, world, run):
    """Whatever is written, the error says what is wanted."""
    made = world(DECLARED, policy=f"{{usage_window: {window}}}")
    ran = run("validate", made.folder)
    assert ran.code == 1
    said = " ".join(ran.out.split())
    assert "`usage_window`" in said
    assert "a duration must be a number and a unit, such as 90m, 24h or 7d, or 0" in said
    assert "maximum" not in said


@pytest.mark.parametrize(
    ("window", "code"), [("30d", 0), ("720h", 0), ("31d", 1), ("721h", 1), ("999999d", 1)]
)
def test_a_window_is_no_longer_than_reports_are_kept(window, code, world, run):
    """For the project and for an account, each at its place."""
    made = world(DECLARED, policy=f"{{usage_window: {window}}}")
    project = (made.folder / "reconciler.yaml").read_text("utf-8")
    more = f"  two: {{emulator: two.db, policy: {{usage_window: {window}}}}}\n"
    made.file("reconciler.yaml", project + more)
    ran = run("validate", made.folder, "--format", "json")
    assert ran.code == code
    found = json.loads(ran.out)["diagnostics"]
    assert [each["code"] for each in found] == ["C013", "C013"] * code
    message = f"`usage_window` is {window}; the maximum is 30 days, for which Stripe keeps the "
    assert all(each["message"] == f"{message}reports of rejected usage" for each in found)
    assert [each["location"]["line"] for each in found] == [3, 6] * code


def test_the_history_of_a_meter_has_its_rejected_usage(world, run, clock):
    """One moment for each report; those of other meters are left out."""
    made = world(DECLARED, BOTH)
    send(made, "calls", "bad", value="many")
    send(made, "seats", "unlike", stripe_customer_id="cus_other")
    clock.sleep(3 * DAY)
    ran = run("history", made.folder, "--meter", "calls", "--format", "json")
    assert ran.code == 0
    (moment,) = json.loads(ran.out)["timeline"]
    assert moment["what"] == "1 usage event rejected: meter_event_invalid_value (1)"
    assert moment["meter_id"] == find_meter(made, "calls")
    said = " ".join(run("history", made.folder, "--meter", "calls").out.split())
    assert "1 usage event rejected: meter_event_invalid_value (1)" in said
    assert "identifiers: bad" in said
