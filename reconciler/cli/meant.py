"""Did you mean: the nearest known word to one that is unknown."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches


def meant(word: str, known: Iterable[str]) -> str | None:
    """The known word that is most like this one; None when nothing is near."""
    return next(iter(get_close_matches(word, list(known), n=1, cutoff=0.6)), None)
