"""One row of the table in a comment: what it costs, which meter, what happens, and why."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from ...model import Action, Change, FieldChange, Severity
from ...report import AccountReport, Finding, Line, Outcome
from ..story import (
    SIGN,
    besides,
    doer,
    exempted,
    field_rows,
    meter_id,
    priced,
    severity,
    value,
    why,
)
from .gfm import code, prose

_COST = {
    Severity.REVENUE: "🔴&nbsp;**revenue**",
    Severity.HIGH: "🟠&nbsp;high",
    Severity.LOW: "🟡&nbsp;low",
    Severity.NONE: "",
}
_SHOWN = 5  # prices of a line that are named


@dataclass(frozen=True, slots=True, kw_only=True)
class Room:
    """How much is shown: bytes of a row, a name, a place, a text; how many problems, accounts."""

    row: int
    name: int
    place: int
    text: int
    problems: int
    accounts: int


def row(line: Line, account: AccountReport, whose: str, room: Room) -> str:
    """A line as a row of four cells; `whose` names the account where a table has several."""
    cells = [
        "ignored" if line.ignored else _COST[severity(line)],
        "<br>".join(_names(line, whose, room)),
        _happens(line),
    ]
    left = room.row - size(f"| {' | '.join(cells)} |  |")
    return f"| {' | '.join([*cells, _within(_details(line, account, room), left)])} |"


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


def _names(line: Line, whose: str, room: Room) -> Iterator[str]:
    yield f"**{code(line.change.event_name, room.name)}**"
    for known in filter(None, (whose, meter_id(line))):
        yield f"<sub>{code(known, 40)}</sub>"
    if room.place and line.change.where:
        yield f"<sub>{code(str(line.change.where), room.place)}</sub>"


def _happens(line: Line) -> str:
    """The action and what came of it, or what was found."""
    if line.findings:
        return prose(", ".join(finding.kind for finding in line.findings), 50)
    change = line.change
    loud = change.action in (Action.BLOCKED, Action.REPLACE, Action.DEACTIVATE)
    said = f"{SIGN[change.action]}&nbsp;{change.action}"
    refused = " — **refused**" if change.refused_by else ""
    outcome = f" → **{line.outcome.status}**" if line.outcome else ""
    return f"{f'**{said}**' if loud else said}{refused}{outcome}"


def _details(line: Line, account: AccountReport, room: Room) -> Iterator[str]:
    """All that there is to say, the most important first; no part grows beyond the room."""
    if line.findings:
        for finding in line.findings:
            yield from _finding(finding, room)
        return
    yield from _fields(line.change, room)
    yield prose(why(line.change), room.text)
    if line.change.prices:
        yield _prices(line.change, room)
    for problem in besides(line, account.problems):
        yield f"**{prose(problem.code, 40)}** {prose(problem.message, room.text)}"
        if problem.hint:
            yield f"_What to do:_ {prose(problem.hint, room.text)}"
    if line.outcome:
        yield from _outcome(line.outcome, room)


def _fields(change: Change, room: Room) -> Iterator[str]:
    for field in field_rows(change):
        yield f"{code(field.path, 60)}: {_values(change, field, room)}"


def _values(change: Change, field: FieldChange, room: Room) -> str:
    after = code(value(field.after), room.name)
    if change.action is Action.CREATE:
        return after
    return f"{code(value(field.before), room.name)} → {after}"


def _prices(change: Change, room: Room) -> str:
    named = ", ".join(code(priced(price), room.name) for price in change.prices[:_SHOWN])
    more = len(change.prices) - _SHOWN
    return f"active prices: {named}{f' and {more} more' if more > 0 else ''}"


def _finding(finding: Finding, room: Room) -> Iterator[str]:
    yield prose(finding.message, room.text)
    if finding.exemption:
        yield f"_{prose(exempted(finding.exemption), room.text)}_"
        return
    if finding.attribution:
        yield f"_Who:_ {prose(doer(finding.attribution), room.text)}"
    if finding.remedy:
        yield f"_What to do:_ {code(finding.remedy, room.text)}"


def _outcome(outcome: Outcome, room: Room) -> Iterator[str]:
    if outcome.error:
        yield f"**{prose(outcome.error.code, 40)}** {prose(outcome.error.message, room.text)}"
        if outcome.error.hint:
            yield f"_What to do:_ {prose(outcome.error.hint, room.text)}"
    if outcome.requests:
        ids = (code(sent.request_id or "no request id", 60) for sent in outcome.requests)
        yield f"requests: {', '.join(ids)}"
