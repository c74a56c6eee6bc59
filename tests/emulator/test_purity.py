"""The core of the emulator has no files, network, clock or chance."""

import ast
from pathlib import Path

import pytest

import reconciler.emulator

FOLDER = Path(reconciler.emulator.__file__).parent
EDGES = {"__init__", "breakpoints", "storage", "state_file", "http_server", "seed", "server"}
CORE = sorted(path for path in FOLDER.glob("*.py") if path.stem not in EDGES)
IMPURE = {
    "sqlite3",
    "os",
    "io",
    "time",
    "random",
    "socket",
    "threading",
    "http",
    "pathlib",
    "datetime",
}


@pytest.mark.parametrize("path", CORE, ids=lambda path: path.stem)
def test_the_core_is_pure(path):
    """It imports nothing that could reach out, and none of the modules that do."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            names = {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            names = {(node.module or "").split(".")[0]} | {a.name for a in node.names}
        else:
            continue
        assert not names & (EDGES if isinstance(node, ast.ImportFrom) and node.level else IMPURE)
