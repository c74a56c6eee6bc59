"""Reports made by hand: every kind of line, outcome and problem that a renderer can meet."""

from __future__ import annotations

from reconciler.diagnostics.codes import applying, config, guards, planning
from reconciler.diagnostics.diagnostic import Location
from reconciler.diagnostics.errors import Exit
from reconciler.model.change import Action, Change, FieldChange, Reason
from reconciler.model.meter import (
    DefaultAggregation,
    ExistingMeter,
    Meter,
    Status,
    StatusTransitions,
)
from reconciler.model.price import Price
from reconciler.model.project import AccountRef, MeterConfig
from reconciler.model.request import RequestRecord
from reconciler.report.documents import AccountInventory, Inventory
from reconciler.report.report import (
    AccountReport,
    ChangeResult,
    Report,
    ReportedChange,
    ResultStatus,
)

SANDBOX = AccountRef("sandbox", "acct_1Sandbox", livemode=False)
HOSTILE = "evil\x1b[2J\u202ename\nsecond\ud800"


def meter(name: str, display_name: str = "Calls", formula: str = "sum") -> Meter:
    return Meter(
        event_name=name,
        display_name=display_name,
        default_aggregation=DefaultAggregation(formula),
    )


def existing(
    name: str, id_: str, status: str = "active", display_name: str = "Calls"
) -> ExistingMeter:
    stopped = None if status == "active" else 1_790_000_000
    return ExistingMeter(
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


def declared(name: str, line: int, **more: object) -> MeterConfig:
    formula = str(more.pop("formula", "sum"))
    display_name = str(more.pop("display_name", "Calls"))
    location = Location("meters/search.yaml", line, 5, line + 3, 1)
    return MeterConfig(meter=meter(name, display_name, formula), location=location, **more)


def of_every_kind() -> tuple[Change, ...]:
    """One line of each action, in order of apply."""
    return (
        Change(
            action=Action.CREATE,
            event_name="ai_search_api",
            reason=Reason.INACTIVE_DIFFER,
            desired=declared("ai_search_api", 4, display_name="Search API calls"),
            others=(existing("ai_search_api", "mtr_old", "inactive"),),
        ),
        Change(
            action=Action.REACTIVATE,
            event_name="seats",
            reason=Reason.INACTIVE,
            desired=declared("seats", 9),
            existing=existing("seats", "mtr_seats", "inactive"),
            fields=(FieldChange("status", "inactive", "active"),),
            prices=(Price("price_seat", "mtr_seats", nickname="Seat, monthly"),),
        ),
        Change(
            action=Action.UPDATE,
            event_name="storage_gb",
            reason=Reason.RENAMED,
            desired=declared("storage_gb", 14, display_name="Storage (GB)"),
            existing=existing("storage_gb", "mtr_storage", display_name="Storage"),
            fields=(FieldChange("display_name", "Storage", "Storage (GB)"),),
        ),
        Change(
            action=Action.REPLACE,
            event_name="tokens",
            reason=Reason.RETIRES,
            desired=declared("tokens", 19, formula="count", retires=("mtr_tokens",)),
            existing=existing("tokens", "mtr_tokens"),
            fields=(FieldChange("default_aggregation.formula", "sum", "count"),),
        ),
        Change(
            action=Action.DEACTIVATE,
            event_name="sms_sent",
            reason=Reason.DECLARED_INACTIVE,
            desired=declared("sms_sent", 25, status=Status.INACTIVE),
            existing=existing("sms_sent", "mtr_sms"),
            fields=(FieldChange("status", "active", "inactive"),),
            prices=(Price("price_sms", "mtr_sms"), Price("price_sms_old", "mtr_sms")),
            refused_by=("G001", "G004"),
        ),
        Change(
            action=Action.BLOCKED,
            event_name="video_minutes",
            reason=Reason.DIFFERS,
            desired=declared("video_minutes", 31),
            existing=existing("video_minutes", "mtr_video"),
            fields=(FieldChange("event_time_window", None, "hour"),),
        ),
        Change(
            action=Action.UNMANAGED,
            event_name=HOSTILE,
            reason=Reason.UNDECLARED,
            existing=existing(HOSTILE, "mtr_evil"),
        ),
        Change(
            action=Action.UNCHANGED,
            event_name="in_sync",
            reason=Reason.IN_SYNC,
            desired=declared("in_sync", 36),
            existing=existing("in_sync", "mtr_sync"),
        ),
    )


def refused_plan() -> Report:
    lines = tuple(ReportedChange(change) for change in of_every_kind())
    diagnostics = (
        guards.TOO_MANY_DEACTIVATIONS("2 meters would stop counting usage; the policy allows 1"),
        guards.PRICES_IN_USE(
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
        changes=lines,
        diagnostics=diagnostics,
        complete=False,
        plan_id="0" * 32,
        plan_hash="f" * 64,
    )
    return Report(command="plan", accounts=(account,))


def partly_applied() -> Report:
    unsure = applying.NOT_CONFIRMED("nobody knows what became of 'tokens'", event_name="tokens")
    skipped = applying.AFTER_FAILURE("'sms_sent' was not touched", event_name="sms_sent")
    results = (
        ChangeResult(ResultStatus.DONE, (RequestRecord("create", "req_1", 2),), meter_id="mtr_new"),
        ChangeResult(ResultStatus.ALREADY),
        ChangeResult(ResultStatus.DONE, (RequestRecord("update", "req_2", 1),)),
        ChangeResult(ResultStatus.UNKNOWN, (RequestRecord("deactivate", None, 4),), unsure),
        ChangeResult(ResultStatus.SKIPPED, (), skipped),
    )
    lines = tuple(map(ReportedChange, of_every_kind()[:5], results))
    account = AccountReport(
        account=SANDBOX, exit_code=Exit.PARTIAL, changes=lines, plan_id="1" * 32, plan_hash="e" * 64
    )
    return Report(command="apply", accounts=(account,))


def applied() -> Report:
    line = ReportedChange(
        of_every_kind()[2], ChangeResult(ResultStatus.DONE, (RequestRecord("update", "req_9", 1),))
    )
    account = AccountReport(
        account=AccountRef("production", "acct_1Live", livemode=True),
        exit_code=Exit.DONE,
        changes=(line,),
        diagnostics=(applying.VERIFIED("verified: the account matches"),),
        plan_id="2" * 32,
        plan_hash="d" * 64,
    )
    return Report(command="apply", accounts=(account,))


def invalid() -> Report:
    place = Location("meters/search.yaml", 3, 5, 3, 17)
    diagnostics = (
        config.UNKNOWN_KEY("unknown key 'dispaly_name'", place, "did you mean display_name?"),
        config.UNKNOWN_KEY(f"unknown key {HOSTILE}", place),
    )
    return Report(command="validate", diagnostics=diagnostics, own_exit=Exit.FAILED)


def inventory() -> Inventory:
    meters = (existing("seats", "mtr_a"), existing("seats", "mtr_b", "inactive", HOSTILE))
    return Inventory(accounts=(AccountInventory(account=SANDBOX, meters=meters, total=2),))


REPORTS = {
    "refused_plan": refused_plan,
    "partly_applied": partly_applied,
    "applied": applied,
    "invalid": invalid,
    "list": inventory,
}
