"""Run commands as processes of their own, and measure them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

ROOT = Path(__file__).parents[1]
KEY = "BENCHMARK_KEY"
"""The variable of the key of every account."""

_CHILD = str(Path(__file__).with_name("child.py"))
_KEPT = ("HOME", "LANG", "LC_ALL", "PATH", "PYTHONPYCACHEPREFIX", "TMPDIR", "VIRTUAL_ENV")


class BenchmarkError(Exception):
    """A run that did not do what it measures."""


@dataclass(frozen=True, slots=True)
class Sample:
    """What one run took: seconds, bytes, and the requests that the emulator received.

    `span` is the time from the first request to the last, where it is measured.
    """

    wall: float
    cpu: float = 0.0
    memory: float = 0.0
    requests: int = 0
    rejected: int = 0
    span: float = 0.0


def environment(*paths: Path) -> dict[str, str]:
    """Return the environment of a measured process, with modules also from these folders.

    PYTHONDONTWRITEBYTECODE is not passed on: each start would compile the whole package.
    """
    kept = {name: os.environ[name] for name in _KEPT if name in os.environ}
    modules = (*map(str, (*paths, ROOT)), *filter(None, [os.environ.get("PYTHONPATH")]))
    return {**kept, KEY: "sk_test_emulator", "PYTHONPATH": os.pathsep.join(modules)}


def python(*words: str, cwd: Path, env: dict[str, str] | None = None, exit_code: int = 0) -> Sample:
    """Run a new interpreter of this Python; raise BenchmarkError for another exit code."""
    return run(sys.executable, *words, cwd=cwd, env=env, exit_code=exit_code)


def run(*command: str, cwd: Path, env: dict[str, str] | None = None, exit_code: int = 0) -> Sample:
    """Run a program, given by its path; raise BenchmarkError for another exit code."""
    with TemporaryDirectory() as name:
        result, output = Path(name, "result.json"), Path(name, "output.txt")
        words = [sys.executable, "-I", "-S", _CHILD, str(result), str(output), *command]
        subprocess.run(words, cwd=cwd, env=env or environment(), check=True)
        taken = json.loads(result.read_text("utf-8"))
        if taken["exit_code"] != exit_code:
            shown = output.read_text("utf-8", "replace")[-2000:]
            line = " ".join(command)
            raise BenchmarkError(f"{line}: exit code {taken['exit_code']}\n{shown}")
    return Sample(taken["wall"], taken["cpu"], taken["memory"])
