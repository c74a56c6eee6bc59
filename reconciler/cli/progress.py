"""Show how far a run is, on standard error: one line that changes on a terminal, else lines."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

from ..render.labels import count
from ..report.report import ReportedChange
from .console import Console

OnResult = Callable[[ReportedChange], None]


@contextmanager
def progress(console: Console, name: str, total: int) -> Iterator[OnResult]:
    """Yield what to call with every change result of an account; `total` changes are expected."""
    done = 0

    def show_result(change: ReportedChange) -> None:
        nonlocal done
        if not (change.result and change.change.action.writes):
            return
        done += change.result.status.succeeded
        if console.shows_progress:
            console.show_status(f"{name}: {done} of {count(total, 'change')} applied")
        else:
            status, action = change.result.status, change.change.action
            console.inform(f"{status}: {action} {change.change.event_name}")

    with suppress(Exception):  # a line that cannot be drawn must not end an apply
        console.show_status(f"{name}: applying {count(total, 'change')}")
    try:
        yield show_result
    finally:
        with suppress(Exception):
            console.clear_status()
