"""Bytes -> text that is safe to read and to show, with mistakes named at their place."""

from __future__ import annotations

import re
import unicodedata

from ...diagnostics.codes import config as codes
from ...diagnostics.diagnostic import Diagnostic, Location
from ...diagnostics.errors import ConfigError

MAX_BYTES = 10_000_000

# Control characters, what libyaml takes for line breaks though editors do not, and what
# reorders the text on the screen.
_FORBIDDEN = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ufeff\ufffe\uffff]"
)
_TAB = "a tab cannot indent or separate here; use spaces"
_LIBYAML_SAYS = {
    "mapping values are not allowed in this context": "a `:` is not expected here; "
    "either the indentation is wrong, or the text around it needs quotes",
    "mapping values are not allowed here": "a `:` is not expected here; "
    "either the indentation is wrong, or the text around it needs quotes",
    "block sequence entries are not allowed in this context": "a list cannot start in the line "
    "of its key; start it in the next one",
    "could not find expected ':'": "a `:` is missing after a key",
    "did not find expected key": "a key was expected here; the indentation differs from the lines "
    "before, or a quote is not closed",
    "did not find expected '-' indicator": "a `-` was expected here, as in the lines before",
    "found unexpected end of stream": "the file ends before a quote is closed",
    "found invalid Unicode character escape code": "this escape is not a character",
}


def decode(data: bytes, file: str) -> str:
    """The text of a file, without its byte order mark.

    Raises ConfigError for what is too large, not UTF-8, or holds a character that makes
    a file look different from what it says.
    """
    if len(data) > MAX_BYTES:
        message = f"the file is larger than {MAX_BYTES // 1_000_000} MB"
        raise ConfigError(codes.TOO_LARGE(message, Location(file)))
    try:
        text = data.decode("utf-8").removeprefix("\ufeff")
    except UnicodeDecodeError as error:
        raise ConfigError(_not_utf8(data, error.start, file)) from None
    if bad := _FORBIDDEN.search(text):
        message = f"{describe(bad.group())} is not allowed in these files"
        raise ConfigError(codes.FORBIDDEN_CHARACTER(message, place(text, bad.span(), file)))
    if (start := _directive(text)) is not None:
        location = place(text, (start, start + 1), file)
        raise ConfigError(codes.DIRECTIVE("a `%` directive is not read", location))
    return text


def place(text: str, span: tuple[int, int], file: str) -> Location:
    """The location of a stretch of text within one line."""
    start, end = span
    line, column = _line_column(text, start)
    return Location(file, line, column, line, column + end - start)


def describe(character: str) -> str:
    """A character that may not be visible, by its number and name."""
    name = unicodedata.name(character, "control character")
    return f"U+{ord(character):04X} ({name.lower()})"


def clip(text: str) -> str:
    """Text for a message: short, and with everything invisible as an escape."""
    return visible(text if len(text) <= 60 else text[:57] + "...")


def visible(text: str) -> str:
    """Text with everything invisible, and everything that no encoding takes, as an escape."""
    return text if text.isprintable() else "".join(map(_visible, text))


def _visible(character: str) -> str:
    return character if character.isprintable() else ascii(character)[1:-1]


def syntax_diagnostic(error: Exception, text: str, file: str) -> Diagnostic:
    """What the YAML reader could not read, in words for people."""
    mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
    if mark is None:
        return codes.SYNTAX(f"this is not YAML: {clip(str(error))}", Location(file))
    lines = re.split("\r\n|\r|\n", text.rstrip("\r\n"))
    line, column = mark.line, mark.column
    if line >= len(lines):
        line, column = len(lines) - 1, len(lines[-1])
    message = _in_words(error, lines[line][column : column + 1])
    location = Location(file, line + 1, column + 1, line + 1, column + 2)
    return codes.SYNTAX(message, location)


def _in_words(error: Exception, character: str) -> str:
    said = str(getattr(error, "problem", None) or "this is not YAML")
    if character == "\t":
        return _TAB
    if "cannot start any token" in said and character:
        return f"a value cannot start with `{clip(character)}`; put it in quotes"
    start = getattr(error, "context_mark", None)
    context = getattr(error, "context", None)
    around = f" ({context} that starts in line {start.line + 1})" if start and context else ""
    return _LIBYAML_SAYS.get(said, said) + _worth_saying(around)


def _worth_saying(around: str) -> str:
    """libyaml's name for what it was reading, unless it says nothing to a person."""
    return "" if "scanning for the next token" in around or "simple key" in around else around


def _not_utf8(data: bytes, start: int, file: str) -> Diagnostic:
    before = data[:start]
    line_start = before.rfind(b"\n") + 1
    line = before.count(b"\n") + 1
    column = len(before[line_start:].decode("utf-8")) + 1
    guess = "; it looks like UTF-16" if data[:2] in (b"\xff\xfe", b"\xfe\xff") else ""
    message = f"the byte 0x{data[start]:02x} at offset {start} is not UTF-8{guess}"
    return codes.NOT_UTF8(message, Location(file, line, column, line, column + 1))


def _directive(text: str) -> int | None:
    """Where the first line that says something starts with `%`."""
    start = 0
    for line in text.splitlines(keepends=True):
        if line.strip() and not line.lstrip().startswith("#"):
            return start if line.startswith("%") else None
        start += len(line)
    return None


def _line_column(text: str, index: int) -> tuple[int, int]:
    """The line and column, counted from 1, of a position in the text."""
    breaks = text.count("\n", 0, index) + text.count("\r", 0, index)
    line_start = max(text.rfind("\n", 0, index), text.rfind("\r", 0, index)) + 1
    return breaks - text.count("\r\n", 0, index) + 1, index - line_start + 1
