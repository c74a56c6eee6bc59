"""Decode files into text that is safe to parse and to display, and locate errors in it."""

from __future__ import annotations

import re
import unicodedata

from ...diagnostics.codes import config as codes
from ...diagnostics.diagnostic import Diagnostic, Location
from ...diagnostics.errors import ConfigError

MAX_BYTES = 10_000_000
LINE_BREAK = re.compile("\r\n|\r|\n")

# Control characters, line breaks of libyaml that editors do not treat as such, and characters
# that reorder the text on screen.
_FORBIDDEN = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ufeff\ufffe\uffff]"
)
_CONFLICT = re.compile("^(?:<{7}|>{7})(?: .*)?$", re.MULTILINE)
_LFS_POINTER = "version https://git-lfs.github.com/spec/"
_DIRECTIVE = re.compile(r"\A(?>[ \t]*(?:#[^\r\n]*)?(?>\r\n|\r|\n))*+%")


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
        raise ConfigError(_report_not_utf8(data, error.start, file)) from None
    if text.startswith(_LFS_POINTER):
        message = "the file is a Git LFS pointer; its content was not downloaded"
        raise ConfigError(codes.LFS_POINTER(message, Location(file, 1, 1, 1, 8)))
    if conflict := _CONFLICT.search(text):
        message = f"unresolved merge conflict: `{clip(conflict.group())}`"
        location = locate_span(text, conflict.span(), file)
        raise ConfigError(codes.MERGE_CONFLICT(message, location))
    if bad := _FORBIDDEN.search(text):
        message = f"{describe_character(bad.group())} is not allowed in configuration files"
        raise ConfigError(codes.FORBIDDEN_CHARACTER(message, locate_span(text, bad.span(), file)))
    if directive := _DIRECTIVE.match(text):
        location = locate_span(text, (directive.end() - 1, directive.end()), file)
        raise ConfigError(codes.DIRECTIVE("YAML directives (`%`) are not supported", location))
    return text


def decode_loosely(data: bytes) -> str:
    """Decode the part of a file that is read, with a replacement for every invalid byte."""
    return data[:MAX_BYTES].decode("utf-8", "replace").removeprefix("\ufeff")


def locate_span(text: str, span: tuple[int, int], file: str) -> Location:
    """Locate a span of text within one line."""
    start, end = span
    breaks = (text.count("\n", 0, start), text.count("\r", 0, start), -text.count("\r\n", 0, start))
    line_start = max(text.rfind("\n", 0, start), text.rfind("\r", 0, start)) + 1
    line, column = sum(breaks) + 1, start - line_start + 1
    return Location(file, line, column, line, column + end - start)


def describe_character(character: str) -> str:
    """Name a character that may be invisible by its code point."""
    name = unicodedata.name(character, "control character")
    return f"U+{ord(character):04X} ({name.lower()})"


def clip(text: str) -> str:
    """Shorten text for a message, and escape everything invisible in it."""
    return escape_invisible(text if len(text) <= 60 else text[:57] + "...")


def escape_invisible(text: str) -> str:
    """Escape everything in a text that is invisible or cannot be encoded."""
    if text.isprintable():
        return text
    return "".join(char if char.isprintable() else ascii(char)[1:-1] for char in text)


def _report_not_utf8(data: bytes, start: int, file: str) -> Diagnostic:
    before = data[:start]
    line = before.count(b"\n") + 1
    column = len(before[before.rfind(b"\n") + 1 :].decode("utf-8")) + 1
    guess = "; the file looks like UTF-16" if data[:2] in (b"\xff\xfe", b"\xfe\xff") else ""
    message = f"invalid UTF-8: byte 0x{data[start]:02x} at offset {start}{guess}"
    return codes.NOT_UTF8(message, Location(file, line, column, line, column + 1))
