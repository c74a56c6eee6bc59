"""What is known of a change or a finding, in words: every format shows the same facts."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from msgspec import Struct

from ..diagnostics.codes.guards import PRICES_UNREADABLE
from ..diagnostics.diagnostic import Level
from ..diagnostics.lookalikes import tell_apart
from ..diagnostics.shorten import shorten
from ..model.change import Action, Change, Reason
from ..model.finding import (
    Attribution,
    DriftEntry,
    Exemption,
    Finding,
    Origin,
    RemediationKind,
    Severity,
)
from ..model.match import flatten
from ..model.meter import DEFAULTS, Unreadable, unpack
from ..model.price import group_by_meter
from ..model.project import SettingSource
from ..model.request import RequestRecord
from ..model.usage import list_samples
from ..planning.alerts import format_alerts
from ..planning.prices import format_prices, list_prices
from ..report.report import ReportedChange
from ..timestamps import format_time
from .resend import describe_finalized, describe_resending

_REASON: dict[str, str] = {
    Reason.IN_SYNC: "as declared",
    Reason.RETIRED: "inactive, and not declared active",
    Reason.MISSING: "no existing meter has this event_name",
    Reason.INACTIVE_DIFFER: "no inactive meter of this event_name has the declared settings",
    Reason.INACTIVE: "declared active, and the existing meter is inactive",
    Reason.RENAMED: "the display_name differs",
    Reason.DIFFERS: "differs in a field that cannot be updated",
    Reason.RETIRES: "`retires` allows the existing meter to be replaced",
    Reason.PRICES_ON_OTHER_METER: "prices in use are on an inactive meter that differs",
    Reason.PRICES_ON_SEVERAL_METERS: "prices in use are on several inactive meters",
    Reason.TWO_ACTIVE: "the account has two active meters of this event_name",
    Reason.UNKNOWN_STATUS: "a meter of it has a status that this version does not know",
    Reason.DECLARED_INACTIVE: "declared `status: inactive`",
    Reason.UNDECLARED: "active, and no file declares it; not changed",
    Reason.OWNED: "no file declares it, and `undeclared: deactivate` with `owns` covers it",
}
_REMEDIATION = {
    RemediationKind.COMMAND: "run",
    RemediationKind.DECLARATION: "add under `meters`",
    RemediationKind.EDIT: "change the declaration to",
}
_DEFAULTS = flatten({name: unpack(default) for name, default in DEFAULTS.items()})

COST = "could cost"
"""The label of what is lost if a change is applied."""

LEVEL = {Severity.REVENUE: Level.ERROR, Severity.HIGH: Level.ERROR, Severity.LOW: Level.WARNING}
"""The level of a finding of each severity, for formats that have levels only."""


class Field(Struct, frozen=True):
    """One field as it is shown: its path, and its values; a new meter has no value before."""

    path: str
    before: str | None
    after: str

    def __str__(self) -> str:
        before = "" if self.before is None else f"{self.before} → "
        return f"{self.path}: {before}{self.after}"


class Fact(Struct, frozen=True):
    """One labelled fact. `at` is set where it is a point in time; a `literal` is to be copied.

    `entries` are the parts of the text, for formats that have room for a list.
    """

    label: str
    text: str
    at: int | None = None
    literal: bool = False
    entries: tuple[str, ...] = ()

    def __str__(self) -> str:
        return f"{self.label}: {self.text}"


def list_fields(change: Change) -> Iterator[Field]:
    """Yield the fields that differ; of a new meter, those that are not left to a default."""
    if change.action is Action.CREATE and change.desired:
        for path, value in flatten(change.desired.meter.as_api()).items():
            if path != "event_name" and _DEFAULTS.get(path, ...) != value:
                yield Field(path, None, quote_value(value))
        return
    for field in change.fields:
        before, after = tell_apart(field.before, field.after)
        yield Field(
            field.path, quote_value(field.before) + before, quote_value(field.after) + after
        )


def list_change_facts(reported: ReportedChange) -> Iterator[Fact]:
    """Yield the reason of a change, other meters of the event_name, prices in use, and alerts."""
    change = reported.change
    yield Fact("reason", _REASON.get(change.reason, change.reason))
    if change.others:
        label = "others" if any(other.active for other in change.others) else "inactive"
        yield Fact(label, ", ".join(other.id for other in change.others))
    yield from _list_prices(reported)
    if change.alerts:
        yield Fact("alerts", format_alerts(change.alerts))
    if change.action.deactivates and not (reported.result and reported.result.status.succeeded):
        yield Fact(COST, _describe_cost(reported))
    if change.desired and change.action is not Action.UNCHANGED:
        for each in change.desired.origins:
            if each.source is SettingSource.OVERRIDE:
                yield Fact("overridden", f"{each.path} at {each.location}")


def _list_prices(reported: ReportedChange) -> Iterator[Fact]:
    """Yield the prices in use, by meter where they are on several; what was read, even if none."""
    if isinstance(reported.prices, Unreadable):
        yield Fact("prices", f"not readable (permission: {reported.prices.permission})")
    by_meter = group_by_meter(reported.known_prices)
    for meter_id, prices in by_meter.items():
        on = f"on {meter_id}: " if len(by_meter) > 1 else ""
        entries = tuple(f"{on}{each}" for each in list_prices(prices))
        yield Fact("prices", on + format_prices(prices), entries=entries)
    if reported.prices == () and not reported.change.action.deactivates:  # there, a note says so
        yield Fact("prices", "none listed")


def _describe_cost(reported: ReportedChange) -> str:
    """Return what is lost if the meter is deactivated; how much that is, no run reads."""
    change = reported.change
    lost = "is not recorded"
    if change.action is Action.REPLACE:
        lost = f"is recorded by {change.reactivates.id if change.reactivates else 'another meter'}"
    unknown = "the amount is unknown, since usage was not read"
    return f"usage sent from then on {lost}, and {_describe_billing(reported)}; {unknown}"


def _describe_billing(reported: ReportedChange) -> str:
    """Return which prices in use do not bill that usage, and which do."""
    change = reported.change
    unread = isinstance(reported.prices, Unreadable)
    if unread or PRICES_UNREADABLE.code in change.refused_by:
        return "whether prices bill it is not known"
    by_meter = group_by_meter(reported.known_prices)
    said = []
    for meter, one, many in (
        (change.existing, "does not bill", "do not bill"),
        (change.reactivates, "bills", "bill"),
    ):
        if meter and (number := len(by_meter.get(meter.id, ()))):
            price = "the price in use" if number == 1 else f"the {number:,} prices in use"
            on = f" on {meter.id}" if len(by_meter) > 1 or meter is change.reactivates else ""
            said.append(f"{price}{on} {one if number == 1 else many} it")
    return ", but ".join(said) or "no listed price bills it"


def list_finding_facts(finding: Finding) -> Iterator[Fact]:
    """Yield what is known of a finding besides its message; what to do about it comes last."""
    yield from _list_dates(finding)
    if finding.prices:
        yield Fact("prices", format_prices(finding.prices), entries=list_prices(finding.prices))
    if finding.alerts:
        yield Fact("alerts", format_alerts(finding.alerts))
    if by := find_origin(finding):
        yield Fact("who", describe_attribution(by))
    if finding.exemption:
        yield Fact("exemption", describe_exemption(finding.exemption))
    elif finding.remediation:
        how = _REMEDIATION[finding.remediation.kind]
        yield Fact(how, finding.remediation.text, literal=True)


def _list_dates(finding: Finding) -> Iterator[Fact]:
    """Yield since when, until when lost usage can be sent again, and which usage that is."""
    if finding.since is not None:
        yield Fact("since", format_time(finding.since), finding.since)
    if until := describe_resending(finding):
        yield Fact("re-send", until)
    if late := describe_finalized(finding.invoices):
        yield Fact("too late", late)
    if finding.rejected:
        yield Fact("last", format_time(finding.rejected.last), finding.rejected.last)
        if samples := list_samples(finding.rejected.codes):
            yield Fact("identifiers", shorten(samples))


def describe_finding(finding: Finding) -> str:
    """Return a finding as lines, for formats without markup."""
    return "\n".join([finding.message, *map(str, list_finding_facts(finding))])


def quote_value(plain: Any) -> str:
    """Return a value in quotes, or that there is none."""
    return "(none)" if plain is None else f'"{shorten(str(plain))}"'


def format_request(sent: RequestRecord) -> str:
    """Return a request as one phrase: the operation, its id, its attempts and its result."""
    attempts = "1 attempt" if sent.attempts == 1 else f"{sent.attempts} attempts"
    return f"{sent.operation} {sent.request_id or '(no request id)'}, {attempts}, {sent.result}"


def find_origin(finding: Finding) -> Attribution | None:
    """Return who caused a finding, if that is known."""
    by = finding.attribution
    return by if by and by.origin != Origin.OLDER else None


def has_unattributed(entries: Iterable[DriftEntry]) -> bool:
    """Whether a finding that counts is older than the events."""
    return any(
        finding.attribution.origin == Origin.OLDER
        for entry in entries
        for finding in entry.findings
        if finding.attribution and not finding.exemption
    )


def describe_attribution(attribution: Attribution) -> str:
    """Return who caused it, and by which request."""
    by = f" (request {attribution.request_id})" if attribution.request_id else ""
    return f"{attribution.note}{by}"


def describe_origin(attribution: Attribution) -> str:
    """Return who caused it, in a few words."""
    known = attribution.origin in list(Origin)
    return Origin(attribution.origin).briefly if known else attribution.origin


def describe_exemption(exemption: Exemption) -> str:
    """Return until when and why a finding is ignored, and by whom."""
    owner = f" ({exemption.owner})" if exemption.owner else ""
    return f"ignored until {exemption.until}{owner}: {exemption.reason}"
