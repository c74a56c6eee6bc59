"""Hints for what is pasted from elsewhere: objects of the API, Terraform, names of other APIs.

The schemas hold the facts: `x-read-only` lists the keys that only Stripe sets, `x-foreign-keys` and
`x-foreign-values` say what to write instead of a name that belongs to another API.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from .schema_fast_path import is_valid

_HCL = re.compile(r'[a-z_]+\s*=\s|(?:resource|provider)\s+"')
_LONGEST = 100  # characters of a value that a hint repeats


def find_key_hint(word: str, schema: Mapping[str, Any]) -> str | None:
    """Return what to write instead of an unknown key that belongs to another API."""
    return _look_up("x-foreign-keys", word, schema)


def find_value_hint(word: str, schema: Mapping[str, Any]) -> str | None:
    """Return what to write instead of an unknown value that belongs to another API."""
    return _look_up("x-foreign-values", word, schema)


def find_shape_hint(name: str | int | None, value: Any, schema: Mapping[str, Any]) -> str | None:
    """Return how to write a value that needs, or has, one level of nesting more than given."""
    if isinstance(value, str) and _HCL.match(value):
        return "write `key: value`; `key = value` and `resource` blocks are HCL"
    for key, inner in schema.get("properties", {}).items():
        given = value[0].get(key) if _is_block(value) else value
        if isinstance(given, str) and (hint := find_value_hint(given, inner)):
            return hint
    written = next((write_flow(shape) for shape in _reshape(value, schema)), "")
    if not 0 < len(written) <= _LONGEST:
        return None
    return f"write `{name}: {written}`" if isinstance(name, str) else f"write `{written}`"


def write_flow(value: Any) -> str:
    """Write a value as YAML on one line."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key}: {write_flow(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(write_flow, value)) + "]"
    if isinstance(value, str) and value.isidentifier() and value.isascii():
        return value
    return json.dumps(value, ensure_ascii=False)


def _is_block(value: Any) -> bool:
    """Whether a value is a list of one mapping, as Terraform writes a block."""
    return isinstance(value, list) and len(value) == 1 and isinstance(value[0], dict)


def _reshape(value: Any, schema: Mapping[str, Any]) -> Iterator[Any]:
    """List the shapes of a value that the schema may accept."""
    kind = schema.get("type")
    if isinstance(kind, list):
        for each in kind:
            yield from _reshape(value, {**schema, "type": each})
        return
    match kind, value:
        case "object", [block] if _is_block(value):
            yield block
        case "object", str() | list():
            wrapped = ({key: value} for key in schema.get("properties", {}))
            yield from (shape for shape in wrapped if is_valid(shape, dict(schema)))
        case "array", str() | dict() if is_valid([value], dict(schema)):
            yield [value]


def _look_up(keyword: str, word: str, schema: Mapping[str, Any]) -> str | None:
    hints: Mapping[str, str] = schema.get(keyword, {})
    return hints.get(word.strip().lower())
