"""Mark findings that the project file ignores until a date; they stay in the report."""

from __future__ import annotations

from collections.abc import Iterable

from msgspec.structs import replace

from ..diagnostics.codes import drift as rules
from ..diagnostics.diagnostic import Diagnostic
from ..model.finding import DriftEntry, Exemption, Finding
from ..model.pattern import matches
from ..model.project import Ignore
from .findings import sort_findings


def exempt(entry: DriftEntry, ignored: Iterable[Ignore], today: str) -> DriftEntry:
    """Mark each finding that an `ignore` entry covers today (YYYY-MM-DD)."""
    in_force = [rule for rule in ignored if today <= rule.until]
    name = entry.event_name
    found = (replace(f, exemption=_find_exemption(name, f, in_force)) for f in entry.findings)
    return replace(entry, findings=sort_findings(found))


def report_expired(ignored: Iterable[Ignore], today: str) -> tuple[Diagnostic, ...]:
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


def _find_exemption(
    event_name: str, finding: Finding, ignored: Iterable[Ignore]
) -> Exemption | None:
    for rule in ignored:
        if rule.kind == finding.kind and matches(event_name, (rule.event_name,)):
            return Exemption(rule.reason, rule.until, rule.owner)
    return None
