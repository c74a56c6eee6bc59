"""What `doctor` returns: checks of this machine and project, and of each account."""

from __future__ import annotations

from collections.abc import Iterator
from enum import StrEnum
from itertools import chain

from msgspec import Struct

from ..diagnostics.diagnostic import Diagnostic, Level
from ..diagnostics.errors import Exit, ReconcilerError
from .result import AccountResult, CommandResult


class CheckStatus(StrEnum):
    """What a check came to; `unknown` is what could not be checked."""

    OK = "ok"
    WARNING = "warning"
    ERROR = "error"
    UNKNOWN = "unknown"


_STATUS = {
    Level.ERROR: CheckStatus.ERROR,
    Level.WARNING: CheckStatus.WARNING,
    Level.INFO: CheckStatus.OK,
}


class Check(Struct, frozen=True):
    """One check: its name, what it came to, and the diagnostic of a problem."""

    name: str
    message: str
    status: CheckStatus = CheckStatus.OK
    diagnostic: Diagnostic | None = None
    exit_code: Exit = Exit.DONE


def report_problem(name: str, diagnostic: Diagnostic, exit_code: Exit = Exit.FAILED) -> Check:
    """Return the check of a problem; only an error has an exit code."""
    status = _STATUS[diagnostic.level]
    code = exit_code if status is CheckStatus.ERROR else Exit.DONE
    return Check(name, diagnostic.message, status, diagnostic, code)


def report_failure(name: str, error: ReconcilerError) -> Iterator[Check]:
    """Yield a check for each diagnostic of an error."""
    for diagnostic in error.diagnostics:
        yield report_problem(name, diagnostic, error.exit_code)


def report_unknown(name: str, message: str) -> Check:
    """Return a check that could not be made, and why."""
    return Check(name, message, CheckStatus.UNKNOWN)


class AccountCheckup(AccountResult, frozen=True, kw_only=True):
    """The checks of one account."""

    checks: tuple[Check, ...] = ()


class Checkup(CommandResult, frozen=True, kw_only=True):
    """The checks of this machine and project, and of each account."""

    checks: tuple[Check, ...] = ()
    accounts: tuple[AccountCheckup, ...] = ()

    @property
    def every_check(self) -> tuple[Check, ...]:
        """The checks of the machine, then those of the accounts."""
        return (*self.checks, *chain.from_iterable(each.checks for each in self.accounts))

    @property
    def said(self) -> tuple[Diagnostic, ...]:
        """Every diagnostic: of the run, of each account, of each check."""
        checked = (check.diagnostic for check in self.every_check)
        others = (said for each in self.accounts for said in each.diagnostics)
        return (*self.diagnostics, *others, *filter(None, checked))
