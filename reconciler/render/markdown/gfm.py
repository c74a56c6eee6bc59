"""Escape GitHub's Markdown: values as code, sentences as prose, both on one line.

GitHub turns `@name`, `#1`, commit hashes and addresses in text into links, some of them after
Markdown was read and entities were resolved, but never inside of code. So every value from
outside, and every word that GitHub could turn into a link, is shown as code; likewise what GitLab
takes for a reference: `!1`, `&1`, `~label`, `%milestone` and `[issue:1]`.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from ..escape import clean

_SHORT = 16  # characters that a column of a table on a phone has room for
_ASCII_MARKS = re.compile(r"[!-/:-@\[-`{-~]")
_MORE_THAN_A_WORD = re.compile(
    r'[@#$\\|]|[!&~%](?=[\w"])|\[\w+:|://|www\.|:(?!\d\d:)[\w+-]+:|\bGH-\d|'
    r"(?<![0-9a-zA-Z])[0-9a-f]{7,40}(?![0-9a-zA-Z])"
)
_BREAKABLE = re.compile(r"&#\d+;(?!<!---->)|<!---->|[^&;<>]{16}")
_MARKUP = re.compile(r"[*\[\]~`]|(?<![0-9A-Za-z])_|_(?![0-9A-Za-z])")


def format_code(text: str, room: int) -> str:
    """Return a value as code, in at most `room` characters of UTF-8; a longer one ends in `…`."""
    return _fit(text, room, _escape_code)


def format_breakable_code(text: str, room: int) -> str:
    """Return a value as code that a narrow column of a table may break after any mark."""
    return _fit(text, room, _escape_breakable)


def _fit(text: str, room: int, escape: Callable[[str], str]) -> str:
    shown = clean(text)[:room]
    written = escape(shown)
    while len(written.encode()) > room:
        shown = shown[: min(len(shown) - 1, len(shown) * room // len(written.encode()))]
        written = escape(f"{shown}…")
    return written


def format_prose(text: str, room: int) -> str:
    """Return a sentence in at most `room` characters of UTF-8; backticks mark code."""
    words = clean(text)[:room].split(" ")
    written = _escape_prose(words)
    while len(written.encode()) > room:
        words = words[: min(len(words) - 1, len(words) * room // len(written.encode()))]
        if not words:
            return format_code(text, room)
        written = _escape_prose([*words, "…"])
    return written


def _escape_code(text: str) -> str:
    """Return a code span where a table allows it; else entities, with addresses broken."""
    if text and text.strip() == text and "`" not in text and "|" not in text:
        return f"`{text}`"
    return f"<code>{_escape_marks(text)}</code>"


def _escape_breakable(text: str) -> str:
    if len(text) <= _SHORT:
        return _escape_code(text)
    return f"<code>{_BREAKABLE.sub(lambda some: f'{some[0]}<wbr>', _escape_marks(text))}</code>"


def _escape_marks(text: str) -> str:
    """Return a text with its marks as entities, and with addresses broken."""
    inner = _ASCII_MARKS.sub(lambda mark: f"&#{ord(mark[0])};", text)
    return inner.replace("&#64;", "&#64;<!---->")


def _escape_prose(words: list[str]) -> str:
    text = " ".join(words)
    parts = text.split("`")
    if len(parts) % 2 == 0:
        return _escape_plain(text)
    return "".join(
        (_escape_code(part) if part else "") if n % 2 else _escape_plain(part)
        for n, part in enumerate(parts)
    )


def _escape_plain(text: str) -> str:
    return " ".join(map(_escape_word, text.split(" ")))


def _escape_word(word: str) -> str:
    if _MORE_THAN_A_WORD.search(word):
        return _escape_code(word)
    safe = word.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return _MARKUP.sub(lambda mark: f"\\{mark[0]}", safe)
