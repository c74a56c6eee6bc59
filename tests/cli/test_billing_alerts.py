"""Billing alerts on meters that a plan deactivates, or that drift finds inactive."""

from __future__ import annotations

import pytest
from cli.conftest import KEY
from cli.world import REPLACED, RETIRED, SEATS, account_of, existing

from reconciler.emulator import Key, Settings
from reconciler.render import FORMATS

OLD = existing("seats", "Seats", id="mtr_old")
OTHER = existing("seats", "Seats", "sum", id="mtr_old")
ALERTS = [
    {"id": "alrt_all", "meter": "mtr_old", "title": "Quota", "gte": 1000},
    {"id": "alrt_one", "meter": "mtr_old", "title": "Cap", "gte": 5, "customer": "cus_1"},
    {"id": "alrt_off", "meter": "mtr_old", "status": "inactive"},
    {"id": "alrt_gone", "meter": "mtr_old", "status": "archived"},
    {"id": "alrt_else", "meter": "mtr_else"},
]
READ = "/v1/billing/alerts"


def seed(meter, alerts=ALERTS):
    others = existing("else", "Else", id="mtr_else")
    return {"meters": [meter, others], "customers": [{"id": "cus_1"}], "alerts": alerts}


def said(ran, code):
    return [each for each in account_of(ran)["diagnostics"] if each["code"] == code]


@pytest.mark.parametrize("format_", FORMATS)
def test_every_format_says_that_alerts_stay_on_a_deactivated_meter(format_, world, run):
    """With what triggers them, and for whom; those that are off or elsewhere are not shown."""
    ran = run("plan", world(RETIRED, seed(OLD)).folder, "--format", format_)
    assert ran.code == 0
    shown = " ".join(ran.out.replace("\\", "").split())
    assert "2 billing alerts stay on mtr_old" in shown
    assert "alrt_one" in shown
    assert not any(other in shown for other in ("alrt_off", "alrt_gone", "alrt_else"))
    if format_ in ("text", "markdown", "html"):
        assert "alrt_all (Quota, at 1,000 for any customer)" in shown
        assert "alrt_one (Cap, at 5 for cus_1)" in shown


def test_json_has_the_alerts_and_a_saved_plan_keeps_them(world, run):
    made = world(RETIRED, seed(OLD))
    saved = str(made.folder / "plan.json")
    ran = run("plan", made.folder, "--save", saved, "--format", "json")
    (warning,) = said(ran, "P109")
    assert (warning["level"], warning["event_name"]) == ("warning", "seats")
    assert account_of(ran)["complete"] is True
    changes = {each["event_name"]: each for each in account_of(ran)["changes"]}
    assert "alerts" not in changes["else"]
    assert sorted(changes["seats"]["alerts"], key=lambda each: each["id"]) == [
        {
            "id": "alrt_all",
            "meter": "mtr_old",
            "title": "Quota",
            "gte": 1000,
            "customer": None,
        },
        {"id": "alrt_one", "meter": "mtr_old", "title": "Cap", "gte": 5, "customer": "cus_1"},
    ]
    assert len(made.server.log.matching(path=READ)) == 1
    assert "alrt_one (Cap, at 5 for cus_1)" in run("show", saved).out
    made.server.edit(f"{READ}/alrt_one/archive", {})
    applied = run("apply", made.folder, "--plan", saved, "--format", "json")
    assert applied.code == 0
    assert ["alrt_all" in each["message"] for each in said(applied, "P109")] == [True]
    assert "alrt_one" not in applied.out


@pytest.mark.parametrize(
    ("existing_meters", "successor"),
    [
        ([OTHER], "the new meter"),
        ([OTHER, existing("seats", "Seats", id="mtr_off", status="inactive")], "mtr_off"),
    ],
)
def test_a_replacement_says_where_to_create_the_alerts_again(
    existing_meters, successor, world, run
):
    made = world(REPLACED, {"meters": existing_meters, "alerts": [ALERTS[0]]})
    (warning,) = said(run("plan", made.folder, "--format", "json"), "P109")
    assert warning["message"].endswith("not triggered while it is inactive: alrt_all")
    assert f"create it again on {successor}" in warning["hint"]


