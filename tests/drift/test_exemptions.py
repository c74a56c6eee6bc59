"""Findings that the project file ignores until a date."""

from __future__ import annotations

import pytest
from builders.meters import declare, existing, inactive, inspect_all

from reconciler.diagnostics.diagnostic import Level, Location
from reconciler.diagnostics.errors import Exit
from reconciler.drift.exemptions import exempt, report_expired
from reconciler.model.finding import Exemption, Severity
from reconciler.model.project import Ignore
from reconciler.report.exit_code import exit_code_for_drift
from reconciler.report.report import count_changes

TODAY = "2026-09-21"
PLACE = Location("reconciler.yaml", 9, 5)


def ignore(event_name="legacy_*", kind="unmanaged", until="2026-09-21"):
    return Ignore(
        event_name=event_name,
        kind=kind,
        reason="goes away",
        until=until,
        owner="billing",
        location=PLACE,
    )


def inspect_exempt(declared, account, *rules, prices=()):
    (entry,) = inspect_all(declared, account, *prices)
    return exempt(entry, rules, TODAY)


LEGACY = [existing(name="legacy_sms")]


def test_a_rule_exempts_findings_of_its_pattern_and_kind_until_the_end_of_its_day():
    """The finding stays, marked with reason, date and owner; it no longer counts."""
    entry = inspect_exempt([], LEGACY, ignore())
    assert entry.ignored
    assert entry.findings[0].exemption == Exemption("goes away", TODAY, "billing")
    assert entry.findings[0].severity is Severity.LOW
    assert entry.severity is None
    assert count_changes((), [entry])["ignored"] == 1
    assert exit_code_for_drift([entry], (), Severity.LOW) is Exit.DONE


@pytest.mark.parametrize(
    ("rule", "prices"),
    [
        (ignore(event_name="legacy"), ()),
        (ignore(event_name="LEGACY_*"), ()),
        (ignore(kind="renamed"), ()),
        (ignore(until="2026-09-20"), ()),
        (ignore(), ("p@mtr_a",)),  # the finding is no longer `unmanaged`
    ],
)
def test_a_rule_exempts_nothing_else(rule, prices):
    entry = inspect_exempt([], LEGACY, rule, prices=prices)
    assert not entry.ignored
    assert exit_code_for_drift([entry], (), Severity.LOW) is Exit.CHANGES


def test_of_two_findings_the_one_that_counts_comes_first():
    account = [existing(formula="count", display="Other")]
    entry = inspect_exempt([declare()], account, ignore("calls", "differs"))
    assert [(f.kind, bool(f.exemption)) for f in entry.findings] == [
        ("renamed", False),
        ("differs", True),
    ]
    assert entry.severity is Severity.LOW
    assert not entry.ignored
    assert count_changes((), [entry])["ignored"] == 1


def test_an_expired_rule_is_a_finding_at_its_location():
    """Its severity is low."""
    (warning,) = report_expired([ignore(until="2026-09-20"), ignore(until=TODAY)], TODAY)
    assert (warning.code, warning.level, warning.location) == ("D010", Level.WARNING, PLACE)
    assert warning.message == (
        "the exemption of unmanaged for 'legacy_*' expired on 2026-09-20 (owner: billing): "
        "goes away"
    )
    assert exit_code_for_drift([], [warning], Severity.LOW) is Exit.CHANGES
    assert exit_code_for_drift([], [warning], Severity.HIGH) is Exit.DONE


@pytest.mark.parametrize(
    ("declared", "account", "severity"),
    [
        ([declare()], [inactive()], Severity.REVENUE),
        ([declare()], [existing(formula="count")], Severity.HIGH),
        ([declare()], [existing(display="Other")], Severity.LOW),
    ],
)
@pytest.mark.parametrize("fail_on", [Severity.LOW, Severity.HIGH, Severity.REVENUE])
def test_findings_of_the_severity_of_fail_on_or_worse_are_drift(
    declared, account, severity, fail_on
):
    entry = inspect_exempt(declared, account)
    scale = list(Severity)
    bad = scale.index(severity) >= scale.index(fail_on)
    assert exit_code_for_drift([entry], (), fail_on) is (Exit.CHANGES if bad else Exit.DONE)
