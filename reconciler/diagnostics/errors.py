"""Exceptions with diagnostics, and the exit codes of the command line.

ReconcilerError ─┬─ ConfigError      1   invalid configuration files
                 ├─ UsageError      64   invalid command line
                 ├─ RefusedError     3   refused by a guard, or the wrong account or mode
                 ├─ StaleError       4   the saved plan is out of date
                 ├─ AuthError        6   the API key is missing, invalid or lacks a permission
                 ├─ ServiceError     1   the API is not reachable, or its response is invalid
                 └─ StoppedError    130   a signal ended the run
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import IntEnum
from typing import ClassVar

from .diagnostic import Diagnostic


class Exit(IntEnum):
    """The exit code of a run, the same in every output format."""

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


def select_worst(exits: Iterable[Exit]) -> Exit:
    """Return the exit code that takes precedence; DONE if there is none."""
    return min(exits, key=_WORST_FIRST.index, default=Exit.DONE)


def rank_exit(exit_code: Exit) -> int:
    """Return the place of an exit code in the order of precedence, the worst first."""
    return _WORST_FIRST.index(exit_code)


class ReconcilerError(Exception):
    """Base class: the command line prints the diagnostics and exits with `exit_code`."""

    exit_code: ClassVar[Exit] = Exit.FAILED

    def __init__(self, *diagnostics: Diagnostic) -> None:
        super().__init__("\n".join(map(str, diagnostics)))
        self.diagnostics = diagnostics


class ConfigError(ReconcilerError):
    """Invalid configuration files; `diagnostics` has every error found in them."""


class UsageError(ReconcilerError):
    """An unknown command or option, or options that cannot be combined."""

    exit_code = Exit.USAGE


class RefusedError(ReconcilerError):
    """A guard refused before anything was written, or the account or mode is wrong."""

    exit_code = Exit.REFUSED


class StaleError(ReconcilerError):
    """The account changed after a plan was saved; nothing was written."""

    exit_code = Exit.STALE


class AuthError(ReconcilerError):
    """The API key is missing, invalid or expired, or lacks a permission."""

    exit_code = Exit.DENIED


class ServiceError(ReconcilerError):
    """The API could not be reached, or its response does not match the API."""


class StoppedError(ReconcilerError):
    """A signal interrupted the run."""

    exit_code = Exit.INTERRUPTED