def test_a_replacement_without_consent_shows_the_alerts_and_does_not_warn(world, run):
    ran = run("plan", world(SEATS, seed(OTHER)).folder, "--format", "json")
    assert ran.code == 3
    change = next(c for c in account_of(ran)["changes"] if c["event_name"] == "seats")
    assert len(change["alerts"]) == 2
    assert said(ran, "P109") == []


def test_nothing_is_read_where_no_meter_is_deactivated(world, run):
    made = world(SEATS.replace("Seats,", "Chairs,"), seed(OLD))
    assert run("plan", made.folder).code == 0
    assert run("drift", made.folder).code == 2
    assert made.server.log.matching(path=READ) == []


def test_every_page_is_read_and_many_alerts_are_counted(world, run):
    many = [{"id": f"alrt_{n:03}", "meter": "mtr_old"} for n in range(101)]
    made = world(RETIRED, seed(OLD, many))
    out = " ".join(run("plan", made.folder).out.split())
    assert "101 billing alerts stay on mtr_old" in out
    assert "and 96 more" in out
    assert len(made.server.log.matching(path=READ)) == 2


def test_a_key_that_may_not_read_alerts_is_no_refusal(world, run):
    """The report is incomplete and names the permission, in a plan and in drift."""
    may = {"billing_meter_write", "plan_read", "event_read", "accounts_kyc_basic_read"}
    settings = Settings(
        keys=(Key(KEY, frozenset(may)),), alerts_permission="billing_meter_event_read"
    )
    made = world(RETIRED, seed(OLD), settings=settings)
    for command in (["plan"], ["apply", "--yes"]):
        ran = run(*command, made.folder, "--format", "json")
        assert (ran.code, account_of(ran)["complete"]) == (0, False)
        (warning,) = said(ran, "P110")
        assert warning["level"] == "warning"
        assert "(permission: billing_meter_event_read)" in warning["message"]
    made.write(SEATS)
    ran = run("drift", made.folder, "--format", "json")
    assert (ran.code, account_of(ran)["complete"]) == (2, False)
    assert len(said(ran, "P110")) == 1


@pytest.mark.parametrize("format_", FORMATS)
def test_drift_shows_the_alerts_on_an_inactive_meter(format_, world, run):
    made = world(SEATS, seed(OLD | {"status": "inactive"}))
    ran = run("drift", made.folder, "--format", format_)
    assert ran.code == 2
    shown = ran.out.replace("\\", "")
    assert "alrt_one" in shown
    assert not any(other in shown for other in ("alrt_off", "alrt_gone", "alrt_else"))
    if format_ == "json":
        found = {each["kind"]: each for each in account_of(ran)["findings"]}
        assert [each["id"] for each in found["inactive"]["alerts"]] == ["alrt_one", "alrt_all"]
        assert "alerts" not in found["unmanaged"]
    assert len(made.server.log.matching(path=READ)) == 1


def test_alerts_of_a_meter_that_differs_from_a_missing_one_are_shown(world, run):
    made = world(SEATS, seed(OTHER | {"status": "inactive"}))
    ran = run("drift", made.folder, "--format", "json")
    found = {each["kind"]: each for each in account_of(ran)["findings"]}
    assert len(found["missing"]["alerts"]) == 2


@pytest.mark.parametrize("command", ["plan", "drift"])
def test_the_alerts_of_a_report_survive_publishing(command, world, run, tmp_path):
    """A report is read back with them."""
    from reconciler.report.read_report import read_report

    meter = OLD if command == "plan" else OLD | {"status": "inactive"}
    ran = run(
        command,
        world(RETIRED if command == "plan" else SEATS, seed(meter)).folder,
        "--format",
        "json",
    )
    (account,) = read_report(ran.out, "report.json").accounts
    known = [
        *(c.change.alerts for c in account.changes),
        *(f.alerts for e in account.entries for f in e.findings),
    ]
    assert {alert.id for alerts in known for alert in alerts} == {"alrt_all", "alrt_one"}
