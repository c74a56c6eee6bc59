"""Diagnostics, their locations, and the rules that produce them."""

from __future__ import annotations

from enum import StrEnum

from msgspec import Struct

from .shorten import ADVICE, MESSAGE, shorten


class Level(StrEnum):
    """The level of a diagnostic: an error stops the run, a warning or an info does not."""

    ERROR = "error"
    WARNING = "warning"
    INFO = "info"


class Effect(StrEnum):
    """What a diagnostic means for the run besides its text."""

    NONE = "none"
    GUARD = "guard"  # refuses changes
    ACCOUNT = "account"  # refuses every change of the account
    FINDING = "finding"  # counts as a drift finding of low severity
    LOST_USAGE = "lost_usage"  # counts as a drift finding of severity revenue
    SAMPLE = "sample"  # says what was sampled, and so what was not
    SCOPE = "scope"  # the run was narrowed
    DENIED = "denied"  # the key lacks a permission
    UNCONFIRMED = "unconfirmed"  # a request whose effect is unknown
    LOSS = "loss"  # usage is being lost now
    CANCELLED = "cancelled"  # the user did not confirm
    UNVERIFIABLE = "unverifiable"  # the account could not be read after writing
    NOT_BEGUN = "not_begun"  # nothing was read or written in the account


class Location(Struct, frozen=True, order=True):
    """A range in a file. Lines and columns count from 1, the end is exclusive; 0 is unknown."""

    file: str
    line: int = 0
    column: int = 0
    end_line: int = 0
    end_column: int = 0

    def __str__(self) -> str:
        return ":".join([self.file, *(str(n) for n in (self.line, self.column) if n)])


class Diagnostic(Struct, frozen=True):
    """One message to the user: rule, level, text, location, and a hint on what to do.

    `source` is the first line of the location as it is in the file, where it may be shown;
    `effect` is what the diagnostic means for the run.
    """

    code: str
    level: Level
    message: str
    location: Location | None = None
    hint: str = ""
    event_name: str | None = None
    effect: Effect = Effect.NONE
    source: str | None = None

    def __str__(self) -> str:
        place = f"{self.location}: " if self.location else ""
        advice = f"\n    {self.hint}" if self.hint else ""
        return f"{place}{self.level} {self.code}: {self.message}{advice}"


class Rule(Struct, frozen=True):
    """An entry of the catalogue: a stable code, and its explanation for `explain`."""

    code: str
    title: str
    why: str
    remedy: str
    level: Level = Level.ERROR
    effect: Effect = Effect.NONE

    def __call__(
        self,
        message: str,
        location: Location | None = None,
        hint: str = "",
        event_name: str | None = None,
    ) -> Diagnostic:
        """Return a diagnostic of this rule; without a hint, the remedy is the hint."""
        message, hint = shorten(message, MESSAGE), shorten(hint or self.remedy, ADVICE)
        return Diagnostic(self.code, self.level, message, location, hint, event_name, self.effect)
