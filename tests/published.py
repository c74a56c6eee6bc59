"""Validate JSON output against the published schemas, without unknown keys."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

from jsonschema_rs import Draft202012Validator, meta

SCHEMAS = Path(__file__).parents[1] / "schemas"
_OWN = (
    "list",
    "compare",
    "import",
    "init",
    "ready",
    "generate",
    "publish",
    "explain",
    "emulate",
    "history",
    "doctor",
)


def held(text: str) -> dict[str, Any]:
    """Parse a JSON document, and check that its schema names every key."""
    document: dict[str, Any] = json.loads(text)
    began = "summary" not in document
    name = document["command"] if document["command"] in _OWN and began else "report"
    _validator(name).validate(document)
    return document


@cache
def _validator(name: str) -> Draft202012Validator:
    schema = json.loads((SCHEMAS / f"{name}.schema.json").read_text("utf-8"))
    meta.validate(schema)
    return Draft202012Validator(_closed(schema))


def _closed(node: Any) -> Any:
    """Return a schema that rejects unknown keys where it does not allow them explicitly."""
    if isinstance(node, list):
        return [_closed(item) for item in node]
    if not isinstance(node, dict):
        return node
    closed = {key: _closed(value) for key, value in node.items()}
    return ({"additionalProperties": False} if node.get("type") == "object" else {}) | closed
