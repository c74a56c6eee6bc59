"""One row of the table in a comment: how bad, which meter, what happens, and why."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from ...model.change import Action, Change, FieldChange, Severity
from ...model.finding import Finding
from ...planning.warnings import priced
from ...report.report import ReportedChange
from ...timestamps import format_time
from ..view import (
    SIGN,
    Place,
    advice,
    attribution_text,
    exempted,
    field_rows,
    halted,
    meter_id,
    severity,
    undated,
    value,
    why,
)
from .gfm import code, prose

_SEVERITY = {
    Severity.REVENUE: "🔴&nbsp;**revenue**",
    Severity.HIGH: "🟠&nbsp;high",
    Severity.LOW: "🟡&nbsp;low",
    Severity.NONE: "🟢&nbsp;none",
}
_SHOWN = 5  # prices of a line that are named


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """How much is shown: bytes of a row, a name, a place, a text; how many problems, accounts."""

    row: int
    name: int
    place: int
    text: int
    diagnostics: int
    accounts: int


def row(place: Place, room: Budget, *, several: bool) -> str:
    """A line as a row of four cells, with its account where a table has several."""
    line = place.line
    cells = [
        "ignored" if line.ignored else _SEVERITY[severity(line)],
        "<br>".join(_names(line, place.account if several else "", room)),
        _happens(line),
    ]
    left = room.row - size(f"| {' | '.join(cells)} |  |")
    return f"| {' | '.join([*cells, _within(_details(place, room), left)])} |"


def size(text: str) -> int:
    """Bytes of UTF-8: never less than the characters that GitHub counts."""
    return len(text.encode())


def _within(parts: Iterable[str], left: int) -> str:
    """As many parts as there is room for; what is missing leaves an ellipsis."""
    kept: list[str] = []
    for part in parts:
        left -= size(f"<br>{part}")
        if left < size("<br>…"):
            return "<br>".join([*kept, "…"])
        kept.append(part)
    return "<br>".join(kept)


def _names(line: ReportedChange, whose: str, room: Budget) -> Iterator[str]:
    yield f"**{code(line.change.event_name, room.name)}**"
    for known in filter(None, (whose, meter_id(line))):
        yield f"<sub>{code(known, 60)}</sub>"  # an id of Stripe has 41 characters
    if room.place and line.change.location:
        yield f"<sub>{code(str(line.change.location), room.place)}</sub>"


def _happens(line: ReportedChange) -> str:
    """The action and what came of it, or what was found."""
    if line.findings:
        return prose(", ".join(finding.kind for finding in line.findings), 50)
    change = line.change
    loud = change.action in (Action.BLOCKED, Action.REPLACE, Action.DEACTIVATE)
    said = f"{SIGN[change.action]}&nbsp;{change.action}"
    by = prose(", ".join(change.refused_by), 60)
    refused = f" — **refused** by {by}" if by else ""
    result = f" → **{line.result.status}**" if line.result else ""
    return f"{f'**{said}**' if loud else said}{refused}{result}"


def _details(place: Place, room: Budget) -> Iterator[str]:
    """All that there is to say, the most important first; no part grows beyond the room."""
    line = place.line
    if line.findings:
        for finding in line.findings:
            yield from _finding(finding, room)
        return
    said = tuple(_said(place, room))
    facts = _facts(line.change, room, explained=line.change.action is Action.BLOCKED and bool(said))
    yield from (*said, *facts) if halted(line) else (*facts, *said)


def _facts(change: Change, room: Budget, *, explained: bool) -> Iterator[str]:
    """What the plan knows; the reason only where no problem has told it."""
    yield from _fields(change, room)
    if not explained:
        yield prose(why(change), room.text)
    if change.prices:
        yield _prices(change, room)


def _said(place: Place, room: Budget) -> Iterator[str]:
    """What came of the line, and what else is said of it."""
    result = place.line.result
    told = [result.error] if result and result.error else []
    for diagnostic in (*told, *place.besides()):
        yield f"**{prose(diagnostic.code, 40)}** {prose(diagnostic.message, room.text)}"
        if diagnostic.hint:
            yield f"_What to do:_ {prose(diagnostic.hint, room.text)}"
    if result and result.requests:
        ids = (code(sent.request_id or "no request id", 60) for sent in result.requests)
        yield f"requests: {', '.join(ids)}"


def _fields(change: Change, room: Budget) -> Iterator[str]:
    for field in field_rows(change):
        yield f"{code(field.path, 60)}: {_values(change, field, room)}"


def _values(change: Change, field: FieldChange, room: Budget) -> str:
    after = code(value(field.after), room.name)
    if change.action is Action.CREATE:
        return after
    return f"{code(value(field.before), room.name)} → {after}"


def _prices(change: Change, room: Budget) -> str:
    named = ", ".join(code(priced(price), room.name) for price in change.prices[:_SHOWN])
    more = len(change.prices) - _SHOWN
    return f"active prices: {named}{f' and {more} more' if more > 0 else ''}"


def _finding(finding: Finding, room: Budget) -> Iterator[str]:
    yield prose(finding.message, room.text)
    if finding.exemption:
        yield f"_{prose(exempted(finding.exemption), room.text)}_"
        return
    if (since := undated(finding)) is not None:
        yield f"_Since:_ {format_time(since)}"
    if finding.attribution:
        yield f"_Who:_ {prose(attribution_text(finding.attribution), room.text)}"
    if finding.remedy:
        how = prose(advice(finding), room.text)
        yield f"_What to do:_ {how}: {code(finding.remedy, room.text)}"
