"""Everything a person has to read about what went wrong: rules, problems, places, errors.

ReconcilerError ─┬─ ConfigError      1   the files are not usable
                 ├─ UsageError      64   the command line is not usable
                 ├─ RefusedError     3   a guard said no, or the wrong account or mode
                 ├─ StaleError       4   a saved plan no longer fits the account
                 ├─ AuthError        6   the key is missing, unknown or not allowed
                 ├─ ServiceError     1   the API could not be used
                 └─ StoppedError    130   a signal ended the run
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Level(StrEnum):
    """How severe a diagnostic is: an error stops the run, a warning and an info do not."""

    ERROR = "error"
    WARNING = "warning"
    INFO = "info"


class Effect(StrEnum):
    """What a diagnostic means for the run besides its text."""

    NONE = "none"
    GUARD = "guard"  # refuses changes
    FINDING = "finding"  # counts as a drift finding of low severity
    SCOPE = "scope"  # the run was narrowed
    DENIED = "denied"  # the key lacks a permission
    UNCONFIRMED = "unconfirmed"  # a request whose effect is unknown
    LOSS = "loss"  # usage is being lost now
    CANCELLED = "cancelled"  # the user did not confirm


@dataclass(frozen=True, slots=True, order=True)
class Location:
    """A stretch of a file. Lines and columns count from 1, the end is exclusive; 0 is "unknown"."""

    file: str
    line: int = 0
    column: int = 0
    end_line: int = 0
    end_column: int = 0

    def __str__(self) -> str:
        return ":".join([self.file, *(str(n) for n in (self.line, self.column) if n)])


@dataclass(frozen=True, slots=True)
class Diagnostic:
    """One message: code, level, text, location, hint, and what it means for the run."""

    code: str
    level: Level
    message: str
    location: Location | None = None
    hint: str = ""
    event_name: str | None = None
    effect: Effect = Effect.NONE

    def __str__(self) -> str:
        place = f"{self.location}: " if self.location else ""
        advice = f"\n    {self.hint}" if self.hint else ""
        return f"{place}{self.level} {self.code}: {self.message}{advice}"


@dataclass(frozen=True, slots=True)
class Rule:
    """An entry of the catalogue: a stable code, and what `explain` says about it."""

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
        hint = hint or self.remedy
        return Diagnostic(self.code, self.level, message, location, hint, event_name, self.effect)
