"""What commands take, in units of a bare interpreter's start. Prints a table in Markdown.

`python benchmarks/startup.py [RUNS]`: the median of so many runs of each (default 11).
"""

from __future__ import annotations

import sys
import time
from pathlib import Path
from statistics import median

from projects import project, python

from reconciler.emulator import Server

QUICKSTART = str(Path(__file__).parents[1] / "examples" / "quickstart")
METERS = 1000


def main() -> None:
    """Measure every command in turn, and print a row for each."""
    runs = int(sys.argv[1]) if len(sys.argv) > 1 else 11
    with project(METERS, METERS, 1000) as (folder, server):
        plan = f"plan of {METERS} unchanged meters"
        commands: dict[str, tuple[str, ...]] = {
            "python -c pass": ("-c", "pass"),
            "--version": ("-m", "reconciler", "--version"),
            "--help": ("-m", "reconciler", "--help"),
            "validate examples/quickstart": ("-m", "reconciler", "validate", QUICKSTART),
            plan: ("-m", "reconciler", "plan", str(folder)),
        }
        times = _measured(commands, runs)
        requests = _requests(server, commands[plan])
    bare = times["python -c pass"]
    print(f"Median of {runs} runs.\n\n| command | ms | times a bare interpreter |\n|---|--:|--:|")
    for name, seconds in times.items():
        print(f"| {name} | {seconds * 1000:.0f} | {seconds / bare:.1f} |")
    print(f"\nThe {plan} takes {requests} requests.")


def _measured(commands: dict[str, tuple[str, ...]], runs: int) -> dict[str, float]:
    """Seconds of each; they take turns, so that a busy moment strikes all of them."""
    taken: dict[str, list[float]] = {name: [] for name in commands}
    for _ in range(runs):
        for name, words in commands.items():
            taken[name].append(_seconds(words))
    return {name: median(times) for name, times in taken.items()}


def _seconds(words: tuple[str, ...]) -> float:
    began = time.perf_counter()
    exit_code = python(*words)
    assert exit_code == 0, exit_code
    return time.perf_counter() - began


def _requests(server: Server, words: tuple[str, ...]) -> int:
    server.log.clear()
    python(*words)
    return len(server.log)


if __name__ == "__main__":
    main()
