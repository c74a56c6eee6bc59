"""What several documents have in common."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from msgspec import to_builtins

from ..._version import __version__
from ...diagnostics.diagnostic import Diagnostic, Location

FORMAT_VERSION = "1.0"


def build_head(command: str | None) -> dict[str, Any]:
    """Return what every document begins with."""
    tool = {"name": "reconciler", "version": __version__}
    return {"format_version": FORMAT_VERSION, "tool": tool, "command": command}


def pick(noun: object, *names: str) -> dict[str, Any]:
    """Return some attributes of an object."""
    return {name: getattr(noun, name) for name in names}


def list_diagnostics(diagnostics: Iterable[Diagnostic]) -> Iterator[dict[str, Any]]:
    """Yield diagnostics in their order."""
    return map(render_diagnostic, diagnostics)


def render_diagnostic(diagnostic: Diagnostic) -> dict[str, Any]:
    """Return one diagnostic."""
    return {
        **pick(diagnostic, "code", "level", "message"),
        "location": render_location(diagnostic.location),
        **pick(diagnostic, "hint", "event_name"),
    }


def render_location(location: Location | None) -> dict[str, Any] | None:
    """Return a location, or None."""
    return to_builtins(location) if location else None
