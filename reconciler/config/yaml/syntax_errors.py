"""Explain the errors of the YAML parser, at the place where they begin."""

from __future__ import annotations

from typing import Any

from ...diagnostics.codes import config as codes
from ...diagnostics.diagnostic import Diagnostic, Location
from .source_text import LINE_BREAK, clip

_UNEXPECTED_COLON = "unexpected `:`; check the indentation, or quote the text that contains it"
_LIBYAML_SAYS = {
    "mapping values are not allowed in this context": _UNEXPECTED_COLON,
    "mapping values are not allowed here": _UNEXPECTED_COLON,
    "block sequence entries are not allowed in this context": "a block list cannot start on "
    "the line of its key; start it on the next line",
    "could not find expected ':'": "missing `:` after a key",
    "did not find expected key": "expected a key; check the indentation, and for an unclosed "
    "quote or bracket",
    "did not find expected comment or line break": "`>` and `|` begin a block of text on the "
    "following lines; quote a value that begins with one of them",
    "did not find expected '-' indicator": "expected `-`, as on the lines before",
    "found invalid Unicode character escape code": "invalid Unicode escape sequence",
}
_INNER = {"'": "`''`", '"': '`\\"`'}
_NO_END = ("found unexpected end of stream", "found unexpected document indicator")


def describe_syntax_error(error: Exception, text: str, file: str, quoted: Any = None) -> Diagnostic:
    """Explain an error of the YAML parser, at its location.

    `quoted` is the event of the last quoted scalar before the error.
    """
    mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
    if mark is None:
        return codes.SYNTAX(f"invalid YAML: {clip(str(error))}", Location(file))
    opened = getattr(error, "context_mark", None)
    if quoted and _ends_too_early(quoted, (opened, mark), text):
        return _describe_early_end(quoted, text, file)
    context = str(getattr(error, "context", None) or "")
    problem = str(getattr(error, "problem", None) or "invalid YAML")
    line, column = mark.line, mark.column
    if opened and "quoted scalar" in context and problem in _NO_END:
        line, column = opened.line, opened.column
        message = f"the quote opened on line {line + 1} is never closed"
    else:
        lines = LINE_BREAK.split(text.rstrip("\r\n"))
        if line >= len(lines):
            line, column = len(lines) - 1, len(lines[-1])
        around = f" ({context} that starts on line {opened.line + 1})" if opened and context else ""
        message = _describe_problem(problem, around, lines[line][column : column + 1])
    location = Location(file, line + 1, column + 1, line + 1, column + 2)
    return codes.SYNTAX(message, location)


def _describe_problem(problem: str, around: str, character: str) -> str:
    if character == "\t":
        return "tabs cannot be used for indentation; use spaces"
    if "cannot start any token" in problem and character:
        return f"a value cannot start with `{clip(character)}`; quote the value"
    if any(
        word in around for word in ("scanning for the next token", "simple key", "block scalar")
    ):
        around = ""  # describes the parser, not the file
    return _LIBYAML_SAYS.get(problem, problem) + around


def _ends_too_early(quoted: Any, marks: tuple[Any, ...], text: str) -> bool:
    """Whether a quoted scalar ends where another was meant to begin, or inside a word."""
    end = quoted.end_mark.index
    spans_lines = quoted.start_mark.line != quoted.end_mark.line
    gaps = (text[end : mark.index] for mark in marks if mark and mark.index >= end)
    return any(not gap or (spans_lines and not gap.strip(" \t")) for gap in gaps)


def _describe_early_end(quoted: Any, text: str, file: str) -> Diagnostic:
    start, end = quoted.start_mark, quoted.end_mark
    rest = LINE_BREAK.split(text[end.index : end.index + 20])[0]
    where = f"on line {end.line + 1}, " if end.line != start.line else ""
    before = f"before `{clip(rest)}`" if rest.strip() else "at the end of the line"
    message = f"the quote opened on line {start.line + 1} is closed {where}{before}"
    hint = f"close it where the text ends, or write a quote inside it as {_INNER[quoted.style]}"
    location = Location(file, start.line + 1, start.column + 1, start.line + 1, start.column + 2)
    return codes.SYNTAX(message, location, hint)
