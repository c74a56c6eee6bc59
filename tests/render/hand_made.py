"""Reports made by hand: every kind of line, outcome and problem that a renderer can meet."""

from __future__ import annotations

from reconciler.diagnostics.codes import applying, config, guards, planning
from reconciler.diagnostics.diagnostic import Location
from reconciler.diagnostics.errors import Exit
from reconciler.model.change import Action, Change, FieldChange, Reason, Severity
from reconciler.model.meter import DefaultAggregation, Live, Meter, Status, StatusTransitions
from reconciler.model.price import Price
from reconciler.model.project import AccountRef, Declared
from reconciler.report.documents import AccountInventory, Inventory
from reconciler.report.report import AccountReport, Line, Outcome, OutcomeStatus, Report, Sent

SANDBOX = AccountRef("sandbox", "acct_1Sandbox", livemode=False)
HOSTILE = "evil\x1b[2J\u202ename\nsecond\ud800"


def meter(name: str, display_name: str = "Calls", formula: str = "sum") -> Meter:
    return Meter(
        event_name=name,
        display_name=display_name,
        default_aggregation=DefaultAggregation(formula),
    )


def live(name: str, id_: str, status: str = "active", display_name: str = "Calls") -> Live:
    stopped = None if status == "active" else 1_790_000_000
    return Live(
        id=id_,
        status=status,
        created=1_780_000_000,
        updated=1_790_000_000,
        livemode=False,
        event_name=name,
        display_name=display_name,
        default_aggregation=DefaultAggregation("sum"),
        status_transitions=StatusTransitions(stopped),
    )


def declared(name: str, line: int, **more: object) -> Declared:
    formula = str(more.pop("formula", "sum"))
    display_name = str(more.pop("display_name", "Calls"))
    where = Location("meters/search.yaml", line, 5, line + 3, 1)
    return Declared(meter=meter(name, display_name, formula), where=where, **more)


def of_every_kind() -> tuple[Change, ...]:
    """One line of each action, in order of apply."""
    return (
        Change(
            action=Action.CREATE,
            event_name="ai_search_api",
            reason=Reason.TWINS_DIFFER,
            severity=Severity.REVENUE,
            want=declared("ai_search_api", 4, display_name="Search API calls"),
            twins=(live("ai_search_api", "mtr_old", "inactive"),),
        ),
        Change(
            action=Action.REACTIVATE,
            event_name="seats",
            reason=Reason.INACTIVE,
            severity=Severity.REVENUE,
            want=declared("seats", 9),
            have=live("seats", "mtr_seats", "inactive"),
            fields=(FieldChange("status", "inactive", "active"),),
            prices=(Price("price_seat", "mtr_seats", nickname="Seat, monthly"),),
        ),
        Change(
            action=Action.UPDATE,
            event_name="storage_gb",
            reason=Reason.RENAMED,
            severity=Severity.LOW,
            want=declared("storage_gb", 14, display_name="Storage (GB)"),
            have=live("storage_gb", "mtr_storage", display_name="Storage"),
            fields=(FieldChange("display_name", "Storage", "Storage (GB)"),),
        ),
        Change(
            action=Action.REPLACE,
            event_name="tokens",
            reason=Reason.RETIRES,
            severity=Severity.HIGH,
            want=declared("tokens", 19, formula="count", retires=("mtr_tokens",)),
            have=live("tokens", "mtr_tokens"),
            fields=(FieldChange("default_aggregation.formula", "sum", "count"),),
        ),
        Change(
            action=Action.DEACTIVATE,
            event_name="sms_sent",
            reason=Reason.DECLARED_INACTIVE,
            severity=Severity.HIGH,
            want=declared("sms_sent", 25, status=Status.INACTIVE),
            have=live("sms_sent", "mtr_sms"),
            fields=(FieldChange("status", "active", "inactive"),),
            prices=(Price("price_sms", "mtr_sms"), Price("price_sms_old", "mtr_sms")),
            refused_by=("G001", "G004"),
        ),
        Change(
            action=Action.BLOCKED,
            event_name="video_minutes",
            reason=Reason.DIFFERS,
            severity=Severity.HIGH,
            want=declared("video_minutes", 31),
            have=live("video_minutes", "mtr_video"),
            fields=(FieldChange("event_time_window", None, "hour"),),
        ),
        Change(
            action=Action.UNMANAGED,
            event_name=HOSTILE,
            reason=Reason.UNDECLARED,
            severity=Severity.LOW,
            have=live(HOSTILE, "mtr_evil"),
        ),
        Change(
            action=Action.UNCHANGED,
            event_name="in_sync",
            reason=Reason.IN_SYNC,
            want=declared("in_sync", 36),
            have=live("in_sync", "mtr_sync"),
        ),
    )


