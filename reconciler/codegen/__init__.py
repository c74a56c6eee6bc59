"""Generate constants and builders of usage events for application code."""

from __future__ import annotations

from importlib import import_module

from ..report.generated import CodeMeter

SUFFIXES = {
    ".py": "python",
    ".ts": "typescript",
    ".go": "go",
    ".json": "json",
    ".env": "env",
}
"""The language of a file, by the end of its name."""

LANGUAGES = tuple(SUFFIXES.values())
"""The name of each language is that of its module; it has `generate(meters)`."""


def generate(meters: tuple[CodeMeter, ...], language: str) -> str:
    """Return the source code for these meters, sorted by event_name, as its formatter leaves it."""
    write = import_module(f".{language}", __package__).generate
    text: str = write(tuple(sorted(meters, key=lambda meter: meter.event_name)))
    return text
