"""How near a real apply comes to the rate it was given, and how it bears a limit it overruns.

The emulator takes 25 requests a second; `reconciler apply` creates meters in it. Prints a
table in Markdown.
"""

from __future__ import annotations

import time
from dataclasses import dataclass

from projects import project, python

from reconciler.emulator import Phase, Reached, Settings

LIMIT = 25  # requests a second that the emulator takes
CASES = ((100, 24), (1000, 24), (100, 100), (1000, 100))
COLUMNS = ("meters", "rate_limit", "exit", "s first to last POST", "n/24 s", "ratio", "429s")


@dataclass(frozen=True, slots=True)
class Measured:
    """What one apply did; `seconds` are from its first POST to its last."""

    meters: int
    rate: int
    exit_code: int
    created: int
    seconds: float
    requests: int
    refused: int


def main() -> None:
    """Measure every case, and print a row for each."""
    print(f"The emulator takes {LIMIT} requests a second.\n")
    print(f"| {' | '.join(COLUMNS)} |\n|{'--:|' * len(COLUMNS)}")
    for meters, rate in CASES:
        print(_row(measure(meters, rate)), flush=True)


def measure(meters: int, rate: int) -> Measured:
    """One apply that creates so many meters at a rate, in an empty account."""
    moments: list[float] = []

    def reached(moment: Reached) -> None:
        if moment.request.method == "POST" and moment.phase is Phase.BEFORE:
            moments.append(time.monotonic())

    with project(meters, 0, rate, Settings(rate_limit=LIMIT)) as (folder, server):
        server.reached = reached
        exit_code = python("-m", "reconciler", "apply", str(folder), "--yes", "--quiet")
        refused = sum(entry.status == 429 for entry in server.log)
        created = len(server.state.ledger.meters)
        seconds = moments[-1] - moments[0]
        return Measured(meters, rate, exit_code, created, seconds, len(server.log), refused)


def _row(m: Measured) -> str:
    assert m.created == m.meters, f"{m.created} of {m.meters} meters came into being"
    ideal = m.meters / 24
    share = f"{m.refused} of {m.requests} ({m.refused / m.requests:.1%})"
    cells = (m.meters, m.rate, m.exit_code, f"{m.seconds:.2f}", f"{ideal:.2f}")
    return f"| {' | '.join(map(str, (*cells, f'{m.seconds / ideal:.3f}', share)))} |"


if __name__ == "__main__":
    main()
