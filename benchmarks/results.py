"""The figures of a run, and whether they meet their targets; no measuring here."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from statistics import median, quantiles
from typing import Any


class Unit(StrEnum):
    """What a figure is in."""

    SECONDS = "s"
    RATIO = "x"
    MICROSECONDS = "µs"
    KILOBYTES = "kB"
    REQUESTS = "requests"
    EXPONENT = ""


@dataclass(frozen=True, slots=True)
class Target:
    """The most that a figure may be; RATIO: of the floor of the same run."""

    most: float
    unit: Unit


@dataclass(frozen=True, slots=True)
class Spread:
    """The median of several runs, and how far they differ: the noise."""

    median: float
    least: float
    most: float
    quartiles: tuple[float, float]
    values: tuple[float, ...]


def spread(values: Sequence[float]) -> Spread:
    """Summarize the values of several runs."""
    several = values if len(values) > 1 else [*values, *values]
    low, _, high = quantiles(several, n=4, method="inclusive")
    return Spread(median(values), min(values), max(values), (low, high), tuple(values))


@dataclass(frozen=True, slots=True)
class Result:
    """One row: what was measured, beside its floor and its target.

    `ratio` is the median of the ratios of the runs, each to the run of the floor right after it.
    `cpu` (seconds) and `memory` (bytes, at the most) are medians of ours, `requests` and
    `rejected` those of the last run. `skipped` is why a row was not
    measured, `error` how it failed.
    """

    name: str
    title: str
    unit: Unit
    size: int
    latency: int
    ours: Spread | None = None
    floor: Spread | None = None
    floor_title: str = ""
    ratio: float | None = None
    target: Target | None = None
    cpu: float = 0.0
    memory: float = 0.0
    requests: int = 0
    rejected: int = 0
    skipped: str = ""
    error: str = ""

    @property
    def is_met(self) -> bool | None:
        """Whether the target is met; None where there is none, or no figure."""
        if self.target is None or self.ours is None:
            return None
        value = self.ratio if self.target.unit is Unit.RATIO else self.ours.median
        return value is not None and value <= self.target.most


def as_json(result: Result) -> dict[str, Any]:
    """Return a row of the JSON document."""
    return {
        "name": result.name,
        "title": result.title,
        "unit": str(result.unit),
        "size": result.size,
        "latency_ms": result.latency,
        "ours": _spread_as_json(result.ours),
        "floor": _spread_as_json(result.floor),
        "floor_title": result.floor_title,
        "ratio": result.ratio,
        "target": result.target and {"most": result.target.most, "unit": str(result.target.unit)},
        "met": result.is_met,
        "cpu": result.cpu,
        "memory": result.memory,
        "requests": result.requests,
        "rejected": result.rejected,
        "skipped": result.skipped or None,
        "error": result.error or None,
    }


def _spread_as_json(values: Spread | None) -> dict[str, Any] | None:
    if values is None:
        return None
    return {
        "median": values.median,
        "min": values.least,
        "max": values.most,
        "quartiles": list(values.quartiles),
        "values": list(values.values),
    }


def from_json(row: dict[str, Any]) -> Result:
    """Read a row of the JSON document again."""
    target = row["target"]
    return Result(
        row["name"],
        row["title"],
        Unit(row["unit"]),
        row["size"],
        row["latency_ms"],
        row["ours"] and spread(row["ours"]["values"]),
        row["floor"] and spread(row["floor"]["values"]),
        row["floor_title"],
        row["ratio"],
        target and Target(target["most"], Unit(target["unit"])),
        row["cpu"],
        row["memory"],
        row["requests"],
        row["rejected"],
        row["skipped"] or "",
        row["error"] or "",
    )
