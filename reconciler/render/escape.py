"""Escape plain text, so that no value can move, hide or recolour anything on a screen."""

from __future__ import annotations


def clean(text: str) -> str:
    """Write out every control, bidirectional or invisible character of a text as an escape.

    Line breaks are written out too: one value never becomes two lines.
    """
    if text.isprintable():
        return text
    return "".join(char if char.isprintable() else _escape(char) for char in text)


def _escape(char: str) -> str:
    return char.encode("unicode_escape").decode("ascii")
