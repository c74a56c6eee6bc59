"""One item as text: a change with its fields, reason and result, or what drift found."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from ...diagnostics.diagnostic import Level
from ...model.change import Action, Change, Risk
from ...model.finding import Finding
from ...report.report import ChangeResult, ResultStatus
from ..escape import clean
from ..facts import Fact, format_request, list_finding_facts
from ..view import Group, Item, group_items
from .styled import Line, Span, Style, get_width, wrap_text

_COLOUR = {
    Risk.NONE: Style.FAINT,
    Risk.LOW: Style.CYAN,
    Risk.HIGH: Style.YELLOW,
    Risk.REVENUE: Style.RED,
}
_RESULT = {
    ResultStatus.DONE: Style.GREEN,
    ResultStatus.ALREADY: Style.GREEN,
    ResultStatus.SKIPPED: Style.YELLOW,
}


def render_items(shown: Iterable[Item], *, verbose: bool) -> Iterator[Line]:
    """Yield every item, many unmanaged or ignored ones as one; a blank line before each."""
    for entry in shown if verbose else group_items(shown):
        yield ()
        if isinstance(entry, Group):
            yield from _render_group(entry)
        else:
            yield from render_item(entry, verbose=verbose)


def _render_group(group: Group) -> Iterator[Line]:
    lead, indent = _mark(group.items[0])
    examples = f"{', '.join(group.examples)} {group.more} (-v lists all)"
    first, *rest = wrap_text(f"{len(group.items):,} {group.label}: {examples}", indent)
    yield (lead, str(first[0])[len(lead.text) :])
    yield from rest


def render_item(item: Item, *, verbose: bool) -> Iterator[Line]:
    """Yield one change or finding; the first line names it."""
    lead, indent = _mark(item)
    name, place = clean(item.name), clean(str(item.location or ""))
    command = _describe_action(item.change) if item.change else ""
    used = len(lead.text) + len(name) + len(command)
    gap = " " * max(2, get_width() - used - len(place))
    yield (lead, Span(name, Style.BOLD), Span(command, lead.style), gap, Span(place, Style.FAINT))
    if item.change:
        yield from _render_fields(item, item.change, indent, verbose=verbose)
    for fact in item.facts:
        yield from _render_fact(fact, indent)
    for finding in item.findings:
        yield from _render_finding(finding, indent)
    yield from _render_diagnostics(item, indent)
    if item.result and item.change:
        yield from _render_result(item.result, item.change, indent)


def find_style(item: Item) -> Style:
    """Return the colour of a change or a finding."""
    if item.change is None:
        return _COLOUR[item.degree]
    colour = Style.RED if item.incomplete else _COLOUR[item.degree]
    if colour is Style.FAINT:  # a routine change is green
        return Style.GREEN if item.change.action.writes else Style.CYAN
    return colour


def _mark(item: Item) -> tuple[Span, str]:
    """Return the sign or the severity of an item, and the indent of what follows."""
    if item.change is None:
        return Span(f"{item.badge:<8}", find_style(item)), " " * 8
    return Span(f"{item.sign:>3} ", find_style(item)), " " * 6


def _describe_action(change: Change) -> str:
    return f"  {change.action}{' (refused)' if change.refused_by else ''}"


def _render_fields(item: Item, change: Change, indent: str, *, verbose: bool) -> Iterator[Line]:
    if change.action is not Action.CREATE and change.existing:
        yield (indent, Span("meter: ", Style.FAINT), change.existing.id, _name_successor(change))
    for field in item.fields:
        path = Span(f"{field.path}: ", Style.FAINT)
        if field.before is None:
            yield (indent, path, field.after)
        else:
            yield (indent, path, f"{field.before} → ", Span(field.after, Style.BOLD))
        if verbose and change.desired:
            origin = change.desired.find_origin(field.path)
            yield (indent, "  ", Span(f"from {origin.source} at {origin.location}", Style.FAINT))


def _name_successor(change: Change) -> str:
    if change.action is not Action.REPLACE:
        return ""
    other = change.reactivates
    return f" is deactivated, {f'{other.id} is reactivated' if other else 'a new one is created'}"


def _render_fact(fact: Fact, indent: str) -> Iterator[Line]:
    """Yield a fact behind a faint label, further lines indented below it."""
    start = f"{indent}{fact.label}: "
    if fact.literal:
        yield (Span(start, Style.FAINT), fact.text)  # never wrapped: to be copied
        return
    first, *rest = wrap_text(str(fact), indent, f"{indent}  ")
    yield (Span(start, Style.FAINT), str(first[0]).removeprefix(start))
    yield from rest


def _render_finding(finding: Finding, indent: str) -> Iterator[Line]:
    deeper = f"{indent}  "
    yield from wrap_text(f"{finding.kind} {finding.code}: {finding.message}", indent, deeper)
    for fact in list_finding_facts(finding):
        yield from _render_fact(fact, deeper)


def _render_diagnostics(item: Item, indent: str) -> Iterator[Line]:
    """Yield what guards and warnings say of this item."""
    for diagnostic in item.diagnostics:
        refuses = item.change is not None and diagnostic.code in item.change.refused_by
        label = "refused by" if refuses else diagnostic.level
        colour = Style.RED if refuses or diagnostic.level is Level.ERROR else Style.YELLOW
        said = f"{label} {diagnostic.code}: {diagnostic.message}"
        first, *rest = wrap_text(said, indent, f"{indent}  ")
        yield (Span(str(first[0]), colour),)
        yield from rest
        if diagnostic.event_name:  # a diagnostic of the whole plan has its hint below
            yield from wrap_text(f"hint: {diagnostic.hint}", f"{indent}  ")


def _render_result(result: ChangeResult, change: Change, indent: str) -> Iterator[Line]:
    known = change.existing.id if change.existing else None
    new = f" ({result.meter_id})" if result.meter_id not in (None, known) else ""
    colour = _RESULT.get(result.status, Style.RED)
    yield (indent, Span(f"→ {result.status}{new}", colour))
    if result.error is None:
        return
    yield from wrap_text(f"{result.error.code}: {result.error.message}", f"{indent}  ")
    if result.status is not ResultStatus.SKIPPED:  # the same for each: shown once, below
        yield from wrap_text(f"hint: {result.error.hint}", f"{indent}  ")
    for sent in result.requests:
        yield (indent, "  ", f"request: {format_request(sent)}")
