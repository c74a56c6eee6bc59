"""Decode files into text that is safe to parse and to display; report what is not, by location."""

from __future__ import annotations

import re
import unicodedata

from ...diagnostics.codes import config as codes
from ...diagnostics.diagnostic import Diagnostic, Location
from ...diagnostics.errors import ConfigError

MAX_BYTES = 10_000_000

# Control characters, line breaks of libyaml that editors do not treat as such, and characters
# that reorder the text on screen.
_FORBIDDEN = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ufeff\ufffe\uffff]"
)
_TAB = "tabs cannot be used for indentation; use spaces"
_LIBYAML_SAYS = {
    "mapping values are not allowed in this context": "unexpected `:`; check the "
    "indentation, or quote the text that contains it",
    "mapping values are not allowed here": "unexpected `:`; check the "
    "indentation, or quote the text that contains it",
    "block sequence entries are not allowed in this context": "a block list cannot start on "
    "the line of its key; start it on the next line",
    "could not find expected ':'": "missing `:` after a key",
    "did not find expected key": "expected a key; check the indentation, and for an unclosed "
    "quote or bracket",
    "did not find expected '-' indicator": "expected `-`, as on the lines before",
    "found invalid Unicode character escape code": "invalid Unicode escape sequence",
}

_NO_END = ("found unexpected end of stream", "found unexpected document indicator")


def decode(data: bytes, file: str) -> str:
    """Decode a file, without its byte order mark.

    Raises ConfigError for a file that is too large or not UTF-8, or that contains a character
    which makes it look different from what it is.
    """
    if len(data) > MAX_BYTES:
        message = f"the file is larger than {MAX_BYTES // 1_000_000} MB"
        raise ConfigError(codes.TOO_LARGE(message, Location(file)))
    try:
        text = data.decode("utf-8").removeprefix("\ufeff")
    except UnicodeDecodeError as error:
        raise ConfigError(_not_utf8(data, error.start, file)) from None
    if bad := _FORBIDDEN.search(text):
        message = f"{describe(bad.group())} is not allowed in configuration files"
        raise ConfigError(codes.FORBIDDEN_CHARACTER(message, place(text, bad.span(), file)))
    if (start := _directive(text)) is not None:
        location = place(text, (start, start + 1), file)
        raise ConfigError(codes.DIRECTIVE("YAML directives (`%`) are not supported", location))
    return text


def place(text: str, span: tuple[int, int], file: str) -> Location:
    """Locate a span of text within one line."""
    start, end = span
    line, column = _line_column(text, start)
    return Location(file, line, column, line, column + end - start)


def describe(character: str) -> str:
    """Name a character that may be invisible by its code point."""
    name = unicodedata.name(character, "control character")
    return f"U+{ord(character):04X} ({name.lower()})"


def clip(text: str) -> str:
    """Shorten text for a message, and escape everything invisible in it."""
    return visible(text if len(text) <= 60 else text[:57] + "...")


def visible(text: str) -> str:
    """Escape everything in a text that is invisible or cannot be encoded."""
    return text if text.isprintable() else "".join(map(_visible, text))


def _visible(character: str) -> str:
    return character if character.isprintable() else ascii(character)[1:-1]


def syntax_diagnostic(error: Exception, text: str, file: str) -> Diagnostic:
    """Explain an error of the YAML parser, at its location."""
    mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
    if mark is None:
        return codes.SYNTAX(f"invalid YAML: {clip(str(error))}", Location(file))
    if unclosed := _unclosed_quote(error, file):
        return unclosed
    lines = re.split("\r\n|\r|\n", text.rstrip("\r\n"))
    line, column = mark.line, mark.column
    if line >= len(lines):
        line, column = len(lines) - 1, len(lines[-1])
    message = _in_words(error, lines[line][column : column + 1])
    location = Location(file, line + 1, column + 1, line + 1, column + 2)
    return codes.SYNTAX(message, location)


def _unclosed_quote(error: Exception, file: str) -> Diagnostic | None:
    """Report a quoted scalar without an end where it starts, not where the file ends."""
    start = getattr(error, "context_mark", None)
    context = str(getattr(error, "context", None))
    problem = getattr(error, "problem", None)
    if start is None or "quoted scalar" not in context or problem not in _NO_END:
        return None
    message = f"the quote opened on line {start.line + 1} is never closed"
    location = Location(file, start.line + 1, start.column + 1, start.line + 1, start.column + 2)
    return codes.SYNTAX(message, location)


def _in_words(error: Exception, character: str) -> str:
    said = str(getattr(error, "problem", None) or "invalid YAML")
    if character == "\t":
        return _TAB
    if "cannot start any token" in said and character:
        return f"a value cannot start with `{clip(character)}`; quote the value"
    start = getattr(error, "context_mark", None)
    context = getattr(error, "context", None)
    around = f" ({context} that starts on line {start.line + 1})" if start and context else ""
    return _LIBYAML_SAYS.get(said, said) + _worth_saying(around)


def _worth_saying(around: str) -> str:
    """Keep the context that libyaml gives, unless it only describes the parser itself."""
    return "" if "scanning for the next token" in around or "simple key" in around else around


def _not_utf8(data: bytes, start: int, file: str) -> Diagnostic:
    before = data[:start]
    line_start = before.rfind(b"\n") + 1
    line = before.count(b"\n") + 1
    column = len(before[line_start:].decode("utf-8")) + 1
    guess = "; the file looks like UTF-16" if data[:2] in (b"\xff\xfe", b"\xfe\xff") else ""
    message = f"invalid UTF-8: byte 0x{data[start]:02x} at offset {start}{guess}"
    return codes.NOT_UTF8(message, Location(file, line, column, line, column + 1))


def _directive(text: str) -> int | None:
    """Find the offset of a directive: a `%` at the start of the first line of content."""
    start = 0
    for line in text.splitlines(keepends=True):
        if line.strip() and not line.lstrip().startswith("#"):
            return start if line.startswith("%") else None
        start += len(line)
    return None


def _line_column(text: str, index: int) -> tuple[int, int]:
    """Convert an offset to a line and column, counted from 1."""
    breaks = text.count("\n", 0, index) + text.count("\r", 0, index)
    line_start = max(text.rfind("\n", 0, index), text.rfind("\r", 0, index)) + 1
    return breaks - text.count("\r\n", 0, index) + 1, index - line_start + 1
