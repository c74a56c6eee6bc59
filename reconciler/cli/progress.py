"""Show how far a run is, on standard error: lines that change on a terminal, else some lines."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from ..clock import Clock
from ..render.labels import count
from .console import Console

if TYPE_CHECKING:
    from ..fleet.engine import Progress
    from ..report.report import ReportedChange

_REDRAW = 0.1  # seconds between two drawings on a terminal,
_REPEAT = 10.0  # and between two lines elsewhere


def show_reading(console: Console, account: str, text: str) -> None:
    """Show what is being read of an account; the threads that read lists may call this."""
    with suppress(Exception):  # a line that cannot be drawn must not end a run
        console.show_status(f"{account}: {text}")


class ChangeProgress:
    """How many changes of one account are applied, of a `total`."""

    def __init__(self, console: Console, name: str, total: int) -> None:
        self._console = console
        self._name = name
        self._total = count(total, "change")
        self._done = 0
        console.show_status(f"{name}: applying {self._total}")

    def show_result(self, change: ReportedChange) -> None:
        """Show what became of a change."""
        if not (change.result and change.change.action.writes):
            return
        self._done += change.result.status.succeeded
        if self._console.shows_progress:
            self._console.show_status(f"{self._name}: {self._done} of {self._total} applied")
        else:
            status, action = change.result.status, change.change.action
            self._console.inform(f"{status}: {action} {change.change.event_name}")


class AccountProgress:
    """How many accounts are done, failed and in progress, and which of them failed."""

    def __init__(self, console: Console, clock: Clock) -> None:
        self._console = console
        self._clock = clock
        self._shown = clock.monotonic()

    def show(self, progress: Progress) -> None:
        """Show the counts, unless that was done a moment ago."""
        wait, now = _REDRAW if self._console.shows_progress else _REPEAT, self._clock.monotonic()
        if now < self._shown + wait:
            return
        self._shown = now
        done, failed = f"{len(progress.results):,}", progress.failed
        line = f"{done} of {len(progress.accounts):,} accounts done, {len(failed):,} failed"
        if not self._console.shows_progress:
            self._console.inform(line)
            return
        names = ", ".join(f"{each.account.name} ({each.exit_code:d})" for each in failed)
        running = f"{line}, {len(progress.running):,} running"
        self._console.show_status(running, *([f"failed: {names}"] if names else []))
