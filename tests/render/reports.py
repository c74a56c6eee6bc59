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
    in_sync,
    live,
    renaming,
    stopping,
    unmanaged,
    waking,
)

from reconciler.diagnostics.codes import applying, config, guards, planning
from reconciler.diagnostics.codes import drift as drift_codes
from reconciler.diagnostics.diagnostic import Location
from reconciler.diagnostics.errors import Exit
from reconciler.model.change import FieldChange, Severity
from reconciler.model.finding import Attribution, Exemption, Finding
from reconciler.model.price import Price
from reconciler.model.project import AccountRef
from reconciler.report.report import AccountReport, Line, Outcome, OutcomeStatus, Report, Sent


def account(*lines: Line, exit_code: Exit = Exit.DONE, name: str = "production") -> AccountReport:
    return AccountReport(
        account=AccountRef(name, "acct_1ProdAbc", livemode=True),
        exit_code=exit_code,
        lines=lines,
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
    problems = (
        guards.PRICES_BILL(
            "active prices bill on 'sms_sent': price_1Sms", stop.where, event_name="sms_sent"
        ),
        planning.DIFFERS(
            "'api_calls' differs where Stripe allows no change: "
            "default_aggregation.formula: 'sum' -> 'count'",
            differs.where,
            "declare what mtr_test_0004 has, or consent to stopping it: `retires: [mtr_test_0004]`",
            "api_calls",
        ),
    )
    only = account(*map(Line, changes), exit_code=Exit.REFUSED)
    return Report(verb="plan", accounts=(replace(only, problems=problems),))


def applied() -> Report:
    """An apply of which one line failed, one was doubtful at first, and one was not tried."""
    refusal = applying.REFUSED_BY_API(
        "Stripe refused to reactivate 'seats': this meter cannot be reactivated (req_3)",
        event_name="seats",
    )
    skipped = applying.AFTER_FAILURE("'sms_sent' was not touched", event_name="sms_sent")
    lines = (
        Line(
            creation("ai_search_calls"),
            Outcome(
                OutcomeStatus.DONE,
                (Sent("create", "req_1", 2, "doubtful"),),
                meter_id="mtr_test_0099",
            ),
        ),
        Line(
            waking("seats"),
            Outcome(
                OutcomeStatus.FAILED, (Sent("reactivate", "req_3", 1, "refused", False),), refusal
            ),
        ),
        Line(renaming("ai_image_renders"), Outcome(OutcomeStatus.ALREADY)),
        Line(
            replace(stopping("sms_sent"), refused_by=()),
            Outcome(OutcomeStatus.SKIPPED, error=skipped),
        ),
        Line(in_sync("ai_tokens")),
    )
    return Report(verb="apply", accounts=(account(*lines, exit_code=Exit.PARTIAL),))


def found_inactive(name: str = "seats", **more: object) -> Finding:
    given = {
        "kind": "inactive",
        "code": "D001",
        "severity": Severity.REVENUE,
        "message": (
            f"{name!r} is declared active, but mtr_test_0002 is inactive since "
            "2026-11-01T14:02:00Z, for 3 days; usage sent since then is lost"
        ),
        "meter_ids": ("mtr_test_0002",),
        "since": NOON - 3 * DAY + 120,
        "resend_until": NOON + 32 * DAY + 120,
        "remedy": f"reconciler apply --account production --only {name}",
        "attribution": Attribution(
            "outside",
            NOON - 3 * DAY + 120,
            "req_Xk2Pq9",
            note=(
                "billing.meter.deactivated at 2026-11-01T14:02:00Z not through this tool: no "
                "idempotency key was sent; perhaps the Dashboard"
            ),
        ),
    }
    return Finding(**{**given, **more})


def drifted() -> Report:
    """An audit with findings of every severity, one exempt, and an exemption run out."""
    renamed = Finding(
        kind="renamed",
        code="D007",
        severity=Severity.LOW,
        message="mtr_test_0003 is called 'Pictures', declared is 'Image renders'",
        meter_ids=("mtr_test_0003",),
        since=NOON - 12 * DAY,
        remedy="reconciler apply --account production --only ai_image_renders",
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
        message="mtr_test_0004 differs where Stripe allows no change: "
        "default_aggregation.formula is 'sum', declared is 'count'",
        meter_ids=("mtr_test_0004",),
        since=NOON - 90 * DAY,
        remedy='default_aggregation: {formula: "sum"}',
        attribution=Attribution("older", note="no event of the last 30 days explains it"),
    )
    legacy = Finding(
        kind="unmanaged",
        code="D009",
        severity=Severity.LOW,
        message="mtr_test_0006 is active, and no file declares 'legacy_minutes'",
        exemption=Exemption("moves to the new product", "2027-01-31", "billing team"),
    )
    lines = (
        Line(waking("seats"), findings=(found_inactive(),)),
        Line(blocked("api_calls"), findings=(differs,)),
        Line(renaming("ai_image_renders"), findings=(renamed,)),
        Line(replace(unmanaged("legacy_minutes"), severity=Severity.NONE), findings=(legacy,)),
        Line(in_sync("ai_tokens")),
        Line(in_sync("storage_gb", 52)),
    )
    expired = drift_codes.EXEMPTION_EXPIRED(
        "the exemption of unmanaged for 'old_*' ran out on 2026-10-31: being sold off",
        Location("billing/reconciler.yaml", 14, 7, 14, 60),
    )
    only = account(*lines, exit_code=Exit.CHANGES)
    audited = replace(only, problems=(expired,), plan_id=None, plan_hash=None)
    return Report(verb="drift", accounts=(audited,))


def invalid() -> Report:
    """A validation that found a mistake and something to think about."""
    problems = (
        config.UNKNOWN_KEY(
            "unknown key 'event_nmae'",
            Location("./billing/meters/ai.yaml", 4, 5, 4, 15),
            "did you mean event_name?",
        ),
        config.UNUSUAL_EVENT_NAME(
            "'Søk' is unusual", Location("./billing/meters/ai.yaml", 9, 5, 11, 1), event_name="Søk"
        ),
    )
    return Report(verb="validate", problems=problems, own_exit=Exit.FAILED)


def hostile(text: str, verb: str = "drift") -> Report:
    """Every value of a report that can come from outside, replaced by the given text."""
    finding = found_inactive(
        text,
        message=text,
        remedy=text,
        attribution=Attribution(text, NOON, text, text, text, text),
        exemption=None,
    )
    change = replace(
        waking(text),
        reason=text,
        want=replace(declared(text, display=text), where=Location(text, 1, 2, 1, 9)),
        have=replace(live(text, 1, display=text), id=text),
        fields=(FieldChange(text, text, text),),
        prices=(Price(text, text, nickname=text, product=text),),
        refused_by=(text,),
    )
    problem = guards.PRICES_BILL(text, Location(text, 1, 2, 1, 9), text, text)
    outcome = Outcome(OutcomeStatus.FAILED, (Sent(text, text, 1, text),), problem, text)
    line = {
        "drift": Line(change, findings=(finding,)),
        "apply": Line(change, outcome),
        "plan": Line(change),
    }[verb]
    bad = AccountReport(
        account=AccountRef(text, text, livemode=True),
        exit_code=Exit.REFUSED,
        lines=(line, Line(in_sync(text))),
        problems=(problem, replace(problem, event_name=None)),
        plan_id=text,
        plan_hash=text,
    )
    return Report(verb=verb, accounts=(bad,), problems=(problem,))


def many(revenue: int = 200, others: int = 300) -> Report:
    """An audit of hundreds of findings under hostile names, the worst ones last."""
    names = [f"{n:03}{HOSTILE[n % len(HOSTILE)]}"[:100] for n in range(revenue + others)]
    lines = [
        Line(replace(waking(name), severity=severity), findings=(found,))
        for n, name in enumerate(names)
        for severity in [Severity.REVENUE if n >= others else Severity.LOW]
        for found in [found_inactive(name, severity=severity)]
    ]
    return Report(verb="drift", accounts=(account(*lines, exit_code=Exit.CHANGES),))
