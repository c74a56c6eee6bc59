"""Reports to render: one of every command, decided from one world, and hostile and large ones."""

from __future__ import annotations

from collections.abc import Callable
from itertools import starmap

from builders.meters import active_prices, decide_all, declare, existing, inactive, retire
from hypothesis import strategies as st
from msgspec.structs import replace

from reconciler.diagnostics.codes import applying, config, guards, planning
from reconciler.diagnostics.codes import drift as drift_codes
from reconciler.diagnostics.diagnostic import Location
from reconciler.diagnostics.errors import Exit
from reconciler.model.change import FieldChange
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
from reconciler.model.project import AccountRef, Policy
from reconciler.model.request import Outcome, RequestRecord
from reconciler.report.documents import AccountInventory, Inventory
from reconciler.report.report import (
    AccountReport,
    ChangeResult,
    Report,
    ReportedChange,
    ResultStatus,
)

DAY = 86_400
NOON = 1_793_800_800  # 2026-11-04T14:00:00Z
HASH = "9f2c41d07be8a35516c0ad4f7721e98b3c5d6e7f8091a2b3c4d5e6f708192a3b"
HOSTILE = (
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "javascript:alert(1)//@octocat #1 https://evil.example/?a=b&c",
    "a|b\\|c`d``e\r\nf\u2028g",
    "</td></tr></table>--><!-- [x](javascript:alert(1)) ]]>",
    "::error file=a,line=1::owned%0A",
    "\u202egnp.exe \x00\x07\x1b[2J\ufffe\ud800 user@evil.example www.evil.example $x$ :tada:",
)
EVIL = "evil\x1b[2J\u202ename\nsecond\ud800"
PRODUCTION = AccountRef("production", "acct_1ProdAbc", livemode=True)
SANDBOX = AccountRef("sandbox", "acct_1Sandbox", livemode=False)
_AGE = {"created": NOON - 90 * DAY, "livemode": True}

CHANGES = {
    change.event_name: change
    for change in decide_all(
        [
            declare("ai_search_calls", display="Search API calls", line=4),
            declare("seats", line=12),
            declare("ai_image_renders", display="Image renders", line=20),
            declare("api_calls", formula="count", line=28),
            retire("sms_sent", line=36),
            declare("ai_tokens", line=44),
            declare("storage_gb", line=52),
            declare("uploads", formula="count", retires=("mtr_uploads",), line=60),
        ],
        [
            inactive("mtr_search", "ai_search_calls", formula="last", **_AGE),
            inactive("mtr_seats", "seats", at=NOON - 3 * DAY, **_AGE),
            existing("mtr_images", "ai_image_renders", display="Pictures", **_AGE),
            existing("mtr_calls", "api_calls", **_AGE),
            existing("mtr_sms", "sms_sent", **_AGE),
            existing("mtr_tokens", "ai_tokens", **_AGE),
            existing("mtr_storage", "storage_gb", **_AGE),
            existing("mtr_uploads", "uploads", **_AGE),
            existing("mtr_video", "video_minutes", **_AGE),
            existing("mtr_evil", EVIL, **_AGE),
        ],
        active_prices("price_1Seats@mtr_seats", "price_1Sms@mtr_sms", "price_2Sms@mtr_sms"),
        Policy(),
    )
}
"""A change of every action, in order of apply: both in-sync and unmanaged ones twice."""


def texts() -> st.SearchStrategy[str]:
    """Any text at all, often made of the characters that formats care for."""
    odd = st.sampled_from("<>&\"'`|\\@#:%,*_[](){}!~$\r\n\t\x00\x1b\u202e\u2028\ufeff-= .")
    pieces = st.one_of(st.sampled_from(HOSTILE), odd, st.characters())
    return st.lists(pieces, min_size=1, max_size=8).map("".join)


def like(name: str, *event_names: str) -> list[ReportedChange]:
    """The change of one name, under others."""
    return [ReportedChange(replace(CHANGES[name], event_name=each)) for each in event_names]


def report(command: str, *changes: ReportedChange, **more: object) -> Report:
    """A report of one account."""
    given = {"account": PRODUCTION, "exit_code": Exit.DONE, "plan_hash": HASH, "plan_id": "0" * 32}
    return Report(
        command=command, accounts=(AccountReport(**{**given, "changes": changes, **more}),)
    )


def entry(name: str, *findings: Finding, **more: object) -> DriftEntry:
    change = CHANGES[name]
    given = {
        "event_name": name,
        "location": change.location,
        "meters": change.existing_meters,
        "prices": change.prices,
        "findings": findings,
    }
    return DriftEntry(**{**given, **more})


