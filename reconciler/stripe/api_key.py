"""The API key: validated before use, never displayed."""

from __future__ import annotations

import re

from ..diagnostics.codes import service
from ..diagnostics.errors import AuthError

_SHAPE = re.compile(r"[sr]k_[A-Za-z0-9_]+")
_MODES = {"live": True, "test": False}
_LONGEST_TEXT = 1000


class Key:
    """A secret or restricted API key, hidden in `repr` and errors.

    Raises AuthError (S002) for a malformed one.
    """

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        if wrong := find_flaw(text):
            raise AuthError(service.KEY_MALFORMED(f"the API key {wrong}"))
        self._text = text

    def __repr__(self) -> str:
        return "Key(hidden)"

    def reveal(self) -> str:
        """Return the key, for the `Authorization` header only."""
        return self._text

    @property
    def livemode(self) -> bool | None:
        """The mode in the prefix of the key; None if it has none (organization keys)."""
        words = self._text.split("_")[1:3]
        return next((_MODES[word] for word in words if word in _MODES), None)

    def scrub(self, text: str) -> str:
        """Remove the key and control characters from text of others, and truncate it.

        A traceback or a gateway's page may quote the request.
        """
        plain = text.replace(self._text, "[key hidden]")
        printable = "".join(c if c.isprintable() else " " for c in plain)
        short = " ".join(printable.split())
        return short if len(short) <= _LONGEST_TEXT else short[: _LONGEST_TEXT - 1] + "…"


def find_flaw(text: str) -> str | None:
    """Describe what is wrong with a key, without quoting it; return None if nothing is."""
    if not text:
        return "is empty"
    if text != text.strip() or re.search(r"\s", text):
        return "holds a space or a line break"
    if not text.isascii() or not text.isprintable():
        return "holds characters that no key has"
    if text.startswith("pk_"):
        return "is a publishable one (pk_…), which may read nothing"
    if not _SHAPE.fullmatch(text):
        return "does not look like one (sk_… or rk_…)"
    return None
