"""Findings that the project file ignores until a date: marked and counted, never hidden."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from ..diagnostics.codes import drift as rules
from ..diagnostics.diagnostic import Diagnostic
from ..model.finding import DriftEntry, Exemption, Finding
from ..model.pattern import matches
from ..model.project import Ignore
from .findings import worst_first


def exempt(entry: DriftEntry, ignored: Iterable[Ignore], today: str) -> DriftEntry:
    """Mark each finding that an `ignore` entry covers today (YYYY-MM-DD)."""
    in_force = [rule for rule in ignored if today <= rule.until]
    name = entry.event_name
    found = (replace(f, exemption=_exemption(name, f, in_force)) for f in entry.findings)
    return replace(entry, findings=worst_first(found))


def expired(ignored: Iterable[Ignore], today: str) -> tuple[Diagnostic, ...]:
    """Return a diagnostic for every `ignore` entry whose date has passed."""
    return tuple(
        rules.EXEMPTION_EXPIRED(
            f"the exemption of {rule.kind} for {rule.event_name!r} expired on {rule.until}"
            f"{f' (owner: {rule.owner})' if rule.owner else ''}: {rule.reason}",
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
