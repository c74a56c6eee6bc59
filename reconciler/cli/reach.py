"""What a verb needs that goes to an account: a session with it, and the part to look at."""

from __future__ import annotations

from contextlib import AbstractContextManager
from dataclasses import replace

from ..diagnostics.diagnostic import Level, Problem
from ..model.project import Account
from ..operations.session import Session, connect
from ..operations.snapshot import Looked, situation
from ..planning.guards import check
from ..planning.scope import Scope
from .accounts import no_slip
from .context import Stage


def reach(account: Account, stage: Stage) -> AbstractContextManager[Session]:
    """A session with an account that stops when the run is told to."""
    return connect(account, environ=stage.environ, clock=stage.clock, stopped=stage.stop)


def narrowed(accounts: tuple[Account, ...], only: tuple[str, ...]) -> Scope:
    """The scope of --only; raises UsageError for a pattern that no declared name fits."""
    no_slip(accounts, only)
    return Scope(only)


def astray(account: Account, seen: Looked) -> tuple[Problem, ...]:
    """Warnings where a key reaches another account or mode than the project says.

    For verbs that only tell what is there: where anything is judged by it, a guard refuses.
    """
    _, refusals = check((), situation(account, seen))
    return tuple(replace(problem, level=Level.WARNING) for problem in refusals)
