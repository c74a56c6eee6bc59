"""The results as a table: text for a terminal, and rows that a page can show."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from .results import Result, Spread, Target, Unit

COLUMNS = (
    *("what", "ms a request", "median (range)", "floor", "ratio", "target", "met"),
    *("CPU s", "peak MB", "requests"),
)


def as_cells(result: Result) -> tuple[str, ...]:
    """Return the cells of a row, one for each column."""
    latency = f"{result.latency}" if result.requests else ""
    if result.ours is None:
        reason = f"skipped: {result.skipped}" if result.skipped else "failed"
        target = _show_target(result.target)
        return (result.title, latency, reason, "", "", target, "", "", "", "")
    floor = result.floor and f"{result.floor_title}: {_show(result.floor.median, result.unit)}"
    return (
        result.title,
        latency,
        _show_spread(result.ours, result.unit),
        floor or "",
        f"{result.ratio:.2f}" if result.ratio else "",
        _show_target(result.target),
        {True: "yes", False: "no", None: ""}[result.is_met],
        f"{result.cpu:.2f}" if result.cpu else "",
        f"{result.memory / 1e6:.0f}" if result.memory else "",
        _show_requests(result),
    )


def format_text(document: Mapping[str, Any], results: Sequence[Result]) -> str:
    """Format a run for a terminal."""
    rows = [COLUMNS, *map(as_cells, results)]
    return "\n".join((*describe_run(document), "", *_align(rows))) + "\n"


def describe_run(document: Mapping[str, Any]) -> Iterator[str]:
    """Yield what was run, and on what, as lines."""
    machine, runs = document["machine"], document["runs"]
    yield f"{machine['system']}, {machine['processor']}, {machine['cores']} cores"
    versions = ", ".join(f"{name} {each}" for name, each in machine["dependencies"].items())
    yield f"{machine['python']}; {versions}"
    load = " ".join(f"{each:g}" for each in machine["load"])
    yield f"commit {machine['commit'] or 'unknown'}; load average before: {load}"
    yield f"{runs} run{'s' if runs > 1 else ''} of each row, in turn with its floor"


def _align(rows: Sequence[Sequence[str]]) -> Iterator[str]:
    widths = [max(map(len, column)) for column in zip(*_without_skipped(rows), strict=True)]
    for row in rows:
        cells = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        yield "  ".join(cells).rstrip()


def _without_skipped(rows: Iterable[Sequence[str]]) -> list[Sequence[str]]:
    """Leave out rows whose reason would make a column too wide."""
    return [row for row in rows if not row[2].startswith("skipped")]


def _show_spread(values: Spread, unit: Unit) -> str:
    shown = _show(values.median, unit)
    if len(values.values) == 1:
        return shown
    least, most = (_show(each, unit) for each in (values.least, values.most))
    return f"{shown} ({least.split()[0]} to {most})"


def _show(value: float, unit: Unit) -> str:
    if unit is Unit.SECONDS:
        return f"{value * 1000:.0f} ms" if value < 1 else f"{value:.2f} s"
    digits = {Unit.EXPONENT: 3, Unit.REQUESTS: 0}.get(unit, 1)
    return f"{value:.{digits}f} {unit}".rstrip()


def _show_requests(result: Result) -> str:
    if not result.requests:
        return ""
    return f"{result.requests}" + (f", {result.rejected} rejected" if result.rejected else "")


def _show_target(target: Target | None) -> str:
    if target is None:
        return ""
    if target.unit is Unit.RATIO:
        return f"≤ {target.most:g} x floor"
    return f"≤ {target.most:g} {target.unit}".rstrip()
