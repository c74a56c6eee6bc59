"""One row of the table in a comment: risk or severity, meter, change or finding, details."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from ...model.change import Action, Change, FieldChange, Risk
from ...model.finding import Finding
from ..view import SIGN, Group, Item, facts, field_rows, price_list, reason_text, remedy, value
from .gfm import code, prose

_DEGREE = {
    Risk.REVENUE: "🔴&nbsp;**revenue**",
    Risk.HIGH: "🟠&nbsp;high",
    Risk.LOW: "🟡&nbsp;low",
    Risk.NONE: "🟢&nbsp;none",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """Limits: bytes of a row, name, location and text; numbers of diagnostics and accounts."""

    row: int
    name: int
    place: int
    text: int
    diagnostics: int
    accounts: int


def row(item: Item, budget: Budget, *, several: bool) -> str:
    """Return an item as a row of four cells, with its account where a table has several."""
    cells = [
        _degree(item),
        "<br>".join(_names(item, item.account if several else "", budget)),
        _happens(item),
    ]
    left = budget.row - size(f"| {' | '.join(cells)} |  |")
    return f"| {' | '.join([*cells, _within(_details(item, budget), left)])} |"


def group_row(group: Group, budget: Budget) -> str:
    """Return many items of the same kind as one row: a count and examples."""
    number = f"**{len(group.items):,} meters**"
    examples = ", ".join(code(name, budget.name) for name in group.examples)
    label = prose(group.label, budget.text)
    return (
        f"| {_degree(group.items[0])} | {number} | {label} | {examples} and {group.rest:,} more |"
    )


def size(text: str) -> int:
    """Return the bytes of UTF-8: never fewer than the characters that GitHub counts."""
    return len(text.encode())


def _degree(item: Item) -> str:
    if item.ignored:
        return "ignored"
    if item.incomplete and item.degree is Risk.NONE:
        return f"⛔&nbsp;**{item.status}**"
    return _DEGREE[item.degree]


def _within(parts: Iterable[str], left: int) -> str:
    """Return as many parts as fit; an ellipsis for what does not."""
    kept: list[str] = []
    for part in parts:
        left -= size(f"<br>{part}")
        if left < size("<br>…"):
            return "<br>".join([*kept, "…"])
        kept.append(part)
    return "<br>".join(kept)


def _names(item: Item, account: str, budget: Budget) -> Iterator[str]:
    yield f"**{code(item.event_name, budget.name)}**"
    for known in filter(None, (account, item.meter_id)):
        yield f"<sub>{code(known, 60)}</sub>"  # an id of Stripe has 41 characters
    if budget.place and item.location:
        yield f"<sub>{code(str(item.location), budget.place)}</sub>"


def _happens(item: Item) -> str:
    """Return the action and its result, or the kinds of the findings."""
    if item.change is None:
        return prose(", ".join(finding.kind for finding in item.findings), 50)
    change = item.change
    loud = change.action in (Action.BLOCKED, Action.REPLACE, Action.DEACTIVATE)
    said = f"{SIGN[change.action]}&nbsp;{change.action}"
    by = prose(", ".join(change.refused_by), 60)
    refused = f" — **refused** by {by}" if by else ""
    result = f" → **{item.result.status}**" if item.result else ""
    return f"{f'**{said}**' if loud else said}{refused}{result}"


def _details(item: Item, budget: Budget) -> Iterator[str]:
    """Yield the details, the most important first, none beyond the budget."""
    for finding in item.findings:
        yield from _finding(finding, budget)
    if change := item.change:
        said = tuple(_diagnostics(item, budget))
        explained = change.action is Action.BLOCKED and bool(said)
        known = _facts(item, change, budget, explained=explained)
        yield from (*said, *known) if item.incomplete else (*known, *said)


def _facts(item: Item, change: Change, budget: Budget, *, explained: bool) -> Iterator[str]:
    """Yield fields, reason and prices; no reason where a diagnostic explains the change."""
    yield from _fields(change, budget)
    if not explained:
        yield prose(reason_text(change), budget.text)
    if item.prices:
        yield f"active prices: {prose(price_list(item.prices), budget.text)}"


def _diagnostics(item: Item, budget: Budget) -> Iterator[str]:
    error = [item.result.error] if item.result and item.result.error else []
    for diagnostic in (*error, *item.diagnostics):
        yield f"**{prose(diagnostic.code, 40)}** {prose(diagnostic.message, budget.text)}"
        if diagnostic.hint:
            yield f"_What to do:_ {prose(diagnostic.hint, budget.text)}"
    if item.result and item.result.requests:
        ids = (code(sent.request_id or "no request id", 60) for sent in item.result.requests)
        yield f"requests: {', '.join(ids)}"


def _fields(change: Change, budget: Budget) -> Iterator[str]:
    for field in field_rows(change):
        yield f"{code(field.path, 60)}: {_values(change, field, budget)}"


def _values(change: Change, field: FieldChange, budget: Budget) -> str:
    after = code(value(field.after), budget.name)
    if change.action is Action.CREATE:
        return after
    return f"{code(value(field.before), budget.name)} → {after}"


def _finding(finding: Finding, budget: Budget) -> Iterator[str]:
    yield prose(finding.message, budget.text)
    for fact in facts(finding):
        if fact.label == "ignored":
            yield f"_{prose(fact.text, budget.text)}_"
        else:
            yield f"_{fact.label.capitalize()}:_ {prose(fact.text, budget.text)}"
    if how := remedy(finding):
        yield f"_What to do:_ {prose(how[0], budget.text)}: {code(how[1], budget.text)}"
