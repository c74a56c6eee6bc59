"""Projects and accounts of any size."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from .processes import KEY

FAST = 1000.0
"""The highest `rate_limit`."""

FASTEST = 10_000.0
"""The highest `platform_rate_limit`."""

CONFLICT = "mtr_conflict"
"""The id of a meter that cannot become what is declared."""


def describe_meter(n: int) -> dict[str, Any]:
    """Return the n-th meter, as files, seeds and requests have it."""
    return {
        "event_name": f"meter_{n}",
        "display_name": f"Meter {n}",
        "default_aggregation": {"formula": "sum"},
    }


def write_seed(
    folder: Path, meters: int, accounts: int = 0, conflicting: Iterable[str] = ()
) -> Path:
    """Write the seed of an account with meters, and with connected accounts.

    Those are empty, but for the `conflicting` ones: each has the first meter with another formula.
    """
    file = folder / "seed.json"
    conflict = {"id": CONFLICT, **describe_meter(0), "default_aggregation": {"formula": "count"}}
    held = {name: [conflict] for name in conflicting}
    ids = name_accounts(accounts)
    connected = [{"account": {"id": name}, "meters": held.get(name, [])} for name in ids]
    seed = {"meters": [describe_meter(n) for n in range(meters)], "accounts": connected}
    file.write_text(json.dumps(seed), "utf-8")
    return file


def name_accounts(count: int) -> list[str]:
    """Return the ids of connected accounts."""
    return [f"acct_{n}" for n in range(count)]


def write_project(folder: Path, url: str, rate_limit: float = FAST, **more: object) -> None:
    """Write a project file with one account, whose meters are in `meters*.yaml`."""
    entry = {"api_key_env": KEY, "api_base": url, "rate_limit": rate_limit, **more}
    _write_accounts(folder, {"sandbox": entry})


def write_fleet(folder: Path, url: str, ids: Iterable[str]) -> None:
    """Write a project file with one entry, `partners`, for many connected accounts."""
    (folder / "accounts.txt").write_text("".join(f"{each}\n" for each in ids), "utf-8")
    entry: dict[str, object] = {
        "api_key_env": KEY,
        "api_base": url,
        "connected_accounts": {"file": "accounts.txt"},
        "rate_limit": FAST,
        "platform_rate_limit": FASTEST,
    }
    _write_accounts(folder, {"partners": entry})


def _write_accounts(folder: Path, accounts: dict[str, dict[str, object]]) -> None:
    project = {"version": 1, "meters": ["meters*.yaml"], "accounts": accounts}
    (folder / "reconciler.yaml").write_text(json.dumps(project), "utf-8")


def write_meters(folder: Path, meters: int, files: int = 1) -> list[Path]:
    """Declare meters, written as people write them, in so many files of equal size."""
    numbers = range(meters)
    shares = [numbers[n * meters // files : (n + 1) * meters // files] for n in range(files)]
    return [_write_meters(folder / f"meters_{n}.yaml", share) for n, share in enumerate(shares)]


def _write_meters(file: Path, numbers: Iterable[int]) -> Path:
    entries = "".join(
        f"  - event_name: meter_{n}\n    display_name: Meter {n}\n"
        "    default_aggregation: {formula: sum}\n"
        for n in numbers
    )
    file.write_text(f"version: 1\nmeters:\n{entries or '  []' + chr(10)}", "utf-8")
    return file


def commit_versions(folder: Path, meters: int, commits: int) -> None:
    """Make a repository in which so many commits each rename one meter, the first of them all."""
    _git(folder, "init", "--quiet")
    for n in range(commits):
        (file,) = write_meters(folder, meters)
        text = file.read_text("utf-8").replace("Meter 0\n", f"Meter 0, version {n}\n")
        text = text.replace("event_name: meter_0\n", f"event_name: meter_0  # version {n}\n")
        file.write_text(text, "utf-8")
        _git(folder, "add", ".")
        _git(folder, "commit", "--quiet", "--message", f"Version {n}")


def _git(folder: Path, *words: str) -> None:
    about: Sequence[str] = ("-c", "user.name=Benchmark", "-c", "user.email=benchmark@example.com")
    command = ["git", *about, "-c", "commit.gpgsign=false", "-C", str(folder), *words]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
