"""A parsed YAML file: plain values, and the location of each."""

from __future__ import annotations

from typing import Any

from msgspec import Struct
from yaml import Mark

from ...diagnostics.diagnostic import Diagnostic, Location

Path = tuple[str | int, ...]
Span = tuple[Mark, Mark]


class ParsedFile(Struct, frozen=True, kw_only=True):
    """The value of a YAML file; locations are kept beside the values, by path.

    `words` holds the plain scalars that some YAML parser does not read as a string, as written,
    and `loose_keys` such keys. `blocks` holds the indicator (`|` or `>`) of each block scalar,
    `escaped` the text of each scalar with escape sequences as it is between its double quotes.
    `aliases` maps the path of an alias to the path of its anchor.
    """

    file: str
    value: Any = None
    places: dict[Path, Span] = {}
    keys: dict[Path, Span] = {}
    words: dict[Path, str] = {}
    loose_keys: dict[Path, str] = {}
    blocks: dict[Path, str] = {}
    escaped: dict[Path, str] = {}
    aliases: dict[Path, Path] = {}
    diagnostics: list[Diagnostic] = []

    def get(self, path: Path) -> Any:
        """Return the value at an existing path."""
        value = self.value
        for step in path:
            value = value[step]
        return value

    def locate(self, path: Path) -> Location:
        """Locate a value, or the nearest value around it."""
        steps = self._follow(path)
        while steps not in self.places:
            steps = steps[:-1]
        return convert_span(self.file, self.places[steps])

    def find_block(self, path: Path) -> str | None:
        """Return the indicator of a block scalar; None for every other value."""
        return self.blocks.get(self._follow(path))

    def find_escaped(self, path: Path) -> str | None:
        """Return a scalar with escape sequences as it is written; None for every other value."""
        return self.escaped.get(self._follow(path))

    def locate_key(self, path: Path) -> Location:
        """Locate the key of a value; without one, the value."""
        span = self.keys.get(self._follow(path))
        return convert_span(self.file, span) if span else self.locate(path)

    def locate_head(self, path: Path) -> Location:
        """Locate the first key of a mapping, to point at the mapping as a whole."""
        around, value = self.locate(path), self.get(path)
        first = self.locate_key((*path, next(iter(value)))) if value else around
        return first if (first.line, first.column) == (around.line, around.column) else around

    def _follow(self, path: Path) -> Path:
        """Resolve a path inside an alias to the path at the anchor."""
        for length in range(len(path) - 1, 0, -1):
            if anchor := self.aliases.get(path[:length]):
                return self._follow(anchor + path[length:])
        return path


def convert_span(file: str, span: Span) -> Location:
    """Convert two marks of the parser, counted from 0, to a location, counted from 1."""
    start, end = span
    return Location(file, start.line + 1, start.column + 1, end.line + 1, end.column + 1)
