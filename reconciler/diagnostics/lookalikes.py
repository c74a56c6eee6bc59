"""Texts that look identical: equal under NFC, or except for case and `. - _`."""

from __future__ import annotations

import unicodedata
from itertools import islice

_SEPARATORS = str.maketrans("", "", ".-_")
_SHOWN = 8  # code points


def fold(name: str) -> str:
    """Return what all names that look identical have in common."""
    composed = unicodedata.normalize("NFC", name).casefold()
    return unicodedata.normalize("NFC", composed).translate(_SEPARATORS)


def tell_apart(one: object, other: object) -> tuple[str, str]:
    """Return what to write behind two values that are displayed alike: the code points that differ.

    Both are empty for values that the eye can tell apart.
    """
    if not (isinstance(one, str) and isinstance(other, str)) or one == other:
        return "", ""
    if unicodedata.normalize("NFC", one) != unicodedata.normalize("NFC", other):
        return "", ""
    start = _count_equal(one, other)
    one, other = one[start:], other[start:]
    end = _count_equal(one[::-1], other[::-1])
    return _list_code_points(one[: len(one) - end]), _list_code_points(other[: len(other) - end])


def _count_equal(one: str, other: str) -> int:
    """Count the characters that both texts begin with."""
    differs = (at for at, (a, b) in enumerate(zip(one, other, strict=False)) if a != b)
    return next(differs, min(len(one), len(other)))


def _list_code_points(text: str) -> str:
    listed = " ".join(f"U+{ord(char):04X}" for char in islice(text, _SHOWN))
    return f" ({listed or 'nothing'}{' ...' if len(text) > _SHOWN else ''})"
