"""Lines of coloured words, and the two ways to write them: plain, or for a terminal.

Every word is cleaned on its way out, so no renderer can forget to.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from enum import StrEnum
from textwrap import wrap

from ..escape import clean

WIDTH = 80
_WIDTH = ContextVar("width", default=WIDTH)


@contextmanager
def columns(width: int) -> Iterator[None]:
    """Lay out everything that is rendered meanwhile for a terminal of this width."""
    before = _WIDTH.set(width)
    try:
        yield
    finally:
        _WIDTH.reset(before)


def current_width() -> int:
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


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of text in one colour."""

    text: str
    ink: Style


ReportedChange = tuple[str | Span, ...]


def plain(lines: Iterable[ReportedChange]) -> str:
    """The lines without colours."""
    return _joined("".join(clean(_text(word)) for word in line) for line in lines)


def coloured(lines: Iterable[ReportedChange]) -> str:
    """The lines with colours, for a terminal."""
    return _joined("".join(map(_painted, line)) for line in lines)


def wrapped(text: str, indent: str, hanging: str | None = None) -> Iterator[ReportedChange]:
    """Prose as lines that fit the terminal; a long word is never broken.

    Neither is what stands in backticks, a command or a line of YAML: it is there to be copied.
    Where it has a line of its own, it needs no backticks.
    """
    rest = indent if hanging is None else hanging
    for line in wrap(
        _QUOTED.sub(lambda quoted: quoted[0].replace(" ", _GLUE), clean(text)),
        current_width(),
        initial_indent=indent,
        subsequent_indent=rest,
        break_long_words=False,
        break_on_hyphens=False,
    ):
        yield (_ALONE.sub(r"\1\2", line).replace(_GLUE, " "),)


_GLUE = "\x00"  # no cleaned text has one
_QUOTED = re.compile(r"`[^`]+`")
_ALONE = re.compile(r"^( *)`([^`]+)`$")


def _joined(lines: Iterable[str]) -> str:
    return "".join(f"{line.rstrip()}\n" for line in lines)


def _text(word: str | Span) -> str:
    return word if isinstance(word, str) else word.text


def _painted(word: str | Span) -> str:
    text = clean(_text(word))
    return f"\x1b[{word.ink}m{text}\x1b[0m" if isinstance(word, Span) else text
