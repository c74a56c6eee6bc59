"""What an audit finds about a meter, and who caused it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from ..diagnostics.codes import drift as rules
from ..diagnostics.diagnostic import Rule
from .change import Severity


@dataclass(frozen=True, slots=True)
class Attribution:
    """Who brought a difference about, as far as the account's events tell. `at` is Unix seconds."""

    origin: str
    at: int | None = None
    request_id: str | None = None
    plan_id: str | None = None
    commit: str | None = None
    note: str = ""


@dataclass(frozen=True, slots=True)
class Exemption:
    """A finding that the project file ignores until a date, and who answers for that."""

    reason: str
    until: str
    owner: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that an audit found under a name: what, how bad, since when, by whom.

    `kind` is a stable word and `code` its entry in the catalogue; `meter_ids` are the live
    meters that it is about, times are Unix seconds.
    `resend_until` is until when the first lost usage may still be sent again, None once that is
    past; `remedy` is a command or a line of YAML.
    """

    kind: str
    code: str
    severity: Severity
    message: str
    meter_ids: tuple[str, ...] = ()
    since: int | None = None
    resend_until: int | None = None
    remedy: str = ""
    attribution: Attribution | None = None
    exemption: Exemption | None = None


class Origin(StrEnum):
    """Whose doing a finding is; the words are stable."""

    OURS = "ours"  # an idempotency key of this tool
    ANOTHER_CLIENT = "another_client"  # a key of somebody else
    OUTSIDE = "outside"  # no key; perhaps the Dashboard, and no more is known
    OLDER = "older"  # nothing within reach explains it

    @property
    def briefly(self) -> str:
        """The same in a few words for people."""
        return _IN_WORDS[self][0]

    @property
    def at_length(self) -> str:
        """The same for people, and how it is known."""
        return ": ".join(_IN_WORDS[self])


_IN_WORDS = {
    Origin.OURS: ("reconciler", "its idempotency key is ours"),
    Origin.ANOTHER_CLIENT: ("another API client", "its idempotency key is not ours"),
    Origin.OUTSIDE: (
        "not through this tool",
        "no idempotency key was sent; perhaps the Dashboard",
    ),
    Origin.OLDER: (
        "not known",
        "no event of the last 30 days explains it; it is older, or the files have changed since",
    ),
}


class Kind(StrEnum):
    """All that can be found, the worst first; `ignore` rules and other programs use the words."""

    INACTIVE = "inactive"
    MISSING = "missing"
    PRICE_ON_INACTIVE = "price_on_inactive"
    DIFFERS = "differs"
    TWO_ACTIVE = "two_active"
    PRICE_ON_UNDECLARED = "price_on_undeclared"
    RENAMED = "renamed"
    RUNNING = "running"
    UNMANAGED = "unmanaged"

    @property
    def rule(self) -> Rule:
        """Its entry in the catalogue of diagnostics."""
        return _RULES[self]


_RULES = {
    Kind.INACTIVE: rules.INACTIVE,
    Kind.MISSING: rules.MISSING,
    Kind.PRICE_ON_INACTIVE: rules.PRICE_ON_INACTIVE,
    Kind.DIFFERS: rules.DIFFERS,
    Kind.TWO_ACTIVE: rules.TWO_ACTIVE,
    Kind.PRICE_ON_UNDECLARED: rules.PRICE_ON_UNDECLARED,
    Kind.RENAMED: rules.RENAMED,
    Kind.RUNNING: rules.RUNNING,
    Kind.UNMANAGED: rules.UNMANAGED,
}
