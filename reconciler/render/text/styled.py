"""Lines of coloured words, and the two ways to write them: plain, or for a terminal.

Every word is cleaned on its way out, so no renderer can forget to.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from enum import StrEnum
from textwrap import wrap

from msgspec import Struct

from ..escape import clean

WIDTH = 80
_WIDTH = ContextVar("width", default=WIDTH)


@contextmanager
def set_width(width: int) -> Iterator[None]:
    """Lay out everything that is rendered meanwhile for a terminal of this width."""
    before = _WIDTH.set(width)
    try:
        yield
    finally:
        _WIDTH.reset(before)


def get_width() -> int:
    """Return the columns that a line may take."""
    return _WIDTH.get()


class Style(StrEnum):
    """Colours as terminals number them (ECMA-48, SGR)."""

    BOLD = "1"
    FAINT = "2"
    RED = "31"
    GREEN = "32"
    YELLOW = "33"
    CYAN = "36"


class Span(Struct, frozen=True):
    """A stretch of text in one style."""

    text: str
    style: Style


Line = tuple[str | Span, ...]


def write_lines(lines: Iterable[Line], *, colours: bool = False) -> str:
    """Return the lines as text, with the escape codes of a terminal or without."""
    written = ("".join(_write_span(span, colours=colours) for span in line) for line in lines)
    return "".join(f"{line.rstrip()}\n" for line in written)


def _write_span(span: str | Span, *, colours: bool) -> str:
    if isinstance(span, str):
        return clean(span)
    text = clean(span.text)
    return f"\x1b[{span.style}m{text}\x1b[0m" if colours and text else text


def wrap_text(text: str, indent: str, hanging: str | None = None) -> Iterator[Line]:
    """Yield prose as lines that fit the terminal.

    A long word is never broken, nor is text in backticks, a command or a line of YAML, which can
    then be copied. Where it has a line of its own, it needs no backticks.
    """
    for line in wrap(
        _QUOTED.sub(lambda quoted: quoted[0].replace(" ", _GLUE), clean(text)),
        get_width(),
        initial_indent=indent,
        subsequent_indent=indent if hanging is None else hanging,
        break_long_words=False,
        break_on_hyphens=False,
    ):
        yield (_ALONE.sub(r"\1\2", line).replace(_GLUE, " "),)


_GLUE = "\x00"  # no cleaned text has one
_QUOTED = re.compile(r"`[^`]+`")
_ALONE = re.compile(r"^( *)`([^`]+)`$")
