"""How far an apply is, on standard error: a bar on a terminal, lines elsewhere."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

from ..report.report import ReportedChange
from .console import Console

Told = Callable[[ReportedChange], None]


@contextmanager
def progress(console: Console, name: str, total: int) -> Iterator[Told]:
    """What hears of every line of an account as it ends; `total` lines are expected."""
    if console.shows_progress and total:
        with _bar(name, total) as on_result:
            yield on_result
    else:
        yield lambda line: _line(console, line)


def _line(console: Console, line: ReportedChange) -> None:
    if line.result and line.change.action.writes:
        console.note(f"{line.result.status}: {line.change.action} {line.change.event_name}")


@contextmanager
def _bar(name: str, total: int) -> Iterator[Told]:
    from rich.console import Console  # 60 ms to import: only where somebody watches
    from rich.markup import escape
    from rich.progress import Progress

    bar = Progress(console=Console(stderr=True), transient=True)
    task = bar.add_task(escape(name), total=total)

    def on_result(line: ReportedChange) -> None:
        if line.change.action.writes:
            bar.advance(task)

    with suppress(Exception):  # a bar that cannot be drawn must not end an apply
        bar.start()
    try:
        yield on_result
    finally:
        with suppress(Exception):
            bar.stop()
