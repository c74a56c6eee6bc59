"""Convert the errors of jsonschema to one violation per path.

This is the only module that imports jsonschema.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from jsonschema import Draft202012Validator, validators

from .schema_messages import Violation
from .yaml.parsed_file import Path

_extend: Any = validators.extend  # without annotations
_VALIDATOR = _extend(
    Draft202012Validator,
    # JSON Schema accepts 1.0 as an integer.
    type_checker=Draft202012Validator.TYPE_CHECKER.redefine(
        "integer", lambda _, value: isinstance(value, int) and not isinstance(value, bool)
    ),
)


def find_violations(value: Any, schema: dict[str, Any], most: int) -> dict[Path, Violation]:
    """Find the first violation of each path, for a schema without references.

    The number of paths is limited, so that a file that consists of errors does not take minutes.
    """
    found: dict[Path, Violation] = {}
    for error in _VALIDATOR(schema).iter_errors(value):
        for violation in _split(error):
            found.setdefault(violation.path, violation)
        if len(found) >= most:
            break
    return found


def _split(error: Any) -> Iterator[Violation]:
    """Convert an error; unknown, missing and invalid keys have a path of their own each."""
    keyword, keys = error.validator, []
    if "propertyNames" in error.absolute_schema_path:
        keyword, keys = "propertyNames", [error.instance]
    elif keyword == "required":
        keys = [name for name in error.validator_value if name not in error.instance]
    elif keyword == "additionalProperties":
        keys = [name for name in error.instance if name not in error.schema["properties"]]
    path = tuple(error.absolute_path)
    for at in [(*path, key) for key in keys] or [path]:
        yield Violation(at, keyword, error.validator_value, error.instance, error.schema)
