"""Identifiers for event_names: valid in every language, stable and without collisions."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterable
from hashlib import sha256

_BOUNDARY = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")


def join_upper(words: tuple[str, ...]) -> str:
    """Return `AI_SEARCH_CALLS`."""
    return "_".join(words).upper()


def join_snake(words: tuple[str, ...]) -> str:
    """Return `ai_search_calls`."""
    return "_".join(words).lower()


def join_pascal(words: tuple[str, ...]) -> str:
    """Return `AiSearchCalls`."""
    return "".join(word.capitalize() for word in words)


def name_all(event_names: Iterable[str], join: Callable[[tuple[str, ...]], str]) -> dict[str, str]:
    """Return one identifier for each event_name.

    Where several event_names have the same letters and digits, each of their identifiers ends with
    a part of its own hash, so that none depends on the order or on the other names of the group.
    """
    words = {name: _split(name) for name in event_names}
    for length in (0, 6, 12, 64):
        found = {name: join(some) for name, some in words.items()}
        often = Counter(found.values())
        clashing = [name for name, identifier in found.items() if often[identifier] > 1]
        if not clashing:
            return found
        for name in clashing:
            digest = sha256(name.encode("utf-8", "surrogatepass")).hexdigest()
            words[name] = (*_split(name), f"x{digest[: length or 6]}")
    raise AssertionError("two event_names have one hash")


def _split(name: str) -> tuple[str, ...]:
    """Return the words of an event_name, in ASCII; the first begins with a letter."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()
    words = re.findall(r"[A-Za-z0-9]+", _BOUNDARY.sub(" ", plain))
    if not words or words[0][0].isdigit():
        words = ["meter", *words]
    return tuple(words)
