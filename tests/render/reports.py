"""Reports to render: one of every verb, a large hostile one."""

from __future__ import annotations

from dataclasses import replace

from render.parts import (
    DAY,
    HASH,
    HOSTILE,
    NOON,
    blocked,
    creation,
    declared,
    existing,
    in_sync,
    renaming,
    stopping,
    unmanaged,
    waking,
)

from reconciler.diagnostics.codes import applying, config, guards, planning
from reconciler.diagnostics.codes import drift as drift_codes
from reconciler.diagnostics.diagnostic import Location
from reconciler.diagnostics.errors import Exit
from reconciler.model.change import Change, FieldChange
from reconciler.model.finding import (
    Attribution,
    DriftEntry,
    Exemption,
    Finding,
    Remediation,
    RemediationKind,
    Severity,
)
from reconciler.model.price import Price
from reconciler.model.project import AccountRef
from reconciler.model.request import Outcome, RequestRecord
from reconciler.report.report import (
    AccountReport,
    ChangeResult,
    Report,
    ReportedChange,
    ResultStatus,
)


def account(
    *lines: ReportedChange, exit_code: Exit = Exit.DONE, name: str = "production"
) -> AccountReport:
    return AccountReport(
        account=AccountRef(name, "acct_1ProdAbc", livemode=True),
        exit_code=exit_code,
        changes=lines,
        plan_id="0a1b2c3d4e5f60718293a4b5c6d7e8f9",
        plan_hash=HASH,
    )


def plan() -> Report:
    """A refused plan with a line of every kind."""
    stop, differs = stopping("sms_sent"), blocked("api_calls")
    changes = (
        creation("ai_search_calls"),
        waking("seats"),
        renaming("ai_image_renders"),
        stop,
        differs,
        unmanaged("video_minutes"),
        in_sync("ai_tokens"),
        in_sync("storage_gb", 52),
    )
    diagnostics = (
        guards.PRICES_IN_USE(
            "active prices bill on 'sms_sent': price_1Sms", stop.location, event_name="sms_sent"
        ),
        planning.DIFFERS(
            "'api_calls' differs where Stripe allows no change: "
            "default_aggregation.formula: 'sum' -> 'count'",
            differs.location,
            "declare what mtr_test_0004 has, or consent to stopping it: `retires: [mtr_test_0004]`",
            "api_calls",
        ),
    )
    only = account(*map(ReportedChange, changes), exit_code=Exit.REFUSED)
    return Report(command="plan", accounts=(replace(only, diagnostics=diagnostics),))


def applied() -> Report:
    """An apply of which one line failed, one was doubtful at first, and one was not tried."""
    refusal = applying.REJECTED_BY_API(
        "Stripe refused to reactivate 'seats': this meter cannot be reactivated (req_3)",
        event_name="seats",
    )
    skipped = applying.AFTER_FAILURE("'sms_sent' was not touched", event_name="sms_sent")
    lines = (
        ReportedChange(
            creation("ai_search_calls"),
            ChangeResult(
                ResultStatus.DONE,
                (RequestRecord("create", "req_1", 2, Outcome.INDETERMINATE, doubts=2),),
                meter_id="mtr_test_0099",
            ),
        ),
        ReportedChange(
            waking("seats"),
            ChangeResult(
                ResultStatus.FAILED,
                (RequestRecord("reactivate", "req_3", 1, Outcome.REJECTED),),
                refusal,
            ),
        ),
        ReportedChange(renaming("ai_image_renders"), ChangeResult(ResultStatus.ALREADY)),
        ReportedChange(
            replace(stopping("sms_sent"), refused_by=()),
            ChangeResult(ResultStatus.SKIPPED, error=skipped),
        ),
        ReportedChange(in_sync("ai_tokens")),
    )
    return Report(command="apply", accounts=(account(*lines, exit_code=Exit.PARTIAL),))


def found_inactive(name: str = "seats", **more: object) -> Finding:
    given = {
        "kind": "inactive",
        "code": "D001",
        "severity": Severity.REVENUE,
        "message": (
            f"{name!r} is declared active, but mtr_test_0002 has been inactive for 3 days; usage "
            "sent since then is lost"
        ),
        "meter_ids": ("mtr_test_0002",),
        "since": NOON - 3 * DAY + 120,
        "resend_until": NOON + 32 * DAY + 120,
        "prices": (Price("price_1Seats", "mtr_test_0002", nickname="Team plan"),),
        "remediation": command(name),
        "attribution": Attribution(
            "outside",
            NOON - 3 * DAY + 120,
            "req_Xk2Pq9",
            note=(
                "billing.meter.deactivated at 2026-11-01T14:02:00Z, not reconciler: no "
                "idempotency key was sent, possibly the Dashboard"
            ),
        ),
    }
    return Finding(**{**given, **more})


def command(name: str) -> Remediation:
    text = f"reconciler apply --account production --only {name}"
    return Remediation(RemediationKind.COMMAND, text)


