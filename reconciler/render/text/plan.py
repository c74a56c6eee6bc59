"""One line of a plan or an apply as text: sign, name, place, fields, reason, refusal, outcome."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from ...diagnostics.diagnostic import Problem
from ...model.change import Action, Change
from ...planning.warnings import priced
from ...report.report import Outcome, OutcomeStatus
from ..escape import clean
from ..view import SIGN, Place, field_rows, unnamed, value, why
from .styled import WIDTH, Ink, Line, Word, wrapped

_COLOUR = {
    Action.CREATE: Ink.GREEN,
    Action.REACTIVATE: Ink.GREEN,
    Action.UPDATE: Ink.YELLOW,
    Action.REPLACE: Ink.RED,
    Action.DEACTIVATE: Ink.RED,
    Action.BLOCKED: Ink.RED,
    Action.UNMANAGED: Ink.CYAN,
    Action.UNCHANGED: Ink.FAINT,
}
_INDENT = " " * 6
_OUTCOME = {
    OutcomeStatus.DONE: Ink.GREEN,
    OutcomeStatus.ALREADY: Ink.GREEN,
    OutcomeStatus.SKIPPED: Ink.YELLOW,
}


def block(place: Place) -> Iterator[Line]:
    """All that there is to say about one event_name."""
    line, change = place.line, place.line.change
    yield _head(change)
    yield from _fields(change)
    yield from _labelled("why", why(change))
    if change.twins:
        yield from _labelled("twins", ", ".join(twin.id for twin in change.twins))
    if more := unnamed(change.prices, (problem.message for problem in place.besides())):
        yield from _labelled("prices", ", ".join(map(priced, more)))
    yield from _remarks(change, place.besides())
    if line.outcome:
        yield from _outcome(line.outcome, change)


def _head(change: Change) -> Line:
    sign, colour = SIGN[change.action], _COLOUR[change.action]
    name, place = clean(change.event_name), clean(str(change.where or ""))
    verb = f"{change.action}{' (refused)' if change.refused_by else ''}"
    left = f"{sign:>3} {name}  {verb}"
    gap = " " * max(2, WIDTH - len(left) - len(place))
    head = (Word(f"{sign:>3} ", colour), Word(name, Ink.BOLD), "  ", Word(verb, colour))
    return (*head, gap, Word(place, Ink.FAINT)) if place else head


def _fields(change: Change) -> Iterator[Line]:
    if change.action is not Action.CREATE and change.have:
        yield (_INDENT, Word("meter: ", Ink.FAINT), change.have.id, *_successor(change))
    for field in field_rows(change):
        path, after = Word(f"{field.path}: ", Ink.FAINT), value(field.after)
        if change.action is Action.CREATE:
            yield (_INDENT, path, after)
        else:
            yield (_INDENT, path, f"{value(field.before)} → ", Word(after, Ink.BOLD))


def _successor(change: Change) -> Line:
    if change.action is not Action.REPLACE:
        return ()
    return (" stops, ", f"{change.wakes.id} is reactivated" if change.wakes else "a new one starts")


def _labelled(label: str, text: str) -> Iterator[Line]:
    """Prose behind a faint label, its further lines indented below it."""
    first, *rest = wrapped(f"{label}: {text}", _INDENT, _INDENT + "  ")
    start = f"{_INDENT}{label}: "
    yield (Word(start, Ink.FAINT), str(first[0]).removeprefix(start))
    yield from rest


def _remarks(change: Change, problems: Iterable[Problem]) -> Iterator[Line]:
    """What guards and warnings say of this line."""
    for problem in problems:
        refuses = problem.code in change.refused_by
        label = "refused by" if refuses else problem.level
        colour = Ink.RED if refuses or problem.level == "error" else Ink.YELLOW
        said = f"{label} {problem.code}: {problem.message}"
        first, *rest = wrapped(said, _INDENT, _INDENT + "  ")
        yield (Word(str(first[0]), colour),)
        yield from rest
        if problem.event_name:  # what is said of the whole plan has its hint below
            yield from wrapped(f"hint: {problem.hint}", _INDENT + "  ")


def _outcome(outcome: Outcome, change: Change) -> Iterator[Line]:
    colour = _OUTCOME.get(outcome.status, Ink.RED)
    known = change.have.id if change.have else None
    new = f" ({outcome.meter_id})" if outcome.meter_id not in (None, known) else ""
    yield (_INDENT, Word(f"→ {outcome.status}{new}", colour))
    if outcome.error is None:
        return
    yield from wrapped(f"{outcome.error.code}: {outcome.error.message}", _INDENT + "  ")
    if outcome.status is not OutcomeStatus.SKIPPED:  # the same at each: it stands below, once
        yield from wrapped(f"hint: {outcome.error.hint}", _INDENT + "  ")
    for sent in outcome.requests:
        tries = "1 try" if sent.attempts == 1 else f"{sent.attempts} tries"
        said = f"request: {sent.verb} {sent.request_id or '(no request id)'}, {tries}"
        yield (_INDENT, "  ", said)
