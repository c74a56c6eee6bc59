"""The exceptions that a user can be shown, and the exit codes of the command line.

ReconcilerError ─┬─ ConfigError      1   the files cannot be used
                 ├─ UsageError      64   the command line cannot be used
                 ├─ RefusedError     3   refused by a guard, or the wrong account or mode
                 ├─ StaleError       4   a saved plan no longer fits the account
                 ├─ AuthError        6   the key is missing, unknown or lacks a permission
                 ├─ ServiceError     1   the API could not be used
                 └─ StoppedError    130   a signal ended the run
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import IntEnum
from typing import ClassVar

from .diagnostic import Diagnostic


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


class ReconcilerError(Exception):
    """Anything we can explain. The command line prints its problems and exits with its code."""

    exit_code: ClassVar[Exit] = Exit.FAILED

    def __init__(self, *diagnostics: Diagnostic) -> None:
        super().__init__("\n".join(map(str, diagnostics)))
        self.diagnostics = diagnostics


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
