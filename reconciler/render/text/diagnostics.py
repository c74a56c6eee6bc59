"""Render diagnostics as a compiler shows them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from ...diagnostics.diagnostic import Diagnostic, Effect, Level
from ..escape import clean
from .excerpt import render_excerpt
from .styled import Line, Span, Style, wrap_text

_LEVEL = {Level.ERROR: Style.RED, Level.WARNING: Style.YELLOW, Level.INFO: Style.CYAN}


def render_diagnostics(diagnostics: Iterable[Diagnostic]) -> Iterator[Line]:
    """Yield each diagnostic after an empty line."""
    for diagnostic in diagnostics:
        if diagnostic.effect is not Effect.SCOPE:  # stated with the counts, which it limits
            yield ()
            yield from render_diagnostic(diagnostic)


def render_diagnostic(diagnostic: Diagnostic) -> Iterator[Line]:
    """Yield a diagnostic as a compiler shows it; of an info only the message."""
    if diagnostic.level is Level.INFO:
        yield from wrap_text(diagnostic.message, "", "    ")
        return
    colour = _LEVEL[diagnostic.level]
    place = f"{diagnostic.location}: " if diagnostic.location else ""
    label = f"{diagnostic.level} {diagnostic.code}"
    head = clean(f"{place}{label}: ")  # in one piece, for grep
    first, *rest = wrap_text(diagnostic.message, head, "    ")
    before, found, after = str(first[0]).partition(label)
    yield (before, Span(found, colour), after)
    yield from rest
    yield from render_excerpt(diagnostic, colour)
    if diagnostic.hint:
        yield from wrap_text(f"hint: {diagnostic.hint}", "    ")
