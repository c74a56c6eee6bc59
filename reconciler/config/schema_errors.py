"""Convert the errors of jsonschema to one violation per path.

This is the only module that imports jsonschema.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from jsonschema import Draft202012Validator, ValidationError, validators

from .violation import Violation
from .yaml.document import Path


def violations(value: Any, schema: dict[str, Any], most: int) -> dict[Path, Violation]:
    """Find the first violation of each path, for a schema without references.

    Unknown and missing keys have paths of their own. The number of paths is limited, so that a
    file that consists of errors does not take minutes.
    """
    found: dict[Path, Violation] = {}
    for error in _KIND(schema).iter_errors(value):
        found.setdefault(tuple(error.absolute_path), _violation(error))
        if len(found) == most:
            break
    return found


def _violation(error: Any) -> Violation:
    of_a_key = "propertyNames" in error.absolute_schema_path
    keyword = "propertyNames" if of_a_key else error.validator
    path = tuple(error.absolute_path)
    return Violation(path, keyword, error.validator_value, error.instance, error.schema)


def _required(_: Any, names: Any, instance: Any, __: Any) -> Iterator[ValidationError]:
    """Report each missing key, at the path where it belongs."""
    if isinstance(instance, dict):
        for name in names:
            if name not in instance:
                yield ValidationError("missing", path=[name])


def _additional_properties(
    validator: Any, others: Any, instance: Any, schema: Any
) -> Iterator[ValidationError]:
    """Report each unknown key, at its own path."""
    if not isinstance(instance, dict):
        return
    known = schema.get("properties", {})
    for name in (name for name in instance if name not in known):
        if others is False:
            yield ValidationError("unknown", path=[name])
        else:
            yield from validator.descend(instance[name], others, path=name)


def _property_names(validator: Any, names: Any, instance: Any, _: Any) -> Iterator[ValidationError]:
    """Report an invalid key at its own path."""
    if isinstance(instance, dict):
        for name in instance:
            yield from validator.descend(name, names, path=name)


def _pattern(_: Any, pattern: str, instance: Any, __: Any) -> Iterator[ValidationError]:
    """Match `$` only at the very end, as in JavaScript, not before a final line break."""
    if isinstance(instance, str) and not re.search(re.sub(r"\$$", r"\\Z", pattern), instance):
        yield ValidationError("malformed")


def _is_integer(_: Any, value: Any) -> bool:
    """Reject 1.0, which JSON Schema accepts as an integer."""
    return isinstance(value, int) and not isinstance(value, bool)


_extend: Any = validators.extend  # without annotations
_KIND = _extend(
    Draft202012Validator,
    {
        "required": _required,
        "additionalProperties": _additional_properties,
        "propertyNames": _property_names,
        "pattern": _pattern,
    },
    type_checker=Draft202012Validator.TYPE_CHECKER.redefine("integer", _is_integer),
)
