"""Reading JSON that a person wrote: fill in what is left out, and say where it is wrong."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from .errors import SeedError
from .messages import Json

REQUIRED = object()


@dataclass(frozen=True, slots=True)
class Field:
    """One field: which values fit, how to say so, and what stands for it when it is left out."""

    fits: Callable[[Any], bool]
    what: str
    default: Any = REQUIRED


Fields = Mapping[str, "Field | Fields"]


def read(fields: Fields, given: Any, at: str) -> Json:
    """All fields of an object, defaults filled in; raises SeedError with the place `at.name`."""
    if not isinstance(given, Mapping):
        raise SeedError(f"{at}: must be an object")
    for name in given:
        if name not in fields:
            raise SeedError(f"{at}.{name}: is not known here; known are {', '.join(fields)}")
    return {name: _value(field, name, given, f"{at}.{name}") for name, field in fields.items()}


def objects(given: Mapping[str, Any], name: str) -> list[Any]:
    """The array of a name, empty when it is left out."""
    found = given.get(name, [])
    if not isinstance(found, list):
        raise SeedError(f"{name}: must be an array")
    return found


def text(longest: int, default: Any = REQUIRED) -> Field:
    """A string of 1 to `longest` characters."""
    return Field(
        lambda value: isinstance(value, str) and 0 < len(value) <= longest,
        f"must be a string of 1 to {longest} characters",
        default,
    )


def choice(*values: str | None, default: Any = REQUIRED) -> Field:
    """One of these words."""
    words = ", ".join("null" if value is None else value for value in values)
    return Field(lambda value: value in values, f"must be one of {words}", default)


def count(default: Any = REQUIRED) -> Field:
    """A whole number from 0: an amount, or a time in Unix seconds."""
    return Field(
        lambda value: type(value) is int and value >= 0, "must be a whole number from 0", default
    )


def flag(default: Any = REQUIRED) -> Field:
    """True or false."""
    return Field(lambda value: isinstance(value, bool), "must be true or false", default)


def _value(field: Field | Fields, name: str, given: Mapping[str, Any], at: str) -> Any:
    """One field's value; what is null and may be left out counts as left out."""
    if not isinstance(field, Field):
        return read(field, given.get(name, {}), at)
    if name not in given:
        if field.default is REQUIRED:
            raise SeedError(f"{at}: is missing")
        return field.default
    value = given[name]
    if not field.fits(value) and not (value is None and field.default is None):
        raise SeedError(f"{at}: {value!r} {field.what}")
    return value
