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

from collections.abc import Iterable
from dataclasses import dataclass
from enum import IntEnum, StrEnum
from typing import ClassVar


class Exit(IntEnum):
    """How a run ends, the same in every output format (design, section 3)."""

    DONE = 0
    FAILED = 1
    CHANGES = 2
    REFUSED = 3
    STALE = 4
    PARTIAL = 5
    DENIED = 6
    USAGE = 64
    INTERRUPTED = 130


_WORST_FIRST = (
    Exit.INTERRUPTED,
    Exit.USAGE,
    Exit.PARTIAL,
    Exit.FAILED,
    Exit.DENIED,
    Exit.REFUSED,
    Exit.STALE,
    Exit.CHANGES,
    Exit.DONE,
)


def worst(exits: Iterable[Exit]) -> Exit:
    """The one exit code that several add up to; nothing at all is DONE."""
    return min(exits, key=_WORST_FIRST.index, default=Exit.DONE)


class Level(StrEnum):
    """How much a problem matters: an error stops the run, a warning and an info do not."""

    ERROR = "error"
    WARNING = "warning"
    INFO = "info"


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
class Problem:
    """One thing to read: which rule, how bad, what happened, where, what to do."""

    code: str
    level: Level
    message: str
    where: Location | None = None
    hint: str = ""
    event_name: str | None = None

    def __str__(self) -> str:
        place = f"{self.where}: " if self.where else ""
        advice = f"\n    {self.hint}" if self.hint else ""
        return f"{place}{self.level} {self.code}: {self.message}{advice}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """What a run has to say, whatever it is about: the one document, before it has a format."""

    problems: tuple[Problem, ...] = ()
    own_exit: Exit = Exit.DONE

    @property
    def exit_code(self) -> Exit:
        """The one exit code of the run."""
        return self.own_exit

    @property
    def said(self) -> tuple[Problem, ...]:
        """Every problem, wherever it stands."""
        return self.problems

    @property
    def losses(self) -> tuple[Problem, ...]:
        """What tells that usage is being lost right now: nothing is louder."""
        return ()


@dataclass(frozen=True, slots=True)
class Rule:
    """An entry of the catalogue: a stable code, and what `explain` says about it."""

    code: str
    title: str
    why: str
    remedy: str
    level: Level = Level.ERROR

    def __call__(
        self,
        message: str,
        where: Location | None = None,
        hint: str = "",
        event_name: str | None = None,
    ) -> Problem:
        """A problem of this kind; where no hint fits the case better, the remedy is the hint."""
        return Problem(self.code, self.level, message, where, hint or self.remedy, event_name)


class ReconcilerError(Exception):
    """Anything we can explain. The command line prints its problems and exits with its code."""

    exit_code: ClassVar[Exit] = Exit.FAILED

    def __init__(self, *problems: Problem) -> None:
        super().__init__("\n".join(map(str, problems)))
        self.problems = problems


class ConfigError(ReconcilerError):
    """The files that a user wrote cannot be used; it carries every problem found in them."""


class UsageError(ReconcilerError):
    """The command line asks for something that does not exist or does not fit together."""

    exit_code = Exit.USAGE


class RefusedError(ReconcilerError):
    """A guard said no before anything was written, or it is the wrong account or mode."""

    exit_code = Exit.REFUSED


class StaleError(ReconcilerError):
    """A saved plan no longer fits the account; nothing was written."""

    exit_code = Exit.STALE


class AuthError(ReconcilerError):
    """The key is missing, unknown, expired or may not do this."""

    exit_code = Exit.DENIED


class ServiceError(ReconcilerError):
    """The API could not be reached, or answered something that it never promised."""


class StoppedError(ReconcilerError):
    """A signal ended the run before it was done."""

    exit_code = Exit.INTERRUPTED
