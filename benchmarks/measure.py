"""Measure rows: ours and its floor in turn, so that a busy moment affects both."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from statistics import median

from .processes import BenchmarkError, Sample
from .results import Result, Unit, spread
from .rows import DERIVED, ROWS, Derived, Row
from .scenarios import Skipped, Workshop


@dataclass(frozen=True, slots=True)
class Selection:
    """What to run: rows whose name matches a glob, how often, and without slow ones if quick."""

    patterns: tuple[str, ...] = ("*",)
    runs: int = 5
    quick: bool = False


def select_rows(selection: Selection) -> tuple[list[Row], list[Derived]]:
    """Return the rows to measure and to derive; those that derived rows need are included."""

    def matches(name: str) -> bool:
        return any(fnmatchcase(name, pattern) for pattern in selection.patterns)

    rows = {row.name: row for row in ROWS if not (selection.quick and row.slow)}
    derived = [each for each in DERIVED if matches(each.name) and rows.keys() >= {*each.sources}]
    needed = {name for each in derived for name in each.sources}
    return [row for row in rows.values() if matches(row.name) or row.name in needed], derived


def measure(
    selection: Selection, on_result: Callable[[Result], None] = lambda result: None
) -> list[Result]:
    """Measure the selected rows; `on_result` is called with each as it is complete."""
    rows, derived = select_rows(selection)
    samples: dict[str, list[Sample]] = {}
    results = []
    with ExitStack() as stack:
        workshop = Workshop(stack)
        for result in _measure_rows(rows, workshop, selection.runs, samples):
            results.append(result)
            on_result(result)
    for each in derived:
        if all(samples.get(name) for name in each.sources):
            results.append(_derive(each, samples))
            on_result(results[-1])
    return results


def _measure_rows(
    rows: Iterable[Row], workshop: Workshop, runs: int, samples: dict[str, list[Sample]]
) -> Iterator[Result]:
    for row in rows:
        try:
            yield _measure_row(row, workshop, runs, samples)
        except Skipped as why:
            yield replace(_describe_row(row), skipped=str(why))
        except BenchmarkError as why:
            yield replace(_describe_row(row), error=str(why))


def _describe_row(row: Row) -> Result:
    return Result(row.name, row.title, Unit.SECONDS, row.size, row.latency, target=row.target)


def _measure_row(
    row: Row, workshop: Workshop, runs: int, samples: dict[str, list[Sample]]
) -> Result:
    case = row.scenario(workshop)
    if runs > 1 and not row.slow:
        case.floor(case.ours())  # compiles modules, and fills the caches of files
    pairs = []
    for _ in range(runs):
        ours = case.ours()
        pairs.append((ours, case.floor(ours)))
    samples[row.name] = [ours for ours, _ in pairs]
    last = pairs[-1][0]
    return replace(
        _describe_row(row),
        ours=spread([row.figure(ours) for ours, _ in pairs]),
        floor=spread([row.figure(floor) for _, floor in pairs]),
        floor_title=case.floor_title,
        ratio=median(row.figure(ours) / row.figure(floor) for ours, floor in pairs),
        cpu=median(ours.cpu for ours, _ in pairs),
        memory=median(ours.memory for ours, _ in pairs),
        requests=last.requests,
        rejected=last.rejected,
    )


def _derive(row: Derived, samples: dict[str, list[Sample]]) -> Result:
    runs = zip(*(samples[name] for name in row.sources), strict=True)
    values = spread([row.compute(run) for run in runs])
    return Result(row.name, row.title, row.unit, 0, 0, values, target=row.target)
