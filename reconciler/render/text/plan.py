"""One line of a plan or an apply as text: sign, name, place, fields, reason, refusal, outcome."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from ...diagnostics.diagnostic import Diagnostic
from ...model.change import Action, Change
from ...planning.warnings import priced
from ...report.report import ChangeResult, ResultStatus
from ..escape import clean
from ..view import SIGN, Place, field_rows, unnamed, value, why
from .styled import ReportedChange, Span, Style, current_width, wrapped

_COLOUR = {
    Action.CREATE: Style.GREEN,
    Action.REACTIVATE: Style.GREEN,
    Action.UPDATE: Style.YELLOW,
    Action.REPLACE: Style.RED,
    Action.DEACTIVATE: Style.RED,
    Action.BLOCKED: Style.RED,
    Action.UNMANAGED: Style.CYAN,
    Action.UNCHANGED: Style.FAINT,
}
_INDENT = " " * 6
_OUTCOME = {
    ResultStatus.DONE: Style.GREEN,
    ResultStatus.ALREADY: Style.GREEN,
    ResultStatus.SKIPPED: Style.YELLOW,
}


def block(place: Place) -> Iterator[ReportedChange]:
    """All that there is to say about one event_name."""
    line, change = place.line, place.line.change
    yield _head(change)
    yield from _fields(change)
    yield from _labelled("why", why(change))
    if change.others:
        yield from _labelled("twins", ", ".join(other.id for other in change.others))
    if more := unnamed(change.prices, (diagnostic.message for diagnostic in place.besides())):
        yield from _labelled("prices", ", ".join(map(priced, more)))
    yield from _remarks(change, place.besides())
    if line.result:
        yield from _outcome(line.result, change)


def _head(change: Change) -> ReportedChange:
    sign, colour = SIGN[change.action], _COLOUR[change.action]
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
        " stops, ",
        f"{change.reactivates.id} is reactivated" if change.reactivates else "a new one starts",
    )


def _labelled(label: str, text: str) -> Iterator[ReportedChange]:
    """Prose behind a faint label, its further lines indented below it."""
    first, *rest = wrapped(f"{label}: {text}", _INDENT, _INDENT + "  ")
    start = f"{_INDENT}{label}: "
    yield (Span(start, Style.FAINT), str(first[0]).removeprefix(start))
    yield from rest


def _remarks(change: Change, diagnostics: Iterable[Diagnostic]) -> Iterator[ReportedChange]:
    """What guards and warnings say of this line."""
    for diagnostic in diagnostics:
        refuses = diagnostic.code in change.refused_by
        label = "refused by" if refuses else diagnostic.level
        colour = Style.RED if refuses or diagnostic.level == "error" else Style.YELLOW
        said = f"{label} {diagnostic.code}: {diagnostic.message}"
        first, *rest = wrapped(said, _INDENT, _INDENT + "  ")
        yield (Span(str(first[0]), colour),)
        yield from rest
        if diagnostic.event_name:  # what is said of the whole plan has its hint below
            yield from wrapped(f"hint: {diagnostic.hint}", _INDENT + "  ")


def _outcome(result: ChangeResult, change: Change) -> Iterator[ReportedChange]:
    colour = _OUTCOME.get(result.status, Style.RED)
    known = change.existing.id if change.existing else None
    new = f" ({result.meter_id})" if result.meter_id not in (None, known) else ""
    yield (_INDENT, Span(f"→ {result.status}{new}", colour))
    if result.error is None:
        return
    yield from wrapped(f"{result.error.code}: {result.error.message}", _INDENT + "  ")
    if result.status is not ResultStatus.SKIPPED:  # the same at each: it stands below, once
        yield from wrapped(f"hint: {result.error.hint}", _INDENT + "  ")
    for sent in result.requests:
        tries = "1 try" if sent.attempts == 1 else f"{sent.attempts} tries"
        said = f"request: {sent.operation} {sent.request_id or '(no request id)'}, {tries}"
        yield (_INDENT, "  ", said)
