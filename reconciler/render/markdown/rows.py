"""One row of the table in a comment: risk or severity, meter, change or finding, details."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from ...diagnostics.diagnostic import Location
from ...model.change import Action, Risk
from ..facts import Fact, list_finding_facts
from ..view import Group, Item
from .around import Around
from .gfm import format_code, format_prose

_BADGE: dict[str, str] = {
    Risk.REVENUE: "🔴&nbsp;**revenue**",
    Risk.HIGH: "🟠&nbsp;high",
    Risk.LOW: "🟡&nbsp;low",
    Risk.NONE: "🟢&nbsp;none",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """Limits: bytes of a row, name, location and text; numbers of diagnostics and accounts.

    `around` is set in a comment that is posted; places are linked where there is room for it.
    """

    row: int
    name: int
    place: int
    text: int
    diagnostics: int
    accounts: int
    around: Around | None = None

    def place_at(self, location: Location, room: int) -> str:
        """Return a place as code, with a link in the widest layout."""
        roomy = self.around if self.place >= _ROOMY else None
        return roomy.link(location, room) if roomy else format_code(str(location), room)


_ROOMY = 300  # bytes of a place


def render_row(item: Item, budget: Budget, *, several: bool) -> str:
    """Return an item as a row of four cells, with its account where a table has several."""
    names = _render_names(item, item.account if several else "", budget)
    cells = [_render_badge(item), "<br>".join(names), _render_action(item)]
    left = budget.row - measure(f"| {' | '.join(cells)} |  |")
    return f"| {' | '.join([*cells, _fit(_render_details(item, budget), left)])} |"


def render_group(group: Group, budget: Budget) -> str:
    """Return many items of the same kind as one row: a count and examples."""
    number = f"**{len(group.items):,} meters**"
    examples = ", ".join(format_code(name, budget.name) for name in group.examples)
    label = format_prose(group.label, budget.text)
    return f"| {_render_badge(group.items[0])} | {number} | {label} | {examples} {group.more} |"


def measure(text: str) -> int:
    """Return the bytes of UTF-8: never fewer than the characters that GitHub counts."""
    return len(text.encode())


def _render_badge(item: Item) -> str:
    return "ignored" if item.ignored else _BADGE.get(item.badge, f"⛔&nbsp;**{item.badge}**")


def _fit(parts: Iterable[str], left: int) -> str:
    """Return as many parts as fit; an ellipsis for what does not."""
    kept: list[str] = []
    for part in parts:
        left -= measure(f"<br>{part}")
        if left < measure("<br>…"):
            return "<br>".join([*kept, "…"])
        kept.append(part)
    return "<br>".join(kept)


def _render_names(item: Item, account: str, budget: Budget) -> Iterator[str]:
    yield f"**{format_code(item.name, budget.name)}**"
    for known in filter(None, (account, item.meter_id)):
        yield f"<sub>{format_code(known, 60)}</sub>"  # an id of Stripe has 41 characters
    if budget.place and item.location:
        yield f"<sub>{budget.place_at(item.location, budget.place)}</sub>"


def _render_action(item: Item) -> str:
    """Return the action and its result, or the kinds of the findings."""
    if item.change is None:
        return format_prose(", ".join(finding.kind for finding in item.findings), 50)
    action = item.change.action
    loud = action in (Action.BLOCKED, Action.REPLACE, Action.DEACTIVATE)
    said = f"{item.sign}&nbsp;{action}"
    by = format_prose(", ".join(item.change.refused_by), 60)
    refused = f" — **refused** by {by}" if by else ""
    result = f" → **{item.result.status}**" if item.result else ""
    return f"{f'**{said}**' if loud else said}{refused}{result}"


def _render_details(item: Item, budget: Budget) -> Iterator[str]:
    """Yield the details, the most important first, none beyond the budget."""
    for finding in item.findings:
        yield format_prose(finding.message, budget.text)
        yield from (_render_fact(fact, budget) for fact in list_finding_facts(finding))
    said = tuple(_render_diagnostics(item, budget))
    known = tuple(_render_change(item, budget, explained=bool(said)))
    yield from (*said, *known) if item.incomplete else (*known, *said)


def _render_change(item: Item, budget: Budget, *, explained: bool) -> Iterator[str]:
    """Yield fields and facts; no reason where a diagnostic explains why a change is blocked."""
    for field in item.fields:
        values = filter(None, (field.before, field.after))
        shown = " → ".join(format_code(value, budget.name) for value in values)
        yield f"{format_code(field.path, 60)}: {shown}"
    blocked = item.change is not None and item.change.action is Action.BLOCKED
    for fact in item.facts:
        if not (blocked and explained and fact.label == "reason"):
            yield _render_fact(fact, budget)


def _render_fact(fact: Fact, budget: Budget) -> str:
    write = format_code if fact.literal else format_prose
    label = format_prose(fact.label.capitalize(), budget.text)
    return f"_{label}:_ {write(fact.text, budget.text)}"


def _render_diagnostics(item: Item, budget: Budget) -> Iterator[str]:
    for diagnostic in filter(None, (item.error, *item.diagnostics)):
        message = format_prose(diagnostic.message, budget.text)
        yield f"**{format_prose(diagnostic.code, 40)}** {message}"
        if diagnostic.hint:
            yield f"_What to do:_ {format_prose(diagnostic.hint, budget.text)}"
    if item.result and item.result.requests:
        ids = (format_code(sent.request_id or "no request id", 60) for sent in item.result.requests)
        yield f"_Requests:_ {', '.join(ids)}"
