"""Recognise valid values without importing jsonschema.

Importing jsonschema takes half as long as the whole of `validate`, so it is imported only to
report errors. The schemas remain the only description of the format: this module interprets them,
and leaves values with a keyword that it does not support to jsonschema. Tests compare both on
generated values.

fastjsonschema is no alternative: importing it and compiling both schemas takes 3.8 times as long as
`python -c pass`, it does not support Draft 2020-12, and it accepts 1.0 as an integer.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from types import UnionType
from typing import Any

_Check = Callable[[Any, Any, dict[str, Any]], bool]

_TYPES: dict[str, type | UnionType] = {
    "object": dict,
    "array": list,
    "string": str,
    "integer": int,
    "number": int | float,
    "null": type(None),
}
_IGNORED = {
    *("$schema", "$id", "title", "description", "examples", "default"),
    *("patternErrorMessage", "x-stripe-enum", "else"),
    *("x-read-only", "x-foreign-keys", "x-foreign-values"),
}


def is_valid(value: Any, schema: dict[str, Any]) -> bool:
    """Whether a value is certainly valid by a schema without references."""
    for keyword, wanted in schema.items():
        if keyword in _IGNORED:
            continue
        if keyword not in _CHECKS:
            return False
        applies_to, holds = _CHECKS[keyword]
        if isinstance(value, applies_to) and not holds(value, wanted, schema):
            return False
    return True


def _check_type(value: Any, wanted: str | list[str], _: Any) -> bool:
    if isinstance(wanted, list):
        return any(_check_type(value, one, None) for one in wanted)
    if isinstance(value, bool) or wanted == "boolean":
        return wanted == "boolean" and isinstance(value, bool)
    return isinstance(value, _TYPES[wanted])


def _check_const(value: Any, wanted: Any, _: Any) -> bool:
    return isinstance(value, bool) == isinstance(wanted, bool) and bool(value == wanted)


def _check_properties(value: dict[str, Any], wanted: dict[str, Any], _: Any) -> bool:
    return all(is_valid(value[name], schema) for name, schema in wanted.items() if name in value)


def _check_other_properties(value: dict[str, Any], wanted: Any, schema: dict[str, Any]) -> bool:
    others = [name for name in value if name not in schema.get("properties", {})]
    return not others if wanted is False else all(is_valid(value[name], wanted) for name in others)


def _check_unique(value: list[Any], _: Any, __: Any) -> bool:
    """Whether all differ; of mappings only where their values are strings too."""
    items = [tuple(sorted(each.items())) if isinstance(each, dict) else each for each in value]
    texts = (part for each in items for part in (each if isinstance(each, tuple) else [each]))
    plain = all(isinstance(text[1] if isinstance(text, tuple) else text, str) for text in texts)
    return plain and len(set(items)) == len(items)


_CHECKS: dict[str, tuple[type | UnionType, _Check]] = {
    "type": (object, _check_type),
    "const": (object, _check_const),
    "enum": (object, lambda value, wanted, _: value in wanted),
    "if": (
        object,
        lambda value, if_, schema: is_valid(value, if_) or is_valid(value, schema["else"]),
    ),
    "allOf": (object, lambda value, every, _: all(is_valid(value, one) for one in every)),
    "pattern": (str, lambda value, wanted, _: bool(re.search(wanted, value))),
    "minLength": (str, lambda value, least, _: len(value) >= least),
    "maxLength": (str, lambda value, most, _: len(value) <= most),
    "minimum": (int | float, lambda value, least, _: value >= least),
    "maximum": (int | float, lambda value, most, _: value <= most),
    "exclusiveMinimum": (int | float, lambda value, least, _: value > least),
    "items": (list, lambda value, item, _: all(is_valid(one, item) for one in value)),
    "minItems": (list, lambda value, least, _: len(value) >= least),
    "uniqueItems": (list, _check_unique),
    "required": (dict, lambda value, names, _: all(name in value for name in names)),
    "properties": (dict, _check_properties),
    "additionalProperties": (dict, _check_other_properties),
    "propertyNames": (dict, lambda value, name, _: all(is_valid(key, name) for key in value)),
    "minProperties": (dict, lambda value, least, _: len(value) >= least),
}
