"""The modules of the emulator have no effects, except for those listed here."""

import ast
from pathlib import Path

import reconciler.emulator

FOLDER = Path(reconciler.emulator.__file__).parent
EDGES = {
    "__init__",
    "breakpoints",
    "control",
    "open_state",
    "state_file",
    "http_server",
    "seed",
    "server",
}
IMPURE = {
    *("sqlite3", "os", "io", "time", "random", "socket"),
    *("threading", "http", "pathlib", "datetime"),
}


def test_the_other_modules_import_nothing_that_has_effects():
    offenders = []
    for path in FOLDER.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            names = {a.name for a in getattr(node, "names", ()) if isinstance(a, ast.alias)}
            if isinstance(node, ast.ImportFrom):
                module = (node.module or "").split(".")
                names = {module[-1], *names} if node.level else {module[0]}
            if path.stem not in EDGES and names & (EDGES | IMPURE):
                offenders.append((path.stem, names))
    assert offenders == []
