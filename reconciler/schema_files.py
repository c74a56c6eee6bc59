"""The published JSON Schemas, found in the wheel as well as in a checkout."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

# The wheel carries them inside the package, a checkout and an editable install beside it.
_FOLDERS = (Path(__file__).parent / "schemas", Path(__file__).parents[1] / "schemas")


@cache
def read_schema(name: str) -> dict[str, Any]:
    """The JSON Schema of `meters`, `project` or `report` files; callers must not change it."""
    paths = (folder / f"{name}.schema.json" for folder in _FOLDERS)
    path = next(path for path in paths if path.is_file())
    schema: dict[str, Any] = json.loads(path.read_text("utf-8"))
    return schema
