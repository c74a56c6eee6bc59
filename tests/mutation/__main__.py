"""Make small slips in the package and list those that no test detects.

    python -m tests.mutation                      # the sample of every room
    python -m tests.mutation render               # the sample of one room
    python -m tests.mutation reconciler/clock.py tests/test_clock.py       # all of a file
    python -m tests.mutation reconciler/clock.py:36 tests/test_clock.py    # all of a line

docs/mutation.md has the results.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import pytest

from .mutants import Mutant, mutants
from .runner import Runner

ROOT = Path(__file__).parents[2]

# Of each room every n-th mutant is tested, with these tests.
ROOMS = {
    "operations": (
        15,
        "operations cli/test_apply_saved_plan.py cli/test_withdrawn_consent.py cli/test_compare.py"
        " cli/test_doctor.py cli/test_rate_limit.py cli/test_ready.py cli/test_recovery_command.py"
        " cli/test_renames.py",
    ),
    "planning": (
        15,
        "planning cli/test_apply_saved_plan.py cli/test_consent.py cli/test_newer_stripe.py"
        " cli/test_prices_in_use.py cli/test_remediation_commands.py cli/test_withdrawn_consent.py",
    ),
    "drift": (10, "drift cli/test_compare.py cli/test_drift.py"),
    "history": (12, "history cli/test_credentials.py cli/test_journal.py"),
    "stripe": (40, "stripe_client cli/test_endless_lists.py cli/test_rate_limit.py"),
    "config": (
        40,
        "config cli/test_accounts.py cli/test_error_texts.py cli/test_pasted_files.py"
        " cli/test_unread_files.py cli/test_yaml_surprises.py",
    ),
    "cli": (
        80,
        "cli/test_accounts.py cli/test_apply_saved_plan.py cli/test_arguments.py"
        " cli/test_error_texts.py cli/test_files.py cli/test_formats.py cli/test_prompt.py"
        " cli/test_screen.py cli/test_init.py cli/test_import.py cli/test_list.py"
        " cli/test_emulate.py cli/test_history.py cli/test_credentials.py cli/test_completion.py",
    ),
    "render": (180, "render cli/test_formats.py cli/test_long_texts.py"),
    "emulator": (250, "emulator"),
}
# Browsers and random stories are slow.
_IGNORED = ("render/test_browser.py", "operations/test_promise.py", "operations/test_two_plans.py")


def main(arguments: Sequence[str]) -> int:
    """Test the mutants of a room, a file or a line; return 1 if one survives."""
    os.chdir(ROOT)
    os.environ["CI"] = "true"  # the same examples of hypothesis in every run
    os.environ.setdefault("HYPOTHESIS_PROFILE", "few")
    if not arguments:  # a process for each room: pytest runs once in a process
        command = [sys.executable, "-m", "tests.mutation"]
        return max([subprocess.run([*command, room], check=False).returncode for room in ROOMS])
    name, *tests = arguments
    chosen = _select(name)
    return check(
        "reconciler", chosen, tests or [f"tests/{each}" for each in ROOMS[name][1].split()]
    )


def check(package: str, chosen: Sequence[Mutant], tests: Sequence[str]) -> int:
    """Test mutants and print those that survive."""
    out = os.fdopen(os.dup(1), "w")  # pytest captures the other one
    counts: Counter[str] = Counter()

    def _told(subject: object, outcome: str) -> None:
        counts[outcome.split()[0]] += 1
        if not outcome.startswith("killed"):
            print(f"{subject}: {outcome}", file=out, flush=True)

    words = ["-pno:xdist", "-pno:randomly", "-pno:cacheprovider"]
    words += ["-oaddopts=-qq --import-mode=importlib --tb=no --no-summary", "-mnot full"]
    words += [f"--ignore=tests/{name}" for name in _IGNORED]
    code = pytest.main([*words, *tests], plugins=[Runner(package, chosen, _told)])
    print(f"{len(chosen)} mutants, {counts['killed']} killed", flush=True)
    return int(code) or int(counts["killed"] < len(chosen))


def _select(name: str) -> list[Mutant]:
    path, _, line = name.partition(":")
    if path.endswith(".py"):
        return [each for each in mutants(Path(path)) if line in ("", str(each.at[0]))]
    step = ROOMS[name][0]
    files = sorted(Path("reconciler", name).rglob("*.py"))
    found = [each for file in files for each in mutants(file)]
    print(f"{name}: every {step}th of {len(found)} mutants", flush=True)
    return found[::step]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
