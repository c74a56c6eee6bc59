"""How far an apply is, on standard error: a bar on a terminal, lines elsewhere."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

from ..report.report import Line
from .console import Screen

Told = Callable[[Line], None]


@contextmanager
def progress(screen: Screen, name: str, total: int) -> Iterator[Told]:
    """What hears of every line of an account as it ends; `total` lines are expected."""
    if screen.watched and total:
        with _bar(name, total) as told:
            yield told
    else:
        yield lambda line: _line(screen, line)


def _line(screen: Screen, line: Line) -> None:
    if line.outcome and line.change.action.writes:
        screen.note(f"{line.outcome.status}: {line.change.action} {line.change.event_name}")


@contextmanager
def _bar(name: str, total: int) -> Iterator[Told]:
    from rich.console import Console  # 60 ms to import: only where somebody watches
    from rich.markup import escape
    from rich.progress import Progress

    bar = Progress(console=Console(stderr=True), transient=True)
    task = bar.add_task(escape(name), total=total)

    def told(line: Line) -> None:
        if line.change.action.writes:
            bar.advance(task)

    with suppress(Exception):  # a bar that cannot be drawn must not end an apply
        bar.start()
    try:
        yield told
    finally:
        with suppress(Exception):
            bar.stop()
