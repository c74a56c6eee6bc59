"""Which accounts a run is about, and the same work for each: one failing stops none."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from ..diagnostics.codes import usage
from ..diagnostics.diagnostic import Problem
from ..diagnostics.errors import Exit, UsageError
from ..diagnostics.suggest import nearest
from ..model.pattern import matches
from ..model.project import Account, AccountRef, Project
from ..report.report import AccountReport
from .context import Stage
from .errors import explained

T = TypeVar("T")


def chosen(project: Project, names: tuple[str, ...]) -> tuple[Account, ...]:
    """The named accounts, or the only one there is; raises UsageError for any other."""
    known = {account.name: account for account in project.accounts}
    for name in names:
        if name not in known:
            close = nearest(name, known)
            listed = f"the project has {', '.join(known)}"
            hint = f"did you mean {close}? {listed}" if close else listed
            raise UsageError(usage.NO_ACCOUNT(f"there is no account {name!r}", hint=hint))
    if not names and len(known) > 1:
        message = f"the project has {len(known)} accounts; which one is meant?"
        raise UsageError(usage.NO_ACCOUNT(message, hint=f"--account {' or '.join(known)}"))
    return tuple(known[name] for name in dict.fromkeys(names)) or project.accounts


def no_slip(accounts: tuple[Account, ...], only: tuple[str, ...]) -> None:
    """Raise UsageError for a pattern of --only that no declared name fits."""
    names = [want.event_name for account in accounts for want in account.declared]
    for pattern in only:
        if not any(matches(name, (pattern,)) for name in names):
            message = f"--only {pattern!r} matches no declared meter"
            raise UsageError(usage.SILENT_PATTERN(message))


def each(
    accounts: tuple[Account, ...],
    stage: Stage,
    work: Callable[[Account], T],
    failed: Callable[[AccountRef, tuple[Problem, ...], Exit], T],
) -> tuple[T, ...]:
    """What became of every account, one after another; none is begun after a signal."""
    return tuple(_one(account, stage, work, failed) for account in accounts)


def _one(
    account: Account,
    stage: Stage,
    work: Callable[[Account], T],
    failed: Callable[[AccountRef, tuple[Problem, ...], Exit], T],
) -> T:
    try:
        stage.stop.interrupts()
        return work(account)
    except (Exception, KeyboardInterrupt) as error:
        stage.trace(error)
        return failed(AccountRef(account.name), *explained(error, stage.environ))


def failed(account: AccountRef, problems: tuple[Problem, ...], exit_code: Exit) -> AccountReport:
    """The report of an account on which nothing could be done."""
    return AccountReport(account=account, exit_code=exit_code, problems=problems, complete=False)
