"""What a schema and a value disagree about."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from .yaml.document import Path
from .yaml.source_text import clip


@dataclass(frozen=True, slots=True)
class Violation:
    """What a keyword of a schema wanted, of which value, and the schema around it."""

    path: Path
    keyword: str
    wanted: Any
    value: Any
    schema: Mapping[str, Any]

    @property
    def name(self) -> str:
        """The value's name in messages."""
        match self.path:
            case ():
                return "the file"
            case (*_, str(parent), int(index)):
                return f"entry {index + 1} of `{clip(parent)}`"
        return f"`{clip(str(self.path[-1]))}`"
