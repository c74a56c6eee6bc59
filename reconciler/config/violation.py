"""A violation of a schema, before it becomes a diagnostic."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from .yaml.document import Path
from .yaml.source_text import clip


@dataclass(frozen=True, slots=True)
class Violation:
    """The keyword that a value violates, the wanted value, and the schema around the keyword."""

    path: Path
    keyword: str
    wanted: Any
    value: Any
    schema: Mapping[str, Any]

    @property
    def name(self) -> str:
        """The name of the value in messages."""
        match self.path:
            case ():
                return "the file"
            case (*_, str(parent), int(index)):
                return f"item {index + 1} of `{clip(parent)}`"
        return f"`{clip(str(self.path[-1]))}`"
