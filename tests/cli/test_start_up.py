"""Start-up: what a command does not need is not imported."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from cli.world import SEATS

ROOT = Path(__file__).parents[2]
QUICKSTART = ROOT / "examples" / "quickstart"

UNUSED = {
    "asyncio",
    "ast",
    "deepdiff",
    "inspect",
    "jsonschema",
    "referencing",
    "rich",
    "sqlite3",
    "xml",
}
NETWORK = {"concurrent", "email", "http", "requests", "socket", "ssl", "urllib3"}
OURS = {"reconciler.emulator", "reconciler.operations.session", "reconciler.stripe"}
OFFLINE = UNUSED | NETWORK | OURS | {"difflib", "logging", "random", "secrets"}
OFFLINE |= {"shlex", "subprocess", "tempfile", "traceback", "zipfile"}
TEXT = OFFLINE | {"shutil", "yaml"}
NOTHING = TEXT | {"argparse", "dataclasses", "enum", "json", "msgspec"}
NOTHING |= {
    "datetime",
    "decimal",
    "pathlib",
    "re",
    "signal",
    "textwrap",
    "threading",
    "typing",
    "urllib",
    "uuid",
}


def imported(*words: object, **environ: str) -> set[str]:
    """The packages, and the modules of ours, that the command imports in a new interpreter."""
    names = list_imports(*words, **environ)
    return {*names, *(name.partition(".")[0] for name in names)}


def list_imports(*words: object, **environ: str) -> list[str]:
    """The modules that the command imports, in the order in which their imports end."""
    command = [sys.executable, "-X", "importtime", "-m", "reconciler", *map(str, words)]
    environ = {**os.environ, **environ}
    child = subprocess.run(command, capture_output=True, text=True, timeout=30, env=environ)
    lines = (line for line in child.stderr.splitlines() if line.startswith("import time:"))
    names = [line.rpartition("|")[2].strip() for line in lines]
    names = names[names.index("runpy") + 1 :]  # before it: Python itself
    assert "reconciler" in names, child.stderr
    return names


@pytest.mark.parametrize(
    ("words", "unused"),
    [
        (["--version"], NOTHING),
        (["--help"], TEXT),
        (["validate", QUICKSTART], OFFLINE),
        (["validate", QUICKSTART, "--format", "json"], UNUSED | NETWORK),
        (["explain", "G001"], UNUSED | NETWORK),
        (["explain", "--format", "json"], UNUSED | NETWORK),
        (["paln", "--format", "json"], UNUSED | NETWORK),
    ],
    ids=lambda words: " ".join(map(str, words[:1])) if isinstance(words, list) else "",
)
def test_an_offline_command_imports_nothing_that_it_does_not_need(words, unused):
    """Nor does an error of usage. Python starts without the modules that tests add to it."""
    assert imported(*words, PYTHONPATH=str(ROOT)) & unused == set()


def test_a_plan_without_differences_imports_nothing_to_compare_in_depth(world):
    """Nor does drift, or an apply that creates meters."""
    made = world(SEATS)
    for words in (["apply", "--yes"], ["plan"], ["drift"]):
        assert imported(words[0], made.folder, *words[1:]) & UNUSED == set()


def test_a_plan_imports_what_plans_while_stripe_responds(world):
    names = list_imports("plan", world(SEATS).folder)
    sends = names.index("reconciler.stripe.http.exchange")
    later = ("operations.make_plan", "planning.plan", "planning.guards", "report.report")
    assert all(sends < names.index(f"reconciler.{name}") for name in later)
    assert "reconciler.render.text.styled" in names[sends:]
    assert not {"requests", "urllib3"} & set(names)  # they take 100 ms; proxies need them
    assert not {"encodings.idna", "http.client"} & set(names)  # 15 ms each
