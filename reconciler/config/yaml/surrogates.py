r"""Surrogate pairs (`\ud83d\ude00`) in double quotes, as JSON writes characters beyond U+FFFF.

libyaml refuses them. The pair is replaced by its character and a filler of the same length, so
that every location stays as it is; the filler is a character that files must not contain.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

_FILLER = "\u2066" * 11
_ESCAPE = re.compile(r"\\(?:u([dD][89abAB][0-9a-fA-F]{2})\\u([dD][c-fC-F][0-9a-fA-F]{2})|.)")
_FILLED = re.compile(f"[\U00010000-\U0010ffff]{_FILLER}")


def fill_pairs(text: str) -> str:
    """Replace every surrogate pair by its character and the filler."""
    return _ESCAPE.sub(_fill, text) if "\\u" in text else text


def restore_pairs(text: str, next_event: Callable[[], Any]) -> Callable[[], Any]:
    """Return a source of the same events, without fillers; only double quotes have escapes."""

    def next_restored() -> Any:
        event: Any = next_event()
        if _FILLER in getattr(event, "value", ""):
            if event.style == '"':
                event.value = event.value.replace(_FILLER, "")
            else:
                source = text[event.start_mark.index : event.end_mark.index]
                pairs = (found[0] for found in _ESCAPE.finditer(source) if found[1])
                event.value = _FILLED.sub(lambda _: next(pairs), event.value)
        return event

    return next_restored


def _fill(escape: re.Match[str]) -> str:
    if not escape[1]:
        return escape[0]
    high, low = int(escape[1], 16), int(escape[2], 16)
    return chr(0x10000 + ((high & 0x3FF) << 10) + (low & 0x3FF)) + _FILLER
