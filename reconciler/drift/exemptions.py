"""Findings that a reviewed file lets pass until a date: marked, counted, never hidden."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from ..diagnostics.codes import drift as rules
from ..diagnostics.diagnostic import Diagnostic
from ..model.finding import Exemption, Finding
from ..model.pattern import matches
from ..model.project import Ignore
from ..report.report import ReportedChange
from .findings import weighed


def exempt(change: ReportedChange, ignored: Iterable[Ignore], today: str) -> ReportedChange:
    """The same line, each finding that a rule covers today (YYYY-MM-DD) marked with the rule."""
    in_force = [rule for rule in ignored if today <= rule.until]
    name = change.change.event_name
    found = (replace(f, exemption=_exemption(name, f, in_force)) for f in change.findings)
    return weighed(replace(change, findings=tuple(found)))


def run_out(ignored: Iterable[Ignore], today: str) -> tuple[Diagnostic, ...]:
    """A problem for every rule whose date has passed; each counts as a finding of low severity."""
    return tuple(
        rules.EXEMPTION_EXPIRED(
            f"the exemption of {rule.kind} for {rule.event_name!r} ran out on {rule.until}"
            f"{f', {rule.owner} answers for it' if rule.owner else ''}: {rule.reason}",
            rule.location,
        )
        for rule in ignored
        if today > rule.until
    )


def _exemption(event_name: str, finding: Finding, ignored: Iterable[Ignore]) -> Exemption | None:
    for rule in ignored:
        if rule.kind == finding.kind and matches(event_name, (rule.event_name,)):
            return Exemption(rule.reason, rule.until, rule.owner)
    return None
