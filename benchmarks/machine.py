"""What the figures were measured on."""

from __future__ import annotations

import os
import platform
import subprocess
import tomllib
from importlib.metadata import version
from pathlib import Path
from typing import Any

from packaging.requirements import Requirement

from .processes import ROOT


def describe_machine() -> dict[str, Any]:
    """Return the machine, the versions and the commit, as the JSON document has them."""
    return {
        "system": platform.platform(),
        "processor": _find_processor(),
        "cores": os.cpu_count(),
        "load": [round(each, 2) for each in os.getloadavg()],
        "python": f"{platform.python_implementation()} {platform.python_version()}",
        "dependencies": _find_dependencies(),
        "commit": _find_commit(),
    }


def _find_processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text("utf-8").splitlines()
    except OSError:
        lines = []
    named = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(named, platform.processor() or platform.machine())


def _find_dependencies() -> dict[str, str]:
    """Return the versions of what this checkout requires."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    names = sorted(Requirement(each).name for each in project["dependencies"])
    return {name: version(name) for name in names}


def _find_commit() -> str | None:
    """Return the commit, and a plus sign where files differ from it."""
    try:
        commit = _git("rev-parse", "HEAD")
        return commit + ("+" if _git("status", "--porcelain", "--untracked-files=no") else "")
    except (OSError, subprocess.CalledProcessError):
        return None


def _git(*words: str) -> str:
    command = ["git", "-C", str(ROOT), *words]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()
