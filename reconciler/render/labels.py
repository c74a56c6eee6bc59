"""Names of runs, accounts and numbers, as every format writes them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..diagnostics.diagnostic import Effect
from ..model.project import AccountRef

if TYPE_CHECKING:
    from ..report.report import AccountReport, Report

_PARTIAL = "Partial run: undeclared meters were not evaluated."
_UNREAD = "Incomplete run: not everything could be read."


def explain_incomplete(report: Report | AccountReport) -> str | None:
    """Return why a run is not complete, None for a complete one."""
    if report.complete:
        return None
    return _PARTIAL if has_effect(report, Effect.SCOPE) else _UNREAD


def title_run(command: str) -> str:
    """Return what a run of a command is called in headings."""
    return {"show": "Saved plan", "validate": "Validation"}.get(command, command.capitalize())


def describe_mode(account: AccountRef) -> str:
    """Return the mode of an account."""
    return {None: "mode unknown", True: "LIVE mode", False: "test mode"}[account.livemode]


def describe_account(account: AccountRef) -> str:
    """Return name, id and mode of an account; offline only its name is known."""
    if account.id is None and account.livemode is None:
        return account.name
    return f"{account.name} ({account.id or 'account id unknown'}, {describe_mode(account)})"


def count(number: int, noun: str) -> str:
    """Return a number with its noun."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def has_effect(report: Report | AccountReport, effect: Effect) -> bool:
    """Whether a diagnostic of a report has this effect."""
    from ..report.report import Report  # which progress has no need of

    said = report.said if isinstance(report, Report) else report.diagnostics
    return any(each.effect is effect for each in said)
