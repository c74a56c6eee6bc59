"""Recognise valid values without importing jsonschema.

Importing jsonschema takes half as long as the whole of `validate`, so it is imported only to
report errors. The schemas remain the only description of the format: this module compiles them,
and leaves values with a keyword that it does not support to jsonschema. Tests compare both on
generated values.

fastjsonschema is no alternative: importing it and compiling both schemas takes 3.8 times as long as
`python -c pass`, it does not support Draft 2020-12, and it accepts 1.0 as an integer.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from types import UnionType
from typing import Any

_Holds = Callable[[Any], bool]

_TYPES: dict[str, type | UnionType] = {
    "object": dict,
    "array": list,
    "string": str,
    "boolean": bool,
    "integer": int,
    "number": int | float,
    "null": type(None),
}
_SIMPLE: dict[str, type] = {"object": dict, "array": list, "string": str}
_IGNORED = {
    *("$schema", "$id", "title", "description", "examples", "default"),
    *("patternErrorMessage", "x-stripe-enum", "else"),
    *("x-read-only", "x-foreign-keys", "x-foreign-values"),
}


class Recognizer:
    """Recognises the values that are certainly valid by a schema without references.

    Each part of the schema is compiled when a value is first compared with it.
    """

    __slots__ = ("_checks", "_kind", "_schema")

    def __init__(self, schema: dict[str, Any]) -> None:
        self._schema = schema
        self._kind = _SIMPLE.get(str(schema.get("type")), object)
        self._checks: tuple[_Holds, ...] | None = None

    def __call__(self, value: Any) -> bool:
        """Whether a value is certainly valid."""
        if not isinstance(value, self._kind):
            return False
        checks = self._checks
        if checks is None:
            checks = self._checks = tuple(self._compile())
        for holds in checks:
            if not holds(value):
                break
        else:
            return True
        return False

    def _compile(self) -> Iterator[_Holds]:
        """Yield the checks of this part that apply to values of its type."""
        for keyword, wanted in self._schema.items():
            if keyword in _IGNORED or (keyword == "type" and self._kind is not object):
                continue
            applies_to, holds = _compile(keyword, wanted, self._schema)
            if applies_to in (object, self._kind):
                yield holds
            elif self._kind is object:
                yield _limit(applies_to, holds)


def is_valid(value: Any, schema: dict[str, Any]) -> bool:
    """Whether a value is certainly valid by a schema without references."""
    return Recognizer(schema)(value)


def _compile(keyword: str, wanted: Any, schema: dict[str, Any]) -> tuple[type | UnionType, _Holds]:
    if keyword not in _KEYWORDS:
        return object, lambda _: False
    applies_to, build = _KEYWORDS[keyword]
    return applies_to, build(wanted, schema)


def _limit(applies_to: type | UnionType, holds: _Holds) -> _Holds:
    return lambda value: not isinstance(value, applies_to) or holds(value)


def _build_type(wanted: str | list[str], _: Any) -> _Holds:
    if isinstance(wanted, list):
        every = [_build_type(one, None) for one in wanted]
        return lambda value: any(holds(value) for holds in every)
    kind = _TYPES[wanted]
    if wanted in ("integer", "number"):
        return lambda value: isinstance(value, kind) and not isinstance(value, bool)
    return lambda value: isinstance(value, kind)


def _build_const(wanted: Any, _: Any) -> _Holds:
    return lambda value: (
        isinstance(value, bool) == isinstance(wanted, bool) and bool(value == wanted)
    )


def _build_if(wanted: dict[str, Any], schema: dict[str, Any]) -> _Holds:
    either, other = Recognizer(wanted), Recognizer(schema["else"])
    return lambda value: either(value) or other(value)


def _build_all(wanted: list[dict[str, Any]], _: Any) -> _Holds:
    every = [Recognizer(one) for one in wanted]
    return lambda value: all(holds(value) for holds in every)


def _build_pattern(wanted: str, _: Any) -> _Holds:
    search = re.compile(wanted).search
    return lambda value: search(value) is not None


def _build_properties(wanted: dict[str, Any], _: Any) -> _Holds:
    inner = {name: Recognizer(schema) for name, schema in wanted.items()}

    def holds(value: dict[str, Any]) -> bool:
        for name, item in value.items():
            check = inner.get(name)
            if check and not check(item):
                return False
        return True

    return holds


def _build_other_properties(wanted: Any, schema: dict[str, Any]) -> _Holds:
    known = schema.get("properties", {}).keys()
    if wanted is False:
        return lambda value: value.keys() <= known
    holds = Recognizer(wanted)
    return lambda value: (
        value.keys() <= known
        or all(holds(item) for name, item in value.items() if name not in known)
    )


def _build_required(names: list[str], _: Any) -> _Holds:
    wanted = frozenset(names)
    return lambda value: value.keys() >= wanted


def _build_items(wanted: dict[str, Any], _: Any) -> _Holds:
    holds = Recognizer(wanted)
    return lambda value: all(map(holds, value))


def _is_unique(value: list[Any]) -> bool:
    """Whether all differ; of mappings only where their values are strings too."""
    items = [tuple(sorted(each.items())) if isinstance(each, dict) else each for each in value]
    texts = (part for each in items for part in (each if isinstance(each, tuple) else [each]))
    plain = all(isinstance(text[1] if isinstance(text, tuple) else text, str) for text in texts)
    return plain and len(set(items)) == len(items)


_KEYWORDS: dict[str, tuple[type | UnionType, Callable[[Any, dict[str, Any]], _Holds]]] = {
    "type": (object, _build_type),
    "const": (object, _build_const),
    "enum": (object, lambda wanted, _: lambda value: value in wanted),
    "if": (object, _build_if),
    "allOf": (object, _build_all),
    "pattern": (str, _build_pattern),
    "minLength": (str, lambda least, _: lambda value: len(value) >= least),
    "maxLength": (str, lambda most, _: lambda value: len(value) <= most),
    "minimum": (int | float, lambda least, _: lambda value: value >= least),
    "maximum": (int | float, lambda most, _: lambda value: value <= most),
    "exclusiveMinimum": (int | float, lambda least, _: lambda value: value > least),
    "items": (list, _build_items),
    "minItems": (list, lambda least, _: lambda value: len(value) >= least),
    "uniqueItems": (list, lambda _, __: _is_unique),
    "required": (dict, _build_required),
    "properties": (dict, _build_properties),
    "additionalProperties": (dict, _build_other_properties),
    "propertyNames": (dict, _build_items),
    "minProperties": (dict, lambda least, _: lambda value: len(value) >= least),
}
