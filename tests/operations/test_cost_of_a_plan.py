"""What each further meter costs a plan: counted, not timed, so that no busy machine matters."""

from __future__ import annotations

import json
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path

from reconciler.emulator import Server, open_state

SCRIPT = Path(__file__).with_name("cost_of_a_plan.py")
FEW, MANY = 100, 400

# The most of each: what was measured with Python 3.11, and a tenth. Lower them with every gain.
MOST = {"bytes of files": 1_130, "bytes": 6_420, "calls to read files": 124, "calls": 176}


def write_project(folder: Path, url: str, meters: int) -> Path:
    entry = {"api_key_env": "SANDBOX_KEY", "api_base": url}
    listed = [f"  - {json.dumps(describe(n))}\n" for n in range(meters)]
    (folder / "meters.yaml").write_text(f"version: 1\nmeters:\n{''.join(listed)}", "utf-8")
    project = {"version": 1, "meters": ["meters.yaml"], "accounts": {"sandbox": entry}}
    (folder / "reconciler.yaml").write_text(json.dumps(project), "utf-8")
    return folder


def describe(n: int) -> dict[str, object]:
    return {
        "event_name": f"meter_{n}",
        "display_name": f"Meter {n}",
        "default_aggregation": {"formula": "sum"},
    }


def test_a_further_meter_costs_a_plan_no_more_than_it_did(tmp_path, monkeypatch):
    """Of an account in sync: from 100 meters to 400, the increment of each."""
    monkeypatch.setenv("SANDBOX_KEY", "sk_test_emulator")
    with ExitStack() as stack:
        folders = []
        for count in (FEW, MANY):
            seed = {"meters": [describe(n) for n in range(count)]}
            server = stack.enter_context(Server(stack.enter_context(open_state(None, seed))))
            folder = tmp_path / str(count)
            folder.mkdir()
            folders.append(write_project(folder, server.url, count))
        command = [sys.executable, SCRIPT, *folders]
        ran = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert ran.returncode == 0, ran.stderr
    few, many = map(json.loads, ran.stdout.splitlines())
    each = {name: (many[name] - few[name]) / (MANY - FEW) for name in MOST}
    assert {name: n for name, n in each.items() if not 0 < n <= MOST[name]} == {}
