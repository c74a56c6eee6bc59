"""One change of a plan or an apply as text: what, where, fields, reason, refusal, result."""

from __future__ import annotations

from collections.abc import Iterator

from ...model.change import Action, Change, Risk
from ...report.report import ChangeResult, ResultStatus
from ..escape import clean
from ..view import SIGN, Group, Item, field_rows, price_list, reason_text, value
from .styled import ReportedChange, Span, Style, current_width, wrapped

_COLOUR = {Risk.LOW: Style.CYAN, Risk.HIGH: Style.YELLOW, Risk.REVENUE: Style.RED}
_INDENT = " " * 6
_RESULT = {
    ResultStatus.DONE: Style.GREEN,
    ResultStatus.ALREADY: Style.GREEN,
    ResultStatus.SKIPPED: Style.YELLOW,
}


def group_line(group: Group) -> Iterator[ReportedChange]:
    """Yield many unmanaged meters as one line: a count and examples."""
    said = f"{len(group.items):,} {group.label}: {', '.join(group.examples)}"
    yield from wrapped(f"  ? {said} and {group.rest:,} more (-v lists all)", "", _INDENT)


def block(item: Item, change: Change) -> Iterator[ReportedChange]:
    """Yield all that there is to show of one change."""
    yield _head(item, change)
    yield from _fields(change)
    yield from _labelled("reason", reason_text(change))
    if item.others:
        label = "inactive" if not any(other.active for other in item.others) else "others"
        yield from _labelled(label, ", ".join(other.id for other in item.others))
    if item.prices:
        yield from _labelled("prices", price_list(item.prices))
    yield from _diagnostics(item, change)
    if item.result:
        yield from _result(item.result, change)


def _colour(item: Item, change: Change) -> Style:
    """By what is at risk: a routine change is green."""
    if item.incomplete:
        return Style.RED
    return _COLOUR.get(item.degree, Style.GREEN if change.action.writes else Style.CYAN)


def _head(item: Item, change: Change) -> ReportedChange:
    sign, colour = SIGN[change.action], _colour(item, change)
    name, place = clean(change.event_name), clean(str(change.location or ""))
    command = f"{change.action}{' (refused)' if change.refused_by else ''}"
    left = f"{sign:>3} {name}  {command}"
    gap = " " * max(2, current_width() - len(left) - len(place))
    head = (Span(f"{sign:>3} ", colour), Span(name, Style.BOLD), "  ", Span(command, colour))
    return (*head, gap, Span(place, Style.FAINT)) if place else head


def _fields(change: Change) -> Iterator[ReportedChange]:
    if change.action is not Action.CREATE and change.existing:
        yield (_INDENT, Span("meter: ", Style.FAINT), change.existing.id, *_successor(change))
    for field in field_rows(change):
        path, after = Span(f"{field.path}: ", Style.FAINT), value(field.after)
        if change.action is Action.CREATE:
            yield (_INDENT, path, after)
        else:
            yield (_INDENT, path, f"{value(field.before)} → ", Span(after, Style.BOLD))


def _successor(change: Change) -> ReportedChange:
    if change.action is not Action.REPLACE:
        return ()
    return (
        " is deactivated, ",
        f"{change.reactivates.id} is reactivated" if change.reactivates else "a new one is created",
    )


def _labelled(label: str, text: str) -> Iterator[ReportedChange]:
    """Yield prose behind a faint label, further lines indented below it."""
    first, *rest = wrapped(f"{label}: {text}", _INDENT, _INDENT + "  ")
    start = f"{_INDENT}{label}: "
    yield (Span(start, Style.FAINT), str(first[0]).removeprefix(start))
    yield from rest


def _diagnostics(item: Item, change: Change) -> Iterator[ReportedChange]:
    """Yield what guards and warnings say of this change."""
    for diagnostic in item.diagnostics:
        refuses = diagnostic.code in change.refused_by
        label = "refused by" if refuses else diagnostic.level
        colour = Style.RED if refuses or diagnostic.level == "error" else Style.YELLOW
        said = f"{label} {diagnostic.code}: {diagnostic.message}"
        first, *rest = wrapped(said, _INDENT, _INDENT + "  ")
        yield (Span(str(first[0]), colour),)
        yield from rest
        if diagnostic.event_name:  # a diagnostic of the whole plan has its hint below
            yield from wrapped(f"hint: {diagnostic.hint}", _INDENT + "  ")


def _result(result: ChangeResult, change: Change) -> Iterator[ReportedChange]:
    colour = _RESULT.get(result.status, Style.RED)
    known = change.existing.id if change.existing else None
    new = f" ({result.meter_id})" if result.meter_id not in (None, known) else ""
    yield (_INDENT, Span(f"→ {result.status}{new}", colour))
    if result.error is None:
        return
    yield from wrapped(f"{result.error.code}: {result.error.message}", _INDENT + "  ")
    if result.status is not ResultStatus.SKIPPED:  # the same for each: shown once, below
        yield from wrapped(f"hint: {result.error.hint}", _INDENT + "  ")
    for sent in result.requests:
        tries = "1 attempt" if sent.attempts == 1 else f"{sent.attempts} tries"
        said = f"request: {sent.operation} {sent.request_id or '(no request id)'}, {tries}"
        yield (_INDENT, "  ", said)