def refused_plan() -> Report:
    lines = tuple(Line(change) for change in of_every_kind())
    problems = (
        guards.TOO_MANY_STOPS("2 meters would stop counting usage; the policy allows 1"),
        guards.PRICES_BILL(
            "active prices bill on 'sms_sent': price_sms, price_sms_old",
            Location("meters/search.yaml", 25, 5),
            event_name="sms_sent",
        ),
        planning.DIFFERS(
            "'video_minutes' differs where Stripe allows no change",
            Location("meters/search.yaml", 31, 5),
            event_name="video_minutes",
        ),
        planning.PARTIAL("only a part of the account was looked at; absence was not judged"),
    )
    account = AccountReport(
        account=SANDBOX,
        exit_code=Exit.REFUSED,
        lines=lines,
        problems=problems,
        complete=False,
        plan_id="0" * 32,
        plan_hash="f" * 64,
    )
    return Report(verb="plan", accounts=(account,))


def partly_applied() -> Report:
    unsure = applying.NOT_CONFIRMED("nobody knows what became of 'tokens'", event_name="tokens")
    skipped = applying.AFTER_FAILURE("'sms_sent' was not touched", event_name="sms_sent")
    outcomes = (
        Outcome(OutcomeStatus.DONE, (Sent("create", "req_1", 2),), meter_id="mtr_new"),
        Outcome(OutcomeStatus.ALREADY),
        Outcome(OutcomeStatus.DONE, (Sent("update", "req_2", 1),)),
        Outcome(OutcomeStatus.UNKNOWN, (Sent("deactivate", None, 4),), unsure),
        Outcome(OutcomeStatus.SKIPPED, (), skipped),
    )
    lines = tuple(map(Line, of_every_kind()[:5], outcomes))
    account = AccountReport(
        account=SANDBOX, exit_code=Exit.PARTIAL, lines=lines, plan_id="1" * 32, plan_hash="e" * 64
    )
    return Report(verb="apply", accounts=(account,))


def applied() -> Report:
    line = Line(of_every_kind()[2], Outcome(OutcomeStatus.DONE, (Sent("update", "req_9", 1),)))
    account = AccountReport(
        account=AccountRef("production", "acct_1Live", livemode=True),
        exit_code=Exit.DONE,
        lines=(line,),
        problems=(applying.VERIFIED("verified: the account matches"),),
        plan_id="2" * 32,
        plan_hash="d" * 64,
    )
    return Report(verb="apply", accounts=(account,))


def invalid() -> Report:
    place = Location("meters/search.yaml", 3, 5, 3, 17)
    problems = (
        config.UNKNOWN_KEY("unknown key 'dispaly_name'", place, "did you mean display_name?"),
        config.UNKNOWN_KEY(f"unknown key {HOSTILE}", place),
    )
    return Report(verb="validate", problems=problems, own_exit=Exit.FAILED)


def inventory() -> Inventory:
    meters = (live("seats", "mtr_a"), live("seats", "mtr_b", "inactive", HOSTILE))
    return Inventory(accounts=(AccountInventory(account=SANDBOX, meters=meters, total=2),))


REPORTS = {
    "refused_plan": refused_plan,
    "partly_applied": partly_applied,
    "applied": applied,
    "invalid": invalid,
    "list": inventory,
}