def drift(*entries: DriftEntry, **more: object) -> Report:
    given = {"exit_code": Exit.CHANGES, "plan_id": None, "plan_hash": None, "entries": entries}
    return report("drift", **{**given, **more})


def plan() -> Report:
    """A refused, partial plan with a change of every action."""
    deactivation = replace(CHANGES["sms_sent"], refused_by=("G001", "G004"))
    changes = {**CHANGES, "sms_sent": deactivation}.values()
    diagnostics = (
        guards.TOO_MANY_DEACTIVATIONS("2 meters would be deactivated; the policy allows 1"),
        guards.PRICES_IN_USE(
            "'sms_sent' has prices in use: price_1Sms, price_2Sms",
            deactivation.location,
            event_name="sms_sent",
        ),
        planning.DIFFERS(
            "'api_calls' differs in a field that cannot be updated: "
            "default_aggregation.formula: 'sum' -> 'count'",
            CHANGES["api_calls"].location,
            "declare the settings of mtr_calls, or allow it to be replaced: `retires: [mtr_calls]`",
            "api_calls",
        ),
        planning.PARTIAL("--only was given: undeclared meters were not evaluated"),
    )
    more = {"exit_code": Exit.REFUSED, "diagnostics": diagnostics, "complete": False}
    return report("plan", *map(ReportedChange, changes), **more)


def partly_applied() -> Report:
    """An apply with a change that failed, one whose effect is unknown, and one not tried."""
    refusal = applying.REJECTED_BY_API(
        "Stripe refused to reactivate 'seats': this meter cannot be reactivated (req_3)",
        event_name="seats",
    )
    unsure = applying.NOT_CONFIRMED("the effect on 'uploads' is unknown", event_name="uploads")
    skipped = applying.AFTER_FAILURE("'sms_sent' was not changed", event_name="sms_sent")
    created = RequestRecord("create", "req_1", 2, Outcome.INDETERMINATE, 500, doubts=1)
    rejected = RequestRecord("reactivate", "req_3", 1, Outcome.REJECTED, 400)
    lost = RequestRecord("deactivate", None, 4, "indeterminate")
    results = {
        "ai_search_calls": ChangeResult(ResultStatus.DONE, (created,), meter_id="mtr_new"),
        "seats": ChangeResult(ResultStatus.FAILED, (rejected,), refusal),
        "ai_image_renders": ChangeResult(ResultStatus.ALREADY),
        "uploads": ChangeResult(ResultStatus.UNKNOWN, (lost,), unsure),
        "sms_sent": ChangeResult(ResultStatus.SKIPPED, error=skipped),
        "ai_tokens": None,
    }
    changes = (ReportedChange(CHANGES[name], result) for name, result in results.items())
    return report("apply", *changes, exit_code=Exit.PARTIAL)


def applied() -> Report:
    result = ChangeResult(ResultStatus.DONE, (RequestRecord("update", "req_9", 1),))
    verified = (applying.VERIFIED("verified: the account matches"),)
    change = ReportedChange(CHANGES["ai_image_renders"], result)
    return report("apply", change, diagnostics=verified)


def invalid() -> Report:
    """A validation with errors and a warning."""
    place = Location("./meters/ai.yaml", 4, 5, 4, 15)
    diagnostics = (
        config.UNKNOWN_KEY("unknown key 'event_nmae'", place, "did you mean event_name?"),
        config.UNKNOWN_KEY(f"unknown key {EVIL}", place),
        config.UNUSUAL_EVENT_NAME(
            "'Søk' is unusual", Location("./meters/ai.yaml", 9, 5, 11, 1), event_name="Søk"
        ),
    )
    return Report(command="validate", diagnostics=diagnostics, own_exit=Exit.FAILED)


def inventory() -> Inventory:
    meters = (existing("mtr_a", "seats"), inactive("mtr_b", "seats", display=EVIL))
    return Inventory(accounts=(AccountInventory(account=SANDBOX, meters=meters, total=2),))


def command(name: str) -> Remediation:
    text = f"reconciler apply --account production --only {name}"
    return Remediation(RemediationKind.COMMAND, text)


