"""The plot of cost against size, beside the floor."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from .results import Result, Spread


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a panel: rows by a glob, their figures or those of their floors."""

    label: str
    rows: str
    color: str
    is_floor: bool = False


PANELS = {
    "An account in sync, 50 ms a request": (
        Line("plan", "plan/*/50ms", "#0b5cad"),
        Line("drift", "drift/*/50ms", "#b3541e"),
        Line("bare listing", "plan/*/50ms", "#777777", is_floor=True),
    ),
    "validate, files of up to 10,000 meters": (
        Line("validate", "validate/large-files/*", "#0b5cad"),
        Line("libyaml, events only", "validate/large-files/*", "#777777", is_floor=True),
    ),
}


def write_plot(results: Sequence[Result], file: Path) -> None:
    """Write an SVG: a panel for each question, both axes logarithmic, bars from least to most."""
    import matplotlib

    matplotlib.use("svg")
    matplotlib.rcParams.update({"svg.hashsalt": "performance", "svg.fonttype": "none"})
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(1, len(PANELS), figsize=(10, 4), layout="constrained")
    for axis, (title, lines) in zip(axes, PANELS.items(), strict=True):
        axis.set(title=title, xlabel="meters", ylabel="seconds", xscale="log", yscale="log")
        axis.grid(visible=True, which="major", alpha=0.3)
        for line in lines:
            _draw(axis, line, results)
        axis.legend(frameon=False)
    figure.savefig(file, metadata={"Date": None})
    pyplot.close(figure)


def _draw(axis: Any, line: Line, results: Sequence[Result]) -> None:
    points = list(_find_points(line, results))
    middle = [values.median for _, values in points]
    around = [
        [values.median - values.least for _, values in points],
        [values.most - values.median for _, values in points],
    ]
    style = {"linestyle": "--"} if line.is_floor else {"marker": "o", "markersize": 4}
    sizes = [size for size, _ in points]
    axis.errorbar(sizes, middle, around, color=line.color, label=line.label, capsize=2, **style)


def _find_points(line: Line, results: Sequence[Result]) -> Iterator[tuple[int, Spread]]:
    for result in results:
        values = result.floor if line.is_floor else result.ours
        if fnmatchcase(result.name, line.rows) and values:
            yield result.size, values
