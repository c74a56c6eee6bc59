"""What a comment shows of a change or a finding: a block of its own, or a row if it is routine."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from msgspec import Struct

from ...diagnostics.diagnostic import Location
from ...model.change import Action, Reason, Risk
from ..facts import COST, Fact, list_finding_facts
from ..labels import count
from ..view import Group, Item
from .around import Around
from .gfm import format_breakable_code, format_code, format_prose

BADGE: dict[str, str] = {
    Risk.REVENUE: "🔴 revenue",
    Risk.HIGH: "🟠 high",
    Risk.LOW: "🟡 low",
    Risk.NONE: "🟢 no risk",
}
_OBVIOUS = (Reason.MISSING, Reason.RENAMED)
_FEW = 3  # accounts that a row lists


class Budget(Struct, frozen=True, kw_only=True):
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


def render_block(same: tuple[Item, ...], budget: Budget, *, several: bool) -> str:
    """Return an item under a heading; its accounts too where there are several."""
    item = same[0]
    badge, action = _render_badge(item), _render_action(item)
    what = badge if badge.endswith(f" {action}") else f"{badge} · {action}"
    title = f"#### {what} {format_code(item.name, budget.name)}{_render_end(item)}"
    known = _list_known(item, item.account if several and len(same) == 1 else "", budget)
    if len(same) > 1:
        known.insert(0, _list_accounts(same, budget))
    details = [*([" · ".join(known)] if known else ()), *_render_details(item, budget)]
    return "\n".join([title, *_fit(details, budget.row - measure(f"{title}\n\n"))])


def render_group(group: Group, budget: Budget) -> str:
    """Return many items of the same kind as one block: a count and examples."""
    title = f"#### {_render_badge(group.items[0])} · {len(group.items):,} meters"
    examples = ", ".join(format_code(name, budget.name) for name in group.examples)
    return f"{title}\n- **{format_prose(group.label, budget.text)}:** {examples} {group.more}"


def render_row(same: tuple[Item, ...], budget: Budget, *, several: bool) -> str:
    """Return a routine change as a row; of several accounts, where it is the same in each."""
    first = same[0]
    cells = [f"**{format_breakable_code(first.name, budget.name)}**"]
    if several:
        cells.append(f"<sub>{_list_accounts(same, budget)}</sub>")
    if budget.place and first.location:
        cells.append(f"<sub>{budget.place_at(first.location, budget.place)}</sub>")
    cells += _render_change(first, budget, explained=False)
    cells += _render_notes(first, budget)
    action = f"{first.sign}&nbsp;{_render_action(first)}{_render_end(first)}"
    return f"| {action} | {_join(cells, budget.row - measure(action) - 10)} |"


def measure(text: str) -> int:
    """Return the bytes of UTF-8: never fewer than the characters that GitHub counts."""
    return len(text.encode())


def _render_badge(item: Item) -> str:
    return "ignored" if item.ignored else BADGE.get(item.badge, f"⛔ {item.badge}")


def _fit(parts: Iterable[str], left: int) -> Iterator[str]:
    """Yield as many parts as fit as entries of a list; an ellipsis for what does not."""
    for part in parts:
        left -= measure(f"- {part}\n")
        if left < measure("- …\n"):
            yield "- …"
            return
        yield f"- {part}"


def _join(parts: list[str], left: int) -> str:
    """Return as many parts as fit as lines of a cell."""
    kept: list[str] = []
    for part in parts:
        left -= measure(f"<br>{part}")
        if left < measure("<br>…"):
            return "<br>".join([*kept, "…"])
        kept.append(part)
    return "<br>".join(kept)


def _list_accounts(same: tuple[Item, ...], budget: Budget) -> str:
    """Return the accounts of a change; a matrix has them all."""
    shown = ", ".join(format_breakable_code(each.account, budget.name) for each in same[:_FEW])
    rest = f" and {len(same) - _FEW:,} more" if len(same) > _FEW else ""
    return f"{shown}{rest}" if len(same) == 1 else f"{count(len(same), 'account')}: {shown}{rest}"


def _list_known(item: Item, account: str, budget: Budget) -> list[str]:
    """Return account, id and place, as far as they are known and there is room."""
    known = [format_code(each, 60) for each in (account, item.meter_id) if each]  # 41 characters
    if budget.place and item.location:
        known.append(budget.place_at(item.location, budget.place))
    return known


def _render_action(item: Item) -> str:
    """Return the action, the kinds of the findings, or what else the meter is."""
    if item.change is None:
        kinds = ", ".join(each.kind.replace("_", " ") for each in item.findings)
        return format_prose(kinds or item.status, 50)
    return str(item.change.action)


def _render_end(item: Item) -> str:
    """Return who refused a change, and what became of it."""
    by = format_prose(", ".join(item.change.refused_by), 60) if item.change else ""
    refused = f" — refused by {by}" if by else ""
    return f"{refused} → {item.result.status}" if item.result else refused


def _render_details(item: Item, budget: Budget) -> Iterator[str]:
    """Yield the details, the most important first."""
    for finding in item.findings:
        code = format_prose(finding.code, 40)
        yield f"**{code}** {format_prose(finding.message, budget.text)}"
        yield from (_render_fact(fact, budget) for fact in list_finding_facts(finding))
    said = tuple(_render_notes(item, budget))
    known = tuple(_render_change(item, budget, explained=bool(said)))
    yield from (*said, *known) if item.incomplete else (*known, *said)


def _render_change(item: Item, budget: Budget, *, explained: bool) -> Iterator[str]:
    """Yield fields and facts, what it could cost first; no reason that is given elsewhere."""
    blocked = item.change is not None and item.change.action is Action.BLOCKED
    told = (blocked and explained) or (item.change and item.change.reason in _OBVIOUS)
    facts = [fact for fact in item.facts if not (told and fact.label == "reason")]
    costly = item.change is not None and item.change.action.deactivates
    first = [fact for fact in facts if costly and fact.label in ("prices", "alerts", COST)]
    yield from (_render_fact(fact, budget) for fact in first)
    for field in item.fields:
        values = filter(None, (field.before, field.after))
        shown = " → ".join(format_code(value, budget.name) for value in values)
        yield f"{format_breakable_code(field.path, 120)}: {shown}"
    yield from (_render_fact(fact, budget) for fact in facts if fact not in first)


def _render_fact(fact: Fact, budget: Budget) -> str:
    write = format_code if fact.literal else format_prose
    label = format_prose(fact.label.capitalize(), budget.text)
    if len(fact.entries) > 1:
        entries = (f"<br>• {format_prose(each, budget.text)}" for each in fact.entries)
        return f"_{label}:_{''.join(entries)}"
    return f"_{label}:_ {write(fact.text, budget.text)}"


def _render_notes(item: Item, budget: Budget) -> Iterator[str]:
    """Yield the diagnostics of an item and the requests that were sent."""
    for diagnostic in filter(None, (item.error, *item.diagnostics)):
        message = format_prose(diagnostic.message, budget.text)
        hint = format_prose(diagnostic.hint, budget.text)
        advice = f"<br>_What to do:_ {hint}" if diagnostic.hint else ""
        yield f"**{format_prose(diagnostic.code, 40)}** {message}{advice}"
    if item.result and item.result.requests:
        ids = (format_code(sent.request_id or "no request id", 60) for sent in item.result.requests)
        yield f"_Requests:_ {', '.join(ids)}"
