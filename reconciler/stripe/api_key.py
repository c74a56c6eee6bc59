"""The API key: validated before use, never displayed."""

from __future__ import annotations

import re
from enum import StrEnum

from ..diagnostics.codes import service
from ..diagnostics.errors import AuthError

_FLAWS = (
    (r"\s*", "is empty"),
    (r"[\"'`].*", "is in quotes, which are part of the value"),
    (r"pk_.*", "is a publishable key (pk_…), which may read nothing"),
    (r"whsec_.*", "is the secret of a webhook (whsec_…)"),
    (r"acct_.*", "is the id of an account (acct_…)"),
    (r"Bearer\s.*", "begins with `Bearer `: the value is the key alone"),
    (
        r"(?![sr]k_)(export\s+)?[A-Za-z_]\w*=.*",
        "begins with `NAME=`: the value is the key alone",
    ),
    (
        r"(?i:<.*>|\$.*|\{\{.*|\.+|\*+|x+|(your|my|the)\W?_?.*key.*|changeme)",
        "is a placeholder",
    ),
    (r"[sr]k_\S*…", "is a placeholder"),
    (r".*\s.*", "holds a space or a line break"),
    (r".*[^!-~].*", "holds a character that no header can hold"),
    (r"(?![sr]k_).*", "does not begin with sk_ or rk_"),
)
"""What is wrong with a key, the first that matches. What follows the prefix is an open alphabet."""

_FLAWLESS = re.compile(r"[sr]k_[!-~]*")

_MODES = {"live": True, "test": False}
_LONGEST_TEXT = 1000


class Kind(StrEnum):
    """What a key is for: everything, what it was given, or several accounts."""

    UNRESTRICTED = "secret"
    RESTRICTED = "restricted"
    ORGANIZATION = "organization"


class Secret:
    """Text that authorizes requests, hidden in `repr` and errors."""

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def __repr__(self) -> str:
        return f"{type(self).__name__}(hidden)"

    def reveal(self) -> str:
        """Return the secret, for the `Authorization` header only."""
        return self._text

    def scrub(self, text: str) -> str:
        """Remove the secret and control characters from text of others, and truncate it.

        A traceback or a gateway's page may quote the request.
        """
        plain = text.replace(self._text, "[key hidden]")
        if not plain.isprintable():
            plain = "".join(c if c.isprintable() else " " for c in plain)
        short = " ".join(plain.split())
        return short if len(short) <= _LONGEST_TEXT else short[: _LONGEST_TEXT - 1] + "…"


class Key(Secret):
    """A secret or restricted API key. Raises AuthError (S002) for a malformed one."""

    __slots__ = ()

    def __init__(self, text: str) -> None:
        if wrong := find_flaw(text):
            raise AuthError(service.KEY_MALFORMED(f"the API key {wrong}"))
        super().__init__(text)

    @property
    def livemode(self) -> bool | None:
        """The mode in the prefix of the key; None if it has none (organization keys)."""
        words = self._text.split("_")[1:3]
        return next((_MODES[word] for word in words if word in _MODES), None)

    @property
    def kind(self) -> Kind:
        """What the prefix of the key says that it is for."""
        if self._text.startswith("sk_org_"):
            return Kind.ORGANIZATION
        return Kind.RESTRICTED if self._text.startswith("rk_") else Kind.UNRESTRICTED


def find_flaw(text: str) -> str | None:
    """Describe what is wrong with a key, without quoting it; return None if nothing is.

    A key needs its prefix, since a file may name any variable as that of a key; beyond it only
    what cannot be sent in a header is refused.
    """
    if _FLAWLESS.fullmatch(text):  # as nearly every key, which many accounts have checked again
        return None
    return next((what for pattern, what in _FLAWS if re.fullmatch(pattern, text, re.DOTALL)), None)
