"""What every format shows of a report, computed once: formats only lay it out."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from ..diagnostics.diagnostic import Diagnostic, Level, Location
from ..model.change import Action, Change, FieldChange, Reason, Risk
from ..model.finding import (
    Attribution,
    DriftEntry,
    Exemption,
    Finding,
    Kind,
    Origin,
    RemediationKind,
    Severity,
)
from ..model.match import flatten
from ..model.meter import DEFAULTS, ExistingMeter, unpack
from ..model.price import Price
from ..planning.warnings import describe_price
from ..report.report import AccountReport, ChangeResult, Report, ReportedChange
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
_REASON: dict[str, str] = {
    Reason.IN_SYNC: "as declared",
    Reason.RETIRED: "inactive, and not declared active",
    Reason.MISSING: "no existing meter has this event_name",
    Reason.INACTIVE_DIFFER: "no inactive meter of this event_name has the declared settings",
    Reason.INACTIVE: "declared active, and the existing meter is inactive",
    Reason.RENAMED: "the display_name differs",
    Reason.DIFFERS: "differs in a field that cannot be updated",
    Reason.RETIRES: "`retires` allows the existing meter to be replaced",
    Reason.PRICES_ON_OTHER_METER: "active prices use an inactive meter that differs",
    Reason.PRICES_ON_SEVERAL_METERS: "active prices use several inactive meters of this event_name",
    Reason.TWO_ACTIVE: "the account has two active meters of this event_name",
    Reason.DECLARED_INACTIVE: "declared `status: inactive`",
    Reason.UNDECLARED: "active, and no file declares it; not changed",
    Reason.OWNED: "no file declares it, and `undeclared: deactivate` with `owns` covers it",
}
_LEFT_TO_DEFAULT = flatten({name: unpack(default) for name, default in DEFAULTS.items()})
LEVEL = {Severity.REVENUE: Level.ERROR, Severity.HIGH: Level.ERROR, Severity.LOW: Level.WARNING}
"""The level of a finding of each severity, for formats that have levels only."""

UNATTRIBUTED = "Changes older than 30 days cannot be attributed."
_SHOWN = 5  # prices that are listed
_FEW = 5  # meters of one kind that are shown one by one
_EXAMPLES = 3


class Status(StrEnum):
    """What became of an event_name, in one word, in the order of a legend."""

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


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One event_name of a report: a change with its result, or a drift entry.

    `degree` is the risk that is left of a change, or the severity of an entry; `rank` orders the
    items of a report. `diagnostics` are those of the change, but for the error of its result.
    """

    account: str
    event_name: str
    status: Status
    degree: Risk
    rank: tuple[bool, int, int, str]
    location: Location | None
    meter_id: str | None
    change: Change | None = None
    result: ChangeResult | None = None
    findings: tuple[Finding, ...] = ()
    prices: tuple[Price, ...] = ()
    others: tuple[ExistingMeter, ...] = ()
    diagnostics: tuple[Diagnostic, ...] = ()

    @property
    def shown(self) -> bool:
        """Whether there is more to show than that the meter is as declared."""
        return self.status is not Status.IN_SYNC

    @property
    def ignored(self) -> bool:
        """Whether every finding is exempt."""
        return self.status is Status.IGNORED

    @property
    def incomplete(self) -> bool:
        """Whether a change is blocked, refused, or was not made."""
        return self.status in _INCOMPLETE

    @property
    def must_read(self) -> bool:
        """Whether no format may leave the item out."""
        return self.incomplete or self.degree in (Risk.HIGH, Risk.REVENUE)


_INCOMPLETE = (
    Status.BLOCKED,
    Status.REFUSED,
    Status.SKIPPED,
    Status.STALE,
    Status.UNKNOWN,
    Status.FAILED,
)


@dataclass(frozen=True, slots=True)
class Group:
    """Many items of the same kind, shown as one: a count and examples."""

    items: tuple[Item, ...]
    label: str

    @property
    def examples(self) -> tuple[str, ...]:
        """The first event_names."""
        return tuple(item.event_name for item in self.items[:_EXAMPLES])

    @property
    def rest(self) -> int:
        """How many items are not among the examples."""
        return len(self.items) - len(self.examples)


