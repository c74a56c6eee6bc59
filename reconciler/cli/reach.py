"""What a verb needs that goes to an account: a session with it, and the part to look at."""

from __future__ import annotations

from contextlib import AbstractContextManager
from dataclasses import replace

from ..diagnostics.diagnostic import Diagnostic, Level
from ..model.project import Account
from ..operations.session import Session, connect
from ..operations.snapshot import Snapshot, guard_input
from ..planning.guards import check
from ..planning.scope import Scope
from .accounts import check_only_patterns
from .context import Context


def open_session(account: Account, context: Context) -> AbstractContextManager[Session]:
    """A session with an account that stops when the run is told to."""
    return connect(account, environ=context.environ, clock=context.clock, stopped=context.stop)


def narrowed(accounts: tuple[Account, ...], only: tuple[str, ...]) -> Scope:
    """The scope of --only; raises UsageError for a pattern that no declared name fits."""
    check_only_patterns(accounts, only)
    return Scope(only)


def account_mismatch_warnings(account: Account, snapshot: Snapshot) -> tuple[Diagnostic, ...]:
    """Warnings where a key reaches another account or mode than the project says.

    For verbs that only tell what is there: where anything is judged by it, a guard refuses.
    """
    _, refusals = check((), guard_input(account, snapshot))
    return tuple(replace(diagnostic, level=Level.WARNING) for diagnostic in refusals)
