"""The source line of a diagnostic, with carets under the part that it is about."""

from __future__ import annotations

from collections.abc import Iterator
from unicodedata import combining, east_asian_width

from ...diagnostics.diagnostic import Diagnostic
from ..escape import BROKEN, COMMAND, break_commands, clean
from .styled import WIDTH, Line, Span, Style

_TAB = "    "


def render_excerpt(diagnostic: Diagnostic, style: Style) -> Iterator[Line]:
    """Yield the source line and its carets; a long line is clipped around them."""
    location, source = diagnostic.location, diagnostic.source
    if location is None or source is None:
        return
    gutter = f"{location.line:>4} | "
    start = min(max(location.column - 1, 0), len(source))
    end = location.end_column - 1 if location.end_line == location.line else len(source)
    start, end = (_count_broken(source, column) for column in (start, end))
    shown, before, marked = _clip(break_commands(source), start, end, WIDTH - len(gutter))
    yield (Span(gutter, Style.FAINT), shown)
    yield (Span(f"{'| ':>{len(gutter)}}", Style.FAINT), " " * before, Span("^" * marked, style))


def _count_broken(source: str, index: int) -> int:
    """Return an index of the line as an index of the same line with its commands broken up."""
    before = sum(found.start() < index for found in COMMAND.finditer(source))
    return index + before * (len(BROKEN) - 1)


def _clip(source: str, start: int, end: int, width: int) -> tuple[str, int, int]:
    """Return the visible part of a line, the columns before the carets, and their number."""
    first = _find_start(source, start, width // 2) if _is_wider(source, width) else 0
    shown = "…" if first else ""
    total = before = len(shown)
    marked = 0
    for at in range(first, len(source)):
        text = _expand(source[at])
        if total + (columns := _count_columns(text)) > width - 1:
            shown += "…"
            break
        shown, total = shown + text, total + columns
        before += columns if at < start else 0
        marked += columns if start <= at < end else 0
    return shown, before, max(1, marked)


def _find_start(source: str, start: int, room: int) -> int:
    """Step back from the start of the carets for as many columns as there is room."""
    while start and (room := room - _count_columns(_expand(source[start - 1]))) >= 0:
        start -= 1
    return start


def _is_wider(source: str, width: int) -> bool:
    return len(source) > 10 * width or sum(_count_columns(_expand(c)) for c in source) >= width


def _expand(character: str) -> str:
    return _TAB if character == "\t" else clean(character)


def _count_columns(text: str) -> int:
    """Count the columns of a terminal that a text takes."""
    wide = ("W", "F")
    return sum(0 if combining(c) else 2 if east_asian_width(c) in wide else 1 for c in text)
