"""The sentences of a summary are true of the report that they are about."""

from __future__ import annotations

import pytest
from msgspec.structs import replace
from render.reports import (
    CHANGES,
    REPORTS,
    UNMANAGED,
    applied,
    drift,
    drifted,
    entry,
    finding,
    like,
    partly_applied,
    plan,
    report,
)
from render.sentences import check_report

from reconciler.diagnostics.codes import applying, planning
from reconciler.diagnostics.diagnostic import Diagnostic
from reconciler.diagnostics.errors import Exit
from reconciler.model.finding import Exemption
from reconciler.model.project import AccountRef
from reconciler.report.report import AccountReport, ChangeResult, Report, ReportedChange
from reconciler.report.report import ResultStatus as Ended

PARTIAL = planning.PARTIAL("narrowed")
EXEMPT = replace(finding(), exemption=Exemption("sold off", "2027-01-31"))


def ended(status: Ended, *names: str) -> list[ReportedChange]:
    """Updates that ended alike."""
    change = CHANGES["ai_image_renders"]
    changes = (replace(change, event_name=name) for name in names)
    return [ReportedChange(each, ChangeResult(status)) for each in changes]


def unverified(diagnostic: Diagnostic) -> Report:
    done = ended(Ended.DONE, "a", "b")
    return report("apply", *done, exit_code=Exit.PARTIAL, diagnostics=(diagnostic,))


def several(*parts: Report) -> Report:
    """Parts of one command as the accounts of one run."""
    accounts = (account for part in parts for account in part.accounts)
    named = [
        replace(account, account=AccountRef(f"account{n}", f"acct_{n}", livemode=True))
        for n, account in enumerate(accounts)
    ]
    return Report(command=parts[0].command, accounts=tuple(named))


def unread(exit_code: Exit) -> Report:
    account = AccountReport(account=AccountRef("x"), exit_code=exit_code, complete=False)
    return Report(command="apply", accounts=(account,))


IN_SYNC = like("ai_tokens", "a", "b")
SCENARIOS = {
    "nothing to do": report("plan", *IN_SYNC),
    "nothing to do, narrowed": report("plan", *IN_SYNC, complete=False, diagnostics=(PARTIAL,)),
    "nothing to do, unmanaged": report("plan", *IN_SYNC, *like("video_minutes", "c")),
    "nothing to apply": report("apply", *IN_SYNC),
    "changes": report("plan", *like("seats", "a"), *IN_SYNC, exit_code=Exit.CHANGES),
    "already": report("apply", *ended(Ended.ALREADY, "a", "b", "c", "d")),
    "done and already": report("apply", *ended(Ended.DONE, "a"), *ended(Ended.ALREADY, "b")),
    "interrupted": report(
        "apply",
        *ended(Ended.DONE, "a"),
        *ended(Ended.SKIPPED, "b", "c"),
        *ended(Ended.UNKNOWN, "d"),
        exit_code=Exit.INTERRUPTED,
    ),
    "interrupted at once": report(
        "apply", *ended(Ended.SKIPPED, "b", "c"), exit_code=Exit.INTERRUPTED
    ),
    "skipped what is refused": report(
        "apply",
        *ended(Ended.DONE, "a"),
        *ended(Ended.SKIPPED, "c"),
        *like("api_calls", "b"),
        exit_code=Exit.REFUSED,
    ),
    "not verified": unverified(applying.NOT_VERIFIED("still differs")),
    "not verifiable": unverified(applying.UNVERIFIABLE("no answer")),
    "ignored": drift(entry("seats", EXEMPT), entry("ai_tokens"), exit_code=Exit.DONE),
    "unmanaged": drift(entry("video_minutes", UNMANAGED), entry("ai_tokens")),
    "several plans": several(report("plan", *IN_SYNC), plan()),
    "several applies": several(applied(), partly_applied(), unread(Exit.DENIED)),
    "a failed account beside one": several(applied(), unread(Exit.FAILED)),
    "several drifts": several(drifted(), drift(entry("ai_tokens"), exit_code=Exit.DONE)),
}


@pytest.mark.parametrize("make", REPORTS.values(), ids=REPORTS)
def test_every_sentence_of_a_report_is_true(make):
    check_report(make())


@pytest.mark.parametrize("document", SCENARIOS.values(), ids=SCENARIOS)
def test_every_sentence_of_a_scenario_is_true(document):
    check_report(document)


@pytest.mark.parametrize(
    ("name", "verdict"),
    [
        ("nothing to do", "No changes. The account matches the configuration."),
        ("nothing to do, narrowed", "No changes. The evaluated meters are as declared."),
        ("nothing to do, unmanaged", "No changes. Every declared meter is as declared."),
        ("nothing to apply", "No changes to apply."),
        ("already", "Apply complete: 4 already as planned."),
        ("interrupted", "Interrupted: 1 change applied, 2 not applied, 1 unknown."),
        ("skipped what is refused", "1 change applied, 1 not applied, 1 blocked."),
        (
            "not verifiable",
            "Not confirmed: every change was made, but the account could not be read again.",
        ),
    ],
)
def test_the_verdict_says_no_more_than_is_known(name, verdict):
    assert check_report(SCENARIOS[name])[0] == verdict
