"""What all formats tell of a line alike: its place in the order, its parts, its words."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from ..diagnostics.diagnostic import Diagnostic, Level
from ..model.change import Action, Change, FieldChange, Reason, Severity, weight
from ..model.finding import Attribution, Exemption, Finding, Origin
from ..model.match import flat
from ..model.meter import DEFAULTS, plain
from ..model.price import Price
from ..planning.warnings import priced
from ..report.report import AccountReport, Report, ReportedChange
from ..timestamps import format_time

SIGN = {
    Action.CREATE: "+",
    Action.REACTIVATE: "↻",
    Action.UPDATE: "~",
    Action.REPLACE: "-/+",
    Action.DEACTIVATE: "-",
    Action.BLOCKED: "!",
    Action.UNMANAGED: "?",
    Action.UNCHANGED: "=",
}
_WHY: dict[str, str] = {
    Reason.IN_SYNC: "as declared",
    Reason.RETIRED: "retired: inactive, and not wanted otherwise",
    Reason.MISSING: "no live meter has this name",
    Reason.INACTIVE_DIFFER: "no inactive meter of this name has the declared settings",
    Reason.INACTIVE: "declared active, and the live meter is inactive",
    Reason.RENAMED: "the name differs",
    Reason.DIFFERS: "differs in a field that Stripe never changes",
    Reason.RETIRES: "`retires` consents to stopping the live meter for another one",
    Reason.PRICES_ON_OTHER_METER: "active prices bill on an inactive meter that differs",
    Reason.PRICES_ON_SEVERAL_METERS: "active prices bill on several inactive meters of this name",
    Reason.TWO_ACTIVE: "the account has two active meters of this name",
    Reason.DECLARED_INACTIVE: "declared `status: inactive`",
    Reason.UNDECLARED: "active, and no file declares it; it is left alone",
    Reason.OWNED: "no file declares it, and `undeclared: deactivate` with `owns` covers it",
}
_LEFT_TO_DEFAULT = flat({name: plain(default) for name, default in DEFAULTS.items()})
_ACTION = {action: place for place, action in enumerate(Action)}
LEVEL = {
    Severity.REVENUE: Level.ERROR,
    Severity.HIGH: Level.ERROR,
    Severity.LOW: Level.WARNING,
    Severity.NONE: Level.INFO,
}
"""How loud a finding of each severity is, where a format knows levels only."""


class Standing(StrEnum):
    """How a name stands at the end of the run, in one word; the order is the one of a legend."""

    IN_SYNC = "in sync"
    DONE = "done"
    IGNORED = "ignored"
    UNMANAGED = "unmanaged"
    TO_CHANGE = "to change"
    DRIFTED = "drifted"
    BLOCKED = "blocked"
    REFUSED = "refused"
    SKIPPED = "skipped"
    STALE = "stale"
    UNKNOWN = "unknown"
    FAILED = "failed"


def why(change: Change) -> str:
    """The reason of a line as a phrase; a reason that this version does not know as it is."""
    return _WHY.get(change.reason, change.reason)


def standing(line: ReportedChange) -> Standing:
    """Where a line belongs in the picture of the account."""
    change = line.change
    if line.result:
        return Standing.DONE if succeeded(line) else Standing(line.result.status.value)
    if line.findings:
        return Standing.IGNORED if line.ignored else Standing.DRIFTED
    if change.refused_by:
        return Standing.REFUSED
    match change.action:
        case Action.UNCHANGED:
            return Standing.IN_SYNC
        case Action.BLOCKED:
            return Standing.BLOCKED
        case Action.UNMANAGED:
            return Standing.UNMANAGED
    return Standing.TO_CHANGE


def severity(line: ReportedChange) -> Severity:
    """How bad a line is as it stands now: not at all any more where the run has settled it."""
    return Severity.NONE if succeeded(line) else line.change.severity


def succeeded(line: ReportedChange) -> bool:
    """Whether the run has done the line, or found it done."""
    return line.result is not None and line.result.status.succeeded


def told(line: ReportedChange) -> bool:
    """Whether there is anything to say about a line besides that it is as it should be."""
    return standing(line) is not Standing.IN_SYNC


def halted(line: ReportedChange) -> bool:
    """Whether a line does not become what it should: blocked, refused, or not settled by apply."""
    unsettled = line.result is not None and not succeeded(line)
    return unsettled or line.change.action is Action.BLOCKED or bool(line.change.refused_by)


def risky(line: ReportedChange) -> bool:
    """Whether a line must be read before anything more is applied: no format leaves it out."""
    bad = severity(line) in (Severity.REVENUE, Severity.HIGH)
    return bad or (_planned(line) and (halted(line) or _stops(line)))


def rank(line: ReportedChange) -> tuple[bool, bool, int, bool, int, str]:
    """What puts one line before another; the least comes first.

    Of a plan what does not go through, then what would stop a meter, then by severity; an
    audit does nothing, so it is told by severity alone.
    """
    return (
        not (_planned(line) and halted(line)),
        not (_planned(line) and _stops(line)),
        -weight(severity(line)),
        not told(line),
        _ACTION[line.change.action],
        line.change.event_name,
    )


def _stops(line: ReportedChange) -> bool:
    """Whether the line has yet to stop a meter."""
    return line.change.action.stops and not succeeded(line)


def _planned(line: ReportedChange) -> bool:
    """Whether a line says what is done, not what was found."""
    return not line.findings


@dataclass(frozen=True, slots=True)
class Place:
    """A line, the name of the account that it is of, and what is said of it there."""

    account: str
    line: ReportedChange
    said: tuple[Diagnostic, ...] = ()

    def besides(self) -> Iterator[Diagnostic]:
        """What is said of the line and not told by its outcome anyway."""
        told_ = self.line.result.error if self.line.result else None
        return (diagnostic for diagnostic in self.said if diagnostic != told_)


def places(account: AccountReport) -> list[Place]:
    """Every line of an account; a guard over several lines is said at each that it refuses."""
    named: dict[str | None, list[Diagnostic]] = {}
    for diagnostic in account.diagnostics:
        named.setdefault(diagnostic.event_name, []).append(diagnostic)
    shared, name = named.get(None, []), account.account.name

    def said(change: Change) -> tuple[Diagnostic, ...]:
        refusing = [diagnostic for diagnostic in shared if diagnostic.code in change.refused_by]
        return (*refusing, *named.get(change.event_name, []))

    return [Place(name, line, said(line.change)) for line in account.changes]


def every_place(report: Report) -> list[Place]:
    """Every line of every account, what is to be read first at the top."""
    found = [place for account in report.accounts for place in places(account)]
    return sorted(found, key=lambda place: rank(place.line))


def field_rows(change: Change) -> tuple[FieldChange, ...]:
    """Field by field what a line is about; of a new meter all that is not left to a default."""
    if change.action is not Action.CREATE or change.desired is None:
        return change.fields
    return tuple(
        FieldChange(path, None, value)
        for path, value in flat(change.desired.meter.as_api()).items()
        if path != "event_name" and _LEFT_TO_DEFAULT.get(path, ...) != value
    )


def value(plain: Any) -> str:
    """A value of a field as people read it."""
    return "(none)" if plain is None else f'"{plain}"'


def meter_id(line: ReportedChange) -> str | None:
    """The live meter of a line, where there is one: the one that apply made, or the one found."""
    made = line.result.meter_id if line.result else None
    return made or (line.change.existing.id if line.change.existing else None)


def unattached(account: AccountReport, lines: Iterable[ReportedChange]) -> Iterator[Diagnostic]:
    """What is said of the account as a whole, or of a name that has none of these lines."""
    names = {line.change.event_name for line in lines}
    return (diagnostic for diagnostic in account.diagnostics if diagnostic.event_name not in names)


def attribution_text(attribution: Attribution) -> str:
    """Who did it, by which request."""
    by = f" (request {attribution.request_id})" if attribution.request_id else ""
    return f"{attribution.note}{by}"


def whose(attribution: Attribution) -> str:
    """Whose doing it was, in a few words."""
    known = attribution.origin in list(Origin)
    return Origin(attribution.origin).briefly if known else attribution.origin


def exempted(exemption: Exemption) -> str:
    """Until when, by whose word and why a finding does not count."""
    owner = f" ({exemption.owner})" if exemption.owner else ""
    return f"ignored until {exemption.until}{owner}: {exemption.reason}"


def undated(finding: Finding) -> int | None:
    """Since when, where neither the finding nor who did it says so."""
    by = attribution_text(finding.attribution) if finding.attribution else ""
    known = finding.since is not None and format_time(finding.since) in f"{finding.message} {by}"
    return None if known else finding.since


def unnamed(prices: Iterable[Price], said: Iterable[str]) -> list[Price]:
    """The prices of which no sentence says all that is known."""
    text = " ".join(said)
    return [
        price
        for price in prices
        if not re.search(rf"(?<!\w){re.escape(priced(price))}(?!\w)", text)
    ]


def advice(finding: Finding) -> str:
    """What to do with the remedy of a finding, in a few words that end before it."""
    if finding.remedy.startswith(("reconciler ", "stripe ")):
        return "run"
    if finding.remedy.startswith("- "):
        return "declare it under `meters`"
    return "change its declaration"


def advised(finding: Finding) -> str:
    """The remedy of a finding, and what to do with it; nothing where there is none."""
    return f"{advice(finding)}: {finding.remedy}" if finding.remedy else ""
