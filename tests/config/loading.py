"""Write files into a folder, load it, and return what was reported."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from reconciler.config import load
from reconciler.diagnostics.diagnostic import Diagnostic
from reconciler.diagnostics.errors import ConfigError

METERS = """\
version: 1
meters:
  - {event_name: a, display_name: A, default_aggregation: {formula: sum}}
"""


def write(folder: Path, files: Mapping[str, str | bytes]) -> Path:
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return folder


def diagnose(path: Path | str, files: Mapping[str, str | bytes] | None = None) -> list[Diagnostic]:
    """Return the diagnostics of a folder with these files, or of a path."""
    if files:
        write(Path(path), files)
    try:
        return list(load(path).diagnostics)
    except ConfigError as error:
        return list(error.diagnostics)


def places(
    path: Path | str, files: Mapping[str, str | bytes] | None = None
) -> list[tuple[str, int, int]]:
    """Return the code, line and column of every diagnostic."""
    return [(p.code, p.location.line, p.location.column) for p in diagnose(path, files)]
