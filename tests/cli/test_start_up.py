"""Start-up: heavy packages are imported only where a verb needs them."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from cli.world import SEATS

HEAVY = {"requests", "urllib3", "deepdiff", "jsonschema", "ssl"}
QUICKSTART = Path(__file__).parents[2] / "examples" / "quickstart"
_SHOW = """
import sys
from reconciler.__main__ import main
code = main(sys.argv[1:])
print(" ".join(sorted({name.partition(".")[0] for name in sys.modules})), file=sys.stderr)
raise SystemExit(code)
"""


def imported(*words: object) -> set[str]:
    """The top-level packages that a run in a fresh interpreter has imported."""
    command = [sys.executable, "-c", _SHOW, *map(str, words)]
    child = subprocess.run(command, capture_output=True, text=True, timeout=30)
    names = set(child.stderr.split())
    assert "reconciler" in names, child.stderr
    return names


@pytest.mark.parametrize(
    "words",
    [
        ["--version"],
        ["--help"],
        ["explain", "G001"],
        ["explain", "--format", "json"],
        ["validate", QUICKSTART],
        ["validate", QUICKSTART, "--format", "json"],
        ["paln", "--format", "json"],
    ],
    ids=lambda words: " ".join(map(str, words[:1])),
)
def test_offline_commands_import_nothing_heavy(words):
    """Nor does an error of usage."""
    assert not imported(*words) & HEAVY


def test_a_plan_without_differences_needs_no_deepdiff(world, run):
    """Only meters that differ are compared in depth."""
    made = world(SEATS)
    run("apply", made.folder, "--yes")
    assert not imported("plan", made.folder) & {"deepdiff", "jsonschema"}


def test_the_version_is_printed_without_parsing_options():
    """Before the parser, the formats and the catalogue: the import costs more than the answer."""
    heavy = {"argparse", "json", "dataclasses", "logging", "yaml"}
    assert not imported("--version") & heavy


def test_validate_loads_nothing_that_talks_to_an_account():
    """It would take a third longer, on every pull request."""
    child = [sys.executable, "-c", _SHOW.replace('.partition(".")[0]', ""), "validate", QUICKSTART]
    ran = subprocess.run(child, capture_output=True, text=True, timeout=30, check=True)
    assert "reconciler.config.loader" in ran.stderr.split()
    assert not {"reconciler.operations.session", "reconciler.stripe"} & set(ran.stderr.split())
