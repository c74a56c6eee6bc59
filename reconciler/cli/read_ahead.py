"""Read an account while its meter files are read, so that neither waits for the other.

Only GETs are sent. Where the files turn out to be invalid, what was read is dropped; an account
that cannot be read is reported after the files.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from contextlib import ExitStack
from functools import partial
from typing import TYPE_CHECKING, Self

from ..clock import Clock, Stopped
from ..diagnostics.errors import ReconcilerError
from ..model.pattern import matches
from .console import Console

if TYPE_CHECKING:
    from ..config.loader import BeforeReading
    from ..model.project import Account
    from ..operations.session import Session

_TURN = 0.0005
"""Seconds after which a thread that computes lets another one go on.

With Python's 5 ms, the threads that read wait for the one that parses files after each system call:
the first response of a plan of 1,000 meters was read 40 ms after it had arrived.
"""


class ReadAhead:
    """The session with the only account of a run, begun before its meter files are read.

    It is closed at the end of the run.
    """

    def __init__(
        self, console: Console, environ: Mapping[str, str], clock: Clock, stopped: Stopped
    ) -> None:
        self.sessions: dict[str, Session] = {}
        """The session by the name of its account, until it is used."""
        self._console = console
        self._environ, self._clock, self._stopped = environ, clock, stopped
        self._stack = ExitStack()
        self._over = False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._over = True
        self._stack.close()

    def select(self, patterns: tuple[str, ...]) -> BeforeReading:
        """Return what begins the session, for the one account that these globs can choose."""

        def begin(account: Account, *, alone: bool) -> None:
            named = patterns == (account.name,)
            chosen = named or (alone and (not patterns or matches(account.name, patterns)))
            if chosen and not (self.sessions or account.emulator):
                self._begin(account)

        return begin

    def _begin(self, account: Account) -> None:
        from ..operations.session import connect  # `validate` must not pay for it
        from .progress import show_reading

        opened = connect(
            account,
            environ=self._environ,
            clock=self._clock,
            stopped=self._is_stopped,
            on_progress=partial(show_reading, self._console, account.name),
        )
        try:
            session = self._stack.enter_context(opened)
        except ReconcilerError:  # it is raised again where the files are valid
            return
        self._stack.callback(sys.setswitchinterval, sys.getswitchinterval())
        sys.setswitchinterval(_TURN)
        session.begin_reading()
        self.sessions[account.name] = session

    def _is_stopped(self) -> bool:
        return self._over or self._stopped()