def entry(change: Change, *findings: Finding) -> DriftEntry:
    return DriftEntry(
        event_name=change.event_name,
        location=change.location,
        meters=change.existing_meters,
        prices=change.prices,
        findings=findings,
    )


def drifted() -> Report:
    """An audit with findings of every severity, one exempt, and an exemption run out."""
    renamed = Finding(
        kind="renamed",
        code="D007",
        severity=Severity.LOW,
        message="the display_name of mtr_test_0003 is 'Pictures', declared is 'Image renders'",
        meter_ids=("mtr_test_0003",),
        since=NOON - 12 * DAY,
        remediation=command("ai_image_renders"),
        attribution=Attribution(
            "another_client",
            NOON - 12 * DAY,
            "req_Zz81",
            note="billing.meter.updated at 2026-10-23T14:00:00Z by another API client",
        ),
    )
    differs = Finding(
        kind="differs",
        code="D004",
        severity=Severity.HIGH,
        message="mtr_test_0004 differs in fields that cannot be updated: "
        "default_aggregation.formula is 'sum', declared is 'count'",
        meter_ids=("mtr_test_0004",),
        since=NOON - 90 * DAY,
        remediation=Remediation(RemediationKind.EDIT, 'default_aggregation: {formula: "sum"}'),
        attribution=Attribution("older", note="no event of the last 30 days explains it"),
    )
    legacy = Finding(
        kind="unmanaged",
        code="D009",
        severity=Severity.LOW,
        message="mtr_test_0006 is active, and no file declares 'legacy_minutes'",
        exemption=Exemption("moves to the new product", "2027-01-31", "billing team"),
    )
    entries = (
        entry(waking("seats"), found_inactive()),
        entry(blocked("api_calls"), differs),
        entry(renaming("ai_image_renders"), renamed),
        entry(unmanaged("legacy_minutes"), legacy),
        entry(in_sync("ai_tokens")),
        entry(in_sync("storage_gb", 52)),
    )
    expired = drift_codes.EXEMPTION_EXPIRED(
        "the exemption of unmanaged for 'old_*' expired on 2026-10-31: being sold off",
        Location("billing/reconciler.yaml", 14, 7, 14, 60),
    )
    only = replace(account(exit_code=Exit.CHANGES), entries=entries)
    audited = replace(only, diagnostics=(expired,), plan_id=None, plan_hash=None)
    return Report(command="drift", accounts=(audited,))


def invalid() -> Report:
    """A validation that found a mistake and something to think about."""
    diagnostics = (
        config.UNKNOWN_KEY(
            "unknown key 'event_nmae'",
            Location("./billing/meters/ai.yaml", 4, 5, 4, 15),
            "did you mean event_name?",
        ),
        config.UNUSUAL_EVENT_NAME(
            "'Søk' is unusual", Location("./billing/meters/ai.yaml", 9, 5, 11, 1), event_name="Søk"
        ),
    )
    return Report(command="validate", diagnostics=diagnostics, own_exit=Exit.FAILED)


def hostile(text: str, command: str = "drift") -> Report:
    """Every value of a report that can come from outside, replaced by the given text."""
    finding = found_inactive(
        text,
        message=text,
        prices=(Price(text, text, nickname=text, product=text),),
        remediation=Remediation(RemediationKind.COMMAND, text),
        attribution=Attribution(text, NOON, text, text, text, text),
        exemption=None,
    )
    change = replace(
        waking(text),
        reason=text,
        desired=replace(declared(text, display=text), location=Location(text, 1, 2, 1, 9)),
        existing=replace(existing(text, 1, display=text), id=text),
        fields=(FieldChange(text, text, text),),
        prices=(Price(text, text, nickname=text, product=text),),
        refused_by=(text,),
    )
    diagnostic = guards.PRICES_IN_USE(text, Location(text, 1, 2, 1, 9), text, text)
    result = ChangeResult(ResultStatus.FAILED, (RequestRecord(text, text),), diagnostic, text)
    drift = command == "drift"
    reported = ReportedChange(change, result if command == "apply" else None)
    bad = AccountReport(
        account=AccountRef(text, text, livemode=True),
        exit_code=Exit.REFUSED,
        changes=() if drift else (reported, ReportedChange(in_sync(text))),
        entries=(entry(change, finding), entry(in_sync(text))) if drift else (),
        diagnostics=(diagnostic, replace(diagnostic, event_name=None)),
        plan_id=text,
        plan_hash=text,
    )
    return Report(command=command, accounts=(bad,), diagnostics=(diagnostic,))


def many(revenue: int = 200, others: int = 300) -> Report:
    """An audit of hundreds of findings under hostile names, the worst ones last."""
    names = [f"{n:03}{HOSTILE[n % len(HOSTILE)]}"[:100] for n in range(revenue + others)]
    entries = tuple(
        entry(waking(name), found_inactive(name, severity=severity))
        for n, name in enumerate(names)
        for severity in [Severity.REVENUE if n >= others else Severity.LOW]
    )
    only = replace(account(exit_code=Exit.CHANGES), entries=entries)
    return Report(command="drift", accounts=(only,))
