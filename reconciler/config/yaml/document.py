"""A parsed YAML file: plain values, and the location of each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from yaml import Mark

from ...diagnostics.diagnostic import Diagnostic, Location

Path = tuple[str | int, ...]
Span = tuple[Mark, Mark]


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """A parsed file; locations are kept beside the values, by path, so that values stay plain.

    `words` holds the plain scalars that some YAML parser does not read as a string, as written,
    and `loose_keys` such keys. `aliases` maps the path of an alias to the path of its anchor.
    """

    file: str
    value: Any
    places: Mapping[Path, Span]
    keys: Mapping[Path, Span]
    words: Mapping[Path, str]
    loose_keys: Mapping[Path, str]
    aliases: Mapping[Path, Path]
    diagnostics: tuple[Diagnostic, ...] = ()

    def location(self, path: Path) -> Location:
        """Locate a value, or the nearest value around it."""
        steps = self._followed(path)
        while steps not in self.places:
            steps = steps[:-1]
        return locate(self.file, self.places[steps])

    def key_location(self, path: Path) -> Location:
        """Locate the key of a value; without one, the value."""
        span = self.keys.get(self._followed(path))
        return locate(self.file, span) if span else self.location(path)

    def head(self, path: Path) -> Location:
        """Locate the first key of a mapping, to point at the mapping as a whole."""
        around = self.location(path)
        value = self.value
        for step in path:
            value = value[step]
        first = self.key_location((*path, next(iter(value)))) if value else around
        return first if (first.line, first.column) == (around.line, around.column) else around

    def _followed(self, path: Path) -> Path:
        """Resolve a path inside an alias to the path at the anchor."""
        for length in range(len(path) - 1, 0, -1):
            if anchor := self.aliases.get(path[:length]):
                return self._followed(anchor + path[length:])
        return path


def locate(file: str, span: Span) -> Location:
    """Convert two marks of the parser, counted from 0, to a location, counted from 1."""
    start, end = span
    return Location(file, start.line + 1, start.column + 1, end.line + 1, end.column + 1)
