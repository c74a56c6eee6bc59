"""Projects of any size on an emulator in this process, and runs of the command on them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from reconciler.emulator import Server, Settings, open_state


def meter(n: int) -> dict[str, Any]:
    """The n-th meter, as files and seeds have it."""
    return {
        "event_name": f"meter_{n}",
        "display_name": f"Meter {n}",
        "default_aggregation": {"formula": "sum"},
    }


@contextmanager
def project(
    meters: int, seeded: int, rate: float, settings: Settings | None = None
) -> Iterator[tuple[Path, Server]]:
    """A folder that declares so many meters, and an account that has the first of them."""
    seed = {"meters": [meter(n) for n in range(seeded)]}
    with (
        TemporaryDirectory() as name,
        open_state(None, seed) as store,
        Server(store, settings) as server,
    ):
        folder = Path(name)
        entry = {"api_key_env": "SANDBOX_KEY", "api_base": server.url, "rate_limit": rate}
        about = {"version": 1, "meters": ["meters.yaml"], "accounts": {"sandbox": entry}}
        (folder / "reconciler.yaml").write_text(json.dumps(about))
        declared = {"version": 1, "meters": [meter(n) for n in range(meters)]}
        (folder / "meters.yaml").write_text(json.dumps(declared))
        yield folder, server


def python(*words: str) -> int:
    """Run a fresh interpreter, and return its exit code."""
    environ = {**os.environ, "SANDBOX_KEY": "sk_test_emulator"}
    command = [sys.executable, *words]
    return subprocess.run(command, env=environ, capture_output=True, check=False).returncode
