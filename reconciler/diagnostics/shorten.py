"""Shorten texts from outside: a server or a file may send one of any length."""

from __future__ import annotations

from collections.abc import Iterable

VALUE = 300
"""Characters of a value; the longest that a meter file may declare, a display_name, has 250."""

MESSAGE = 2_000
"""Characters of a message, which quotes several values."""

ADVICE = 20_000
"""Characters of a hint or a remedy, which may list every price that consent has to name."""

_LISTED = 5  # names in one message

_SLACK = 100  # an indent, or quotes, around what was shortened already


def shorten(text: str, most: int = VALUE) -> str:
    """Return a text of about `most` characters; of a longer one the beginning and the end.

    The cut is marked, and says how long the text is.
    """
    if len(text) <= most + _SLACK:
        return text
    mark = f"… [cut: {len(text):,} characters] …"
    end = (most - len(mark)) // 4
    return f"{text[: most - len(mark) - end]}{mark}{text[-end:]}"


def list_some(texts: Iterable[str], most: int = _LISTED) -> str:
    """Return the first texts with commas between them, and how many more there are."""
    every = list(texts)
    more = f" and {len(every) - most:,} more" if len(every) > most else ""
    return ", ".join(every[:most]) + more