def finding(name: str = "seats", **more: object) -> Finding:
    """A finding that loses revenue."""
    given = {
        "kind": "inactive",
        "code": "D001",
        "severity": Severity.REVENUE,
        "message": f"{name!r} is declared active, but mtr_seats has been inactive for 3 days",
        "meter_ids": ("mtr_seats",),
        "since": NOON - 3 * DAY + 120,
        "resend_until": NOON + 32 * DAY + 120,
        "prices": (Price("price_1Seats", "mtr_seats", nickname="Team plan"),),
        "remediation": command(name),
        "attribution": Attribution(
            "outside",
            NOON - 3 * DAY + 120,
            "req_Xk2Pq9",
            note="billing.meter.deactivated, not reconciler: no idempotency key was sent",
        ),
    }
    return Finding(**{**given, **more})


UNMANAGED = Finding(
    kind="unmanaged",
    code="D009",
    severity=Severity.LOW,
    message="active, and no file declares it",
)


def drifted() -> Report:
    """Findings of every severity, an exempt one, and an exemption that has expired."""
    differs = Finding(
        kind="differs",
        code="D004",
        severity=Severity.HIGH,
        message="default_aggregation.formula is 'sum', declared is 'count'",
        since=NOON - 90 * DAY,
        remediation=Remediation(RemediationKind.EDIT, 'default_aggregation: {formula: "sum"}'),
        attribution=Attribution("older", note="no event of the last 30 days explains it"),
    )
    by = Attribution("another_client", NOON - 12 * DAY, "req_Zz81", note="billing.meter.updated")
    renamed = Finding(
        kind="renamed",
        code="D007",
        severity=Severity.LOW,
        message="the display_name is 'Pictures', declared is 'Image renders'",
        since=NOON - 12 * DAY,
        remediation=command("ai_image_renders"),
        attribution=by,
    )
    exemption = Exemption("moves to the new product", "2027-01-31", "billing team")
    expired = drift_codes.EXEMPTION_EXPIRED(
        "the exemption of unmanaged for 'old_*' expired on 2026-10-31: being sold off",
        Location("reconciler.yaml", 14, 7, 14, 60),
    )
    return drift(
        entry("seats", finding()),
        entry("api_calls", differs),
        entry("ai_image_renders", renamed),
        entry("video_minutes", replace(UNMANAGED, exemption=exemption)),
        entry("ai_tokens"),
        entry("storage_gb"),
        diagnostics=(expired,),
    )


def hostile(text: str, command: str = "drift") -> Report:
    """Every value of a report that can come from outside, replaced by the given text."""
    found = finding(
        text,
        message=text,
        prices=(Price(text, text, nickname=text, product=text),),
        remediation=Remediation(RemediationKind.COMMAND, text),
        attribution=Attribution(text, NOON, text, text, text, text),
    )
    place = Location(text, 1, 2, 1, 9)
    same = {"event_name": text, "location": place}
    change = replace(
        CHANGES["seats"],
        event_name=text,
        reason=text,
        desired=replace(declare(text, display=text), location=place),
        existing=inactive(text, text, display=text),
        fields=(FieldChange(text, text, text),),
        prices=found.prices,
        refused_by=(text,),
    )
    diagnostic = guards.PRICES_IN_USE(text, place, text, text)
    sent = RequestRecord(text, text, 1, text)
    result = ChangeResult(ResultStatus.FAILED, (sent,), diagnostic, text)
    has_entries = command == "drift"
    reported = ReportedChange(change, result if command == "apply" else None)
    made = report(
        command,
        *(() if has_entries else (reported, *like("ai_tokens", text))),
        account=AccountRef(text, text, livemode=True),
        exit_code=Exit.REFUSED,
        entries=(entry("seats", found, **same), entry("seats", **same)) if has_entries else (),
        diagnostics=(diagnostic, replace(diagnostic, event_name=None)),
        plan_id=text,
        plan_hash=text,
    )
    return replace(made, diagnostics=(diagnostic,))


def many(revenue: int = 200, others: int = 300) -> Report:
    """Hundreds of findings under hostile names, the worst ones last."""
    names = [f"{n:03}{HOSTILE[n % len(HOSTILE)]}"[:100] for n in range(revenue + others)]
    severities = [Severity.LOW] * others + [Severity.REVENUE] * revenue

    def make(name: str, severity: Severity) -> DriftEntry:
        return entry("seats", finding(name, severity=severity), event_name=name)

    return drift(*starmap(make, zip(names, severities, strict=True)))


REPORTS: dict[str, Callable[[], Report]] = {
    "plan": plan,
    "partly_applied": partly_applied,
    "applied": applied,
    "drifted": drifted,
    "invalid": invalid,
    "many": many,
}