def all_items(report: Report) -> list[Item]:
    """Return the items of every account, the most important first."""
    found = (item for account in report.accounts for item in items(account))
    return sorted(found, key=lambda item: item.rank)


def items(account: AccountReport) -> list[Item]:
    """Return the items of an account, the most important first."""
    of_names: dict[str | None, list[Diagnostic]] = {}
    for diagnostic in account.diagnostics:
        of_names.setdefault(diagnostic.event_name, []).append(diagnostic)
    shared, name = of_names.get(None, []), account.account.name

    def diagnostics(reported: ReportedChange) -> tuple[Diagnostic, ...]:
        change = reported.change
        refusing = [diagnostic for diagnostic in shared if diagnostic.code in change.refused_by]
        error = reported.result.error if reported.result else None
        every = (*refusing, *of_names.get(change.event_name, []))
        return tuple(diagnostic for diagnostic in every if diagnostic != error)

    found = [_of_change(name, each, diagnostics(each)) for each in account.changes]
    found += [_of_entry(name, entry) for entry in account.entries]
    return sorted(found, key=lambda item: item.rank)


def _of_change(account: str, reported: ReportedChange, said: tuple[Diagnostic, ...]) -> Item:
    change, result = reported.change, reported.result
    status = _status(reported)
    degree = Risk.NONE if status is Status.DONE else change.risk
    quiet = (Status.UNMANAGED, Status.IN_SYNC)
    known = change.existing.id if change.existing else None
    return Item(
        account=account,
        event_name=change.event_name,
        status=status,
        degree=degree,
        rank=(
            status not in _INCOMPLETE,
            -list(Risk).index(degree),
            quiet.index(status) + 1 if status in quiet else 0,
            change.event_name,
        ),
        location=change.location,
        meter_id=(result.meter_id if result else None) or known,
        change=change,
        result=result,
        prices=change.prices,
        others=change.others,
        diagnostics=said,
    )


def _status(reported: ReportedChange) -> Status:
    change, result = reported.change, reported.result
    if result:
        return Status.DONE if result.status.succeeded else Status(result.status.value)
    if change.refused_by:
        return Status.REFUSED
    match change.action:
        case Action.UNCHANGED:
            return Status.IN_SYNC
        case Action.BLOCKED:
            return Status.BLOCKED
        case Action.UNMANAGED:
            return Status.UNMANAGED
    return Status.TO_CHANGE


def _of_entry(account: str, entry: DriftEntry) -> Item:
    drifted = Status.IGNORED if entry.ignored else Status.DRIFTED
    degree = Risk(entry.severity.value) if entry.severity else Risk.NONE
    priced_ = any(finding.prices for finding in entry.findings if not finding.exemption)
    return Item(
        account=account,
        event_name=entry.event_name,
        status=drifted if entry.findings else Status.IN_SYNC,
        degree=degree,
        rank=(
            True,
            -list(Risk).index(degree),
            2 * (not entry.findings) + (not priced_),
            entry.event_name,
        ),
        location=entry.location,
        meter_id=entry.meters[0].id if entry.meters else None,
        findings=entry.findings,
        prices=entry.prices,
        others=entry.meters[1:],
    )


def grouped(found: Iterable[Item]) -> list[Item | Group]:
    """Return the items, with many unmanaged or ignored ones as one group each."""
    every = list(found)
    alike: dict[str, list[Item]] = {}
    for item in every:
        if label := _label(item):
            alike.setdefault(label, []).append(item)
    shown: list[Item | Group] = []
    for item in every:
        members = alike.get(_label(item), [])
        if len(members) <= _FEW:
            shown.append(item)
        elif item is members[0]:
            shown.append(Group(tuple(members), _label(item)))
    return shown


def _label(item: Item) -> str:
    """What an item has in common with others like it; nothing where it is shown by itself."""
    if item.status is Status.IGNORED and (exemption := item.findings[0].exemption):
        return exempted(exemption)
    if item.status is Status.UNMANAGED and not item.diagnostics:
        return "unmanaged"
    if item.findings and all(f.kind == Kind.UNMANAGED and not f.exemption for f in item.findings):
        return "unmanaged"
    return ""


def unattached(account: AccountReport, shown: Iterable[Item]) -> Iterator[Diagnostic]:
    """Yield the diagnostics of the account, and of event_names that are not shown."""
    names = {item.event_name for item in shown}
    return (diagnostic for diagnostic in account.diagnostics if diagnostic.event_name not in names)


