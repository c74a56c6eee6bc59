"""The escape of plain text: what comes from outside cannot move, hide or recolour anything."""

from __future__ import annotations


def clean(text: str) -> str:
    """The text with every control, bidirectional or invisible character written out as an escape.

    Line breaks are written out too: one value never becomes two lines.
    """
    if text.isprintable():
        return text
    return "".join(char if char.isprintable() else _escape(char) for char in text)


def _escape(char: str) -> str:
    return char.encode("unicode_escape").decode("ascii")
