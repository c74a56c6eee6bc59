"""What all formats tell of a line alike: its place in the order, its parts, its words."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from enum import StrEnum
from typing import Any

from ..diff import Reason
from ..model import (
    Action,
    Change,
    CustomerMapping,
    FieldChange,
    Price,
    Severity,
    ValueSettings,
)
from ..problem import Problem
from ..report import AccountReport, Attribution, Exemption, Line
from ..severity import weight

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
    Reason.TWINS_DIFFER: "no inactive meter of this name has the declared settings",
    Reason.INACTIVE: "declared active, and the live meter is inactive",
    Reason.RENAMED: "the name differs",
    Reason.DIFFERS: "differs in a field that Stripe never changes",
    Reason.RETIRES: "`retires` consents to stopping the live meter for another one",
    Reason.PRICES_ON_OTHER_TWIN: "active prices bill on an inactive meter that differs",
    Reason.PRICES_ON_SEVERAL_TWINS: "active prices bill on several inactive meters of this name",
    Reason.TWO_ACTIVE: "the account has two active meters of this name",
    Reason.DECLARED_INACTIVE: "declared `status: inactive`",
    Reason.UNDECLARED: "active, and no file declares it; it is left alone",
    Reason.OWNED: "no file declares it, and `undeclared: deactivate` with `owns` covers it",
}
_LEFT_TO_DEFAULT = {
    "value_settings.event_payload_key": ValueSettings().event_payload_key,
    "customer_mapping.type": CustomerMapping().type,
    "customer_mapping.event_payload_key": CustomerMapping().event_payload_key,
    "event_time_window": None,
}
_ACTION = {action: place for place, action in enumerate(Action)}


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


def standing(line: Line) -> Standing:
    """Where a line belongs in the picture of the account."""
    change = line.change
    if line.outcome:
        settled = line.outcome.status.settled
        return Standing.DONE if settled else Standing(line.outcome.status.value)
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


def severity(line: Line) -> Severity:
    """What a line costs as it stands now: nothing any more where the run has settled it."""
    settled = line.outcome is not None and line.outcome.status.settled
    return Severity.NONE if settled else line.change.severity


def told(line: Line) -> bool:
    """Whether there is anything to say about a line besides that it is as it should be."""
    return standing(line) is not Standing.IN_SYNC


def halted(line: Line) -> bool:
    """Whether a line does not become what it should: blocked, refused, or not settled by apply."""
    unsettled = line.outcome is not None and not line.outcome.status.settled
    return unsettled or line.change.action is Action.BLOCKED or bool(line.change.refused_by)


def worst_first(lines: Iterable[Line]) -> list[Line]:
    """Lines by what they cost, then those that do not go through, then as they are applied."""
    return sorted(lines, key=rank)


def rank(line: Line) -> tuple[int, bool, bool, int, str]:
    """What puts one line before another; the least comes first."""
    return (
        -weight(severity(line)),
        not halted(line),
        not told(line),
        _ACTION[line.change.action],
        line.change.event_name,
    )


def field_rows(change: Change) -> tuple[FieldChange, ...]:
    """Field by field what a line is about; of a new meter all that is not left to a default."""
    if change.action is not Action.CREATE or change.want is None:
        return change.fields
    return tuple(
        FieldChange(path, None, value)
        for path, value in _flat(change.want.meter.as_api())
        if _LEFT_TO_DEFAULT.get(path, ...) != value
    )


def _flat(meter: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    for key, value in meter.items():
        if isinstance(value, Mapping):
            yield from ((f"{key}.{inner}", item) for inner, item in value.items())
        elif key != "event_name":
            yield key, value


def value(plain: Any) -> str:
    """A value of a field as people read it."""
    return "(none)" if plain is None else f'"{plain}"'


def meter_id(line: Line) -> str | None:
    """The live meter of a line, where there is one: the one that apply made, or the one found."""
    made = line.outcome.meter_id if line.outcome else None
    return made or (line.change.have.id if line.change.have else None)


def of_line(change: Change, problems: Iterable[Problem]) -> Iterator[Problem]:
    """What is said of a line; a guard over several lines at each that it refuses."""
    for problem in problems:
        refuses = problem.code in change.refused_by
        if problem.event_name == change.event_name or (refuses and problem.event_name is None):
            yield problem


def besides(line: Line, problems: Iterable[Problem]) -> Iterator[Problem]:
    """What is said of a line and not told by its outcome anyway."""
    told = line.outcome.error if line.outcome else None
    return (problem for problem in of_line(line.change, problems) if problem != told)


def of_nobody(account: AccountReport, lines: Iterable[Line]) -> Iterator[Problem]:
    """What is said of the account as a whole, or of a name that has none of these lines."""
    names = {line.change.event_name for line in lines}
    return (problem for problem in account.problems if problem.event_name not in names)


def doer(attribution: Attribution) -> str:
    """Who did it, by which request."""
    by = f" (request {attribution.request_id})" if attribution.request_id else ""
    return f"{attribution.note}{by}"


_WHOSE = {
    "ours": "reconciler",
    "another_client": "another API client",
    "outside": "not through this tool",
    "older": "unknown: more than 30 days ago",
}


def whose(attribution: Attribution) -> str:
    """Whose doing it was, in a few words."""
    return _WHOSE.get(attribution.whose, attribution.whose)


def exempted(exemption: Exemption) -> str:
    """Until when, by whose word and why a finding does not count."""
    owner = f" ({exemption.owner})" if exemption.owner else ""
    return f"ignored until {exemption.until}{owner}: {exemption.reason}"


def priced(price: Price) -> str:
    """A price by its id and what else is known of it."""
    known = ", ".join(part for part in (price.nickname, price.product) if part)
    return f"{price.id} ({known})" if known else price.id