def reason_text(change: Change) -> str:
    """Return the reason of a change as a phrase; an unknown reason as it is."""
    return _REASON.get(change.reason, change.reason)


def field_rows(change: Change | None) -> tuple[FieldChange, ...]:
    """Return the fields that differ; of a new meter, those that are not left to a default."""
    if change is None:
        return ()
    if change.action is not Action.CREATE or change.desired is None:
        return change.fields
    return tuple(
        FieldChange(path, None, value)
        for path, value in flatten(change.desired.meter.as_api()).items()
        if path != "event_name" and _LEFT_TO_DEFAULT.get(path, ...) != value
    )


def value(plain: Any) -> str:
    """Return the value of a field for people."""
    return "(none)" if plain is None else f'"{plain}"'


def price_list(prices: Iterable[Price]) -> str:
    """Return the prices by id and what else is known of them, at most five."""
    every = list(prices)
    listed = ", ".join(map(describe_price, every[:_SHOWN]))
    return f"{listed} and {len(every) - _SHOWN} more" if len(every) > _SHOWN else listed


@dataclass(frozen=True, slots=True)
class Fact:
    """One labelled fact about a finding; `at` is set where it is a point in time."""

    label: str
    text: str
    at: int | None = None


def facts(finding: Finding) -> Iterator[Fact]:
    """Yield what is known of a finding besides its message and its remediation."""
    if finding.since is not None:
        yield Fact("since", format_time(finding.since), finding.since)
    if finding.resend_until is not None:
        until = format_time(finding.resend_until)
        yield Fact(
            "re-send",
            f"lost usage can be re-sent until {until}, or until the invoice is finalized, "
            f"if earlier",
        )
    elif past_resending(finding):
        yield Fact("re-send", "only usage of the last 35 days can still be re-sent")
    if finding.prices:
        yield Fact("prices", price_list(finding.prices))
    if by := who(finding):
        yield Fact("who", attribution_text(by))
    if finding.exemption:
        yield Fact("ignored", exempted(finding.exemption))


def past_resending(finding: Finding) -> bool:
    """Whether the first lost usage is too old to be re-sent."""
    dated = finding.since is not None and finding.resend_until is None
    return dated and finding.kind in (Kind.INACTIVE, Kind.MISSING)


def who(finding: Finding) -> Attribution | None:
    """Return who caused a finding, if that is known."""
    by = finding.attribution
    return by if by and by.origin != Origin.OLDER else None


def unattributed(entries: Iterable[DriftEntry]) -> bool:
    """Whether a finding that counts is older than the events."""
    return any(
        finding.attribution.origin == Origin.OLDER
        for entry in entries
        for finding in entry.findings
        if finding.attribution and not finding.exemption
    )


def attribution_text(attribution: Attribution) -> str:
    """Return who caused it, and by which request."""
    by = f" (request {attribution.request_id})" if attribution.request_id else ""
    return f"{attribution.note}{by}"


def origin_text(attribution: Attribution) -> str:
    """Return who caused it, in a few words."""
    known = attribution.origin in list(Origin)
    return Origin(attribution.origin).briefly if known else attribution.origin


def exempted(exemption: Exemption) -> str:
    """Return until when and why a finding is ignored, and by whom."""
    owner = f" ({exemption.owner})" if exemption.owner else ""
    return f"ignored until {exemption.until}{owner}: {exemption.reason}"


_HOW = {
    RemediationKind.COMMAND: "run",
    RemediationKind.DECLARATION: "add under `meters`",
    RemediationKind.EDIT: "change the declaration to",
}


def remedy(finding: Finding) -> tuple[str, str] | None:
    """Return what to do about a finding that counts: how, and the command or YAML."""
    if finding.exemption or not finding.remediation:
        return None
    return _HOW[finding.remediation.kind], finding.remediation.text


def finding_lines(finding: Finding) -> Iterator[str]:
    """Yield a finding as sentences, for formats that show plain lines."""
    yield finding.message
    yield from (f"{fact.label}: {fact.text}" for fact in facts(finding))
    if how := remedy(finding):
        yield f"{how[0]}: {how[1]}"
