"""The table: every row of the benchmarks as data."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from operator import attrgetter

from . import broken_fleets, fleets, scenarios
from .processes import Sample
from .results import Target, Unit
from .scenarios import Scenario

Figure = Callable[[Sample], float]
WALL: Figure = attrgetter("wall")
CPU: Figure = attrgetter("cpu")
MEMORY: Figure = attrgetter("memory")
SPAN: Figure = attrgetter("span")


@dataclass(frozen=True, slots=True)
class Row:
    """A measured row: `size` is the number of meters, files, commits or accounts.

    `latency` is that of the emulator, in milliseconds. Rows that are `slow` are left out by
    --quick, and have no run before those that count.
    """

    name: str
    title: str
    scenario: Scenario
    size: int = 0
    latency: int = 0
    target: Target | None = None
    figure: Figure = WALL
    slow: bool = False


@dataclass(frozen=True, slots=True)
class Derived:
    """A row computed from the samples of others, run by run."""

    name: str
    title: str
    sources: tuple[str, ...]
    compute: Callable[[Sequence[Sample]], float]
    unit: Unit
    target: Target


def ratio(most: float) -> Target:
    """Return the most that a figure may be, as a multiple of its floor."""
    return Target(most, Unit.RATIO)


def seconds(most: float) -> Target:
    """Return the most seconds."""
    return Target(most, Unit.SECONDS)


def _increment(figure: Figure, meters: int, scale: float) -> Callable[[Sequence[Sample]], float]:
    """Return how to compute what each more meter takes."""
    return lambda samples: (figure(samples[1]) - figure(samples[0])) / meters * scale


def _exponent(sizes: tuple[int, int, int]) -> Callable[[Sequence[Sample]], float]:
    """Return how to compute the growth above the smallest size: 1 is linear, 2 quadratic."""
    smallest, small, large = sizes

    def compute(samples: Sequence[Sample]) -> float:
        base, less, more = map(CPU, samples)
        growth = math.log((more - base) / (less - base))
        return growth / math.log((large - smallest) / (small - smallest))

    return compute


_SIZES = (10, 100, 1_000, 10_000)
_LATENCIES = (0, 50)
_PER_FILE = 10_000  # ten times as many are more values than a file may have
_PLAN = {(100, 50): seconds(0.33), (1_000, 50): ratio(1.6), (10_000, 50): ratio(1.25)}
_APPLY = {(100, 50): seconds(0.85), (1_000, 50): seconds(3.6)}

ROWS: tuple[Row, ...] = (
    Row(
        "start/version",
        "`--version`",
        scenarios.start("--version", floor=("-m", "empty")),
        target=ratio(1.3),
    ),
    Row("start/help", "`--help`", scenarios.start("--help")),
    Row(
        "start/validate",
        "`validate` of the quickstart",
        scenarios.start("validate", "examples/quickstart"),
        target=ratio(10),
    ),
    *(
        Row(
            f"{command}/{n}/{latency}ms",
            f"`{command}`, {n:,} unchanged meters",
            scenarios.read_account(command, n, latency),
            n,
            latency,
            _PLAN.get((n, latency)) if command == "plan" else None,
            slow=n == 10_000,
        )
        for command in ("plan", "drift")
        for n in _SIZES
        for latency in _LATENCIES
    ),
    *(
        Row(
            f"apply/{m}/{latency}ms",
            f"`apply`, {m:,} creates",
            scenarios.create(m, latency),
            m,
            latency,
            _APPLY.get((m, latency)),
        )
        for m in (100, 1_000)
        for latency in _LATENCIES
    ),
    *(
        Row(
            f"apply/{m}/25-a-second/rate_limit-{rate}",
            f"`apply`, {m:,} creates at 25/s, `rate_limit: {rate}`",
            scenarios.create_limited(m, 50, rate),
            m,
            50,
            ratio(1.1),
            SPAN,
            slow=True,
        )
        for m in (100, 1_000)
        for rate in (25, 100)
    ),
    *(
        Row(
            f"validate/large-files/{n}",
            f"`validate`, {'one file' if n <= _PER_FILE else f'{n // _PER_FILE} files'} of "
            f"{min(n, _PER_FILE):,} meters",
            scenarios.validate(n, max(1, n // _PER_FILE)),
            n,
            slow=n >= 10_000,
        )
        for n in (*_SIZES[1:], 100_000)
    ),
    *(
        Row(
            f"validate/small-files/{n}",
            f"`validate`, {n:,} files of one meter",
            scenarios.validate(n, n),
            n,
            slow=n >= 10_000,
        )
        for n in _SIZES[1:]
    ),
    *(
        Row(
            f"import/{n}/{latency}ms",
            f"`import`, {n:,} meters",
            scenarios.import_meters(n, latency),
            n,
            latency,
        )
        for n in (100, 1_000)
        for latency in _LATENCIES
    ),
    Row(
        "history/200",
        "`history --meter`, 200 commits, CPU",
        scenarios.show_history(200),
        200,
        target=seconds(1.0),
        figure=CPU,
    ),
    *(
        Row(
            f"fleet/{n}/{engine}",
            f"`apply`, {n:,} accounts, one create each, {engine}",
            prepare(n, 50),
            n,
            50,
            ratio(most) if n == 1_000 else None,
            slow=n > 10,
        )
        for engine, prepare, most in (
            ("threads", fleets.apply_fleet, 1.4),
            ("dask", fleets.apply_fleet_on_dask, 2.0),
        )
        for n in (10, 100, 1_000)
    ),
    Row(
        "fleet/1000/threads/broken",
        "`apply`, 1,000 accounts, three of them broken, threads",
        broken_fleets.apply_broken_fleet(1_000, 50),
        1_000,
        50,
        ratio(1.4),
        slow=True,
    ),
    Row(
        "fleet/1000/dask/broken",
        "`apply`, 1,000 accounts, three of them broken, dask, a worker killed",
        broken_fleets.apply_broken_fleet_on_dask(1_000, 50),
        1_000,
        50,
        ratio(2.0),
        slow=True,
    ),
)

_PLANS = ("plan/1000/0ms", "plan/10000/0ms")
_VALIDATED = (100, 10_000, 100_000)
_MORE = 10_000 - 1_000

DERIVED: tuple[Derived, ...] = (
    Derived(
        "plan/cpu-per-meter",
        "`plan`, CPU of each further meter",
        _PLANS,
        _increment(CPU, _MORE, 1e6),
        Unit.MICROSECONDS,
        Target(180, Unit.MICROSECONDS),
    ),
    Derived(
        "plan/memory-per-meter",
        "`plan`, peak memory of each further meter",
        _PLANS,
        _increment(MEMORY, _MORE, 1e-3),
        Unit.KILOBYTES,
        Target(8, Unit.KILOBYTES),
    ),
    Derived(
        "drift/further-requests",
        "`drift`, requests more than `plan`: prices, rejected usage",
        ("plan/1000/50ms", "drift/1000/50ms"),
        lambda samples: samples[1].requests - samples[0].requests,
        Unit.REQUESTS,
        Target(2, Unit.REQUESTS),
    ),
    Derived(
        "validate/exponent",
        "`validate`, growth of CPU to 100,000 meters (exponent)",
        tuple(f"validate/large-files/{n}" for n in _VALIDATED),
        _exponent(_VALIDATED),
        Unit.EXPONENT,
        Target(1.03, Unit.EXPONENT),
    ),
)
