"""Suggest a known word for a misspelled one."""

from __future__ import annotations

from collections.abc import Iterable


def suggest(word: str, known: Iterable[str]) -> str | None:
    """Return the closest known word, ignoring case; None if none is close."""
    by_fold = {name.casefold(): name for name in known}
    if found := by_fold.get(word.casefold()):
        return found
    from difflib import get_close_matches  # most runs have nothing to suggest

    close = get_close_matches(word.casefold(), by_fold, n=1, cutoff=0.7)
    return by_fold[close[0]] if close else None
