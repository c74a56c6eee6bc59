"""What a reviewed file lets pass until a date."""

from __future__ import annotations

import pytest
from builders.worlds import COMMANDS, declare, existing, priced, stopped

from reconciler.diagnostics.diagnostic import Level, Location
from reconciler.diagnostics.errors import Exit
from reconciler.drift.exemptions import exempt, expired
from reconciler.drift.findings import DriftInput, inspect
from reconciler.model.finding import Exemption, Severity
from reconciler.model.match import match_meters
from reconciler.model.project import Ignore, Policy
from reconciler.report.exit_code import exit_code_for_drift
from reconciler.report.report import count_changes

TODAY = "2026-09-21"
PLACE = Location("reconciler.yaml", 9, 5)


def ignore(event_name="legacy_*", kind="unmanaged", until="2026-09-21", owner="billing"):
    return Ignore(
        event_name=event_name,
        kind=kind,
        reason="goes away",
        until=until,
        owner=owner,
        location=PLACE,
    )


def take_snapshot(name="legacy_sms", declared=(), account=None, prices=(), rules=()):
    known = DriftInput(
        commands=COMMANDS, policy=Policy(), prices=priced(*prices), now=1_790_000_000
    )
    (names,) = match_meters(declared, [existing(name=name)] if account is None else account)
    return exempt(inspect(names, known), rules, TODAY)


def test_a_rule_exempts_what_fits_its_pattern_and_kind_to_the_end_of_its_day():
    """The finding stays, marked with reason, date and owner; it no longer counts."""
    line = take_snapshot(rules=[ignore()])
    assert line.ignored
    assert line.findings[0].exemption == Exemption("goes away", TODAY, "billing")
    assert line.findings[0].severity is Severity.LOW
    assert line.severity is None
    assert count_changes((), [line])["ignored"] == 1
    assert exit_code_for_drift([line], (), Severity.LOW) is Exit.DONE


@pytest.mark.parametrize(
    ("rule", "prices"),
    [
        (ignore(event_name="legacy"), ()),
        (ignore(event_name="LEGACY_*"), ()),
        (ignore(kind="renamed"), ()),
        (ignore(until="2026-09-20"), ()),
        (ignore(), ("p@mtr_a",)),  # unmanaged, yes; but nobody let it bill customers
    ],
)
def test_a_rule_exempts_nothing_else(rule, prices):
    """Another name, another kind, a date that has passed, a matter that has grown worse."""
    line = take_snapshot(rules=[rule], prices=prices)
    assert not line.ignored
    assert exit_code_for_drift([line], (), Severity.LOW) is Exit.CHANGES


def test_of_two_findings_the_one_that_counts_comes_first():
    """One exempt finding hides neither itself nor the other."""
    line = take_snapshot(
        "calls",
        [declare()],
        [existing(formula="count", display="Other")],
        rules=[ignore("calls", "differs")],
    )
    assert [(f.kind, bool(f.exemption)) for f in line.findings] == [
        ("renamed", False),
        ("differs", True),
    ]
    assert line.severity is Severity.LOW
    assert not line.ignored
    assert count_changes((), [line])["ignored"] == 1


def test_an_expired_rule_is_a_finding_at_its_place():
    """Whatever it covered counts again, and it counts itself, as low."""
    (said,) = expired([ignore(until="2026-09-20"), ignore(until=TODAY)], TODAY)
    assert (said.code, said.level, said.location) == ("D010", Level.WARNING, PLACE)
    assert said.message == (
        "the exemption of unmanaged for 'legacy_*' expired on 2026-09-20 (owner: billing): "
        "goes away"
    )
    assert exit_code_for_drift([], [said], Severity.LOW) is Exit.CHANGES
    assert exit_code_for_drift([], [said], Severity.HIGH) is Exit.DONE


@pytest.mark.parametrize(
    ("declared", "account", "severity"),
    [
        ([declare()], [stopped()], Severity.REVENUE),
        ([declare()], [existing(formula="count")], Severity.HIGH),
        ([declare()], [existing(display="Other")], Severity.LOW),
    ],
)
@pytest.mark.parametrize("fail_on", [Severity.LOW, Severity.HIGH, Severity.REVENUE])
def test_the_verdict_is_drift_from_the_asked_severity_on(declared, account, severity, fail_on):
    """`--fail-on`: this bad, or worse."""
    line = take_snapshot("calls", declared, account)
    scale = list(Severity)
    bad = scale.index(severity) >= scale.index(fail_on)
    assert exit_code_for_drift([line], (), fail_on) is (Exit.CHANGES if bad else Exit.DONE)
