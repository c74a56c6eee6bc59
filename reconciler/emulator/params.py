"""Strict parameters: every endpoint says what it takes, anything else is refused as Stripe does.

Source: the request schemas of Stripe's specification, all with additionalProperties: false.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from .errors import RequestError

_INDEX = re.compile(r"\d{0,4}", re.ASCII)

Check = Callable[[str, Any], Any]
"""Turns the raw value of the parameter of this name into what the endpoint works with."""


@dataclass(frozen=True, slots=True)
class Param:
    """One parameter: how its value is read, and whether it must be there."""

    check: Check
    required: bool = False


Shape = dict[str, Param]


def checked(shape: Shape, raw: Mapping[str, Any], within: str = "") -> dict[str, Any]:
    """The parameters that were given, read; raises RequestError for the first wrong one."""
    named = {name: f"{within}[{name}]" if within else name for name in (*raw, *shape)}
    unknown = [named[name] for name in raw if name not in shape]
    if unknown:
        many = "s" if len(unknown) > 1 else ""
        text = f"Received unknown parameter{many}: {', '.join(unknown)}"
        raise RequestError(400, text, "parameter_unknown", unknown[0])
    for name, param in shape.items():
        if param.required and name not in raw:
            text = f"Missing required param: {named[name]}."
            raise RequestError(400, text, "parameter_missing", named[name])
    return {name: shape[name].check(named[name], raw[name]) for name in raw}


def text(longest: int) -> Check:
    """A string of 1 to `longest` characters."""

    def check(name: str, raw: Any) -> str:
        value = _scalar(name, raw, "string")
        if not value:
            raise RequestError(
                400,
                f"You passed an empty string for '{name}'. We assume empty values are an attempt "
                f"to unset a parameter; however '{name}' cannot be unset. You should remove "
                f"'{name}' from your request or supply a non-empty value.",
                "parameter_invalid_empty",
                name,
            )
        if len(value) > longest:
            short = value if len(value) < 30 else f"{value[:10]}...{value[-10:]}"
            raise RequestError(
                400, f"Invalid string: {short}; must be at most {longest} characters", None, name
            )
        return value

    return check


def choice(*values: str) -> Check:
    """One of these words."""

    def check(name: str, raw: Any) -> str:
        value = _scalar(name, raw, "string")
        if value not in values:
            listed = values[0] if len(values) == 1 else f"{', '.join(values[:-1])} or {values[-1]}"
            raise RequestError(400, f"Invalid {name}: must be one of {listed}", None, name)
        return value

    return check


def whole(least: int | None = None, most: int | None = None) -> Check:
    """An integer within bounds."""

    def check(name: str, raw: Any) -> int:
        value = _scalar(name, raw, "integer")
        if not re.fullmatch(r"-?\d{1,15}", value, re.ASCII):
            raise RequestError(400, f"Invalid integer: {value}", "parameter_invalid_integer", name)
        number = int(value)
        if least is not None and number < least:
            text = f"This value must be greater than or equal to {least}."
            raise RequestError(400, text, "parameter_invalid_integer", name)
        if most is not None and number > most:
            text = f"This value must be less than or equal to {most}."
            raise RequestError(400, text, "parameter_invalid_integer", name)
        return number

    return check


def decimal(name: str, raw: Any) -> str:
    """A decimal string of at most 12 places, as `unit_amount_decimal` takes it."""
    value = _scalar(name, raw, "decimal")
    if not re.fullmatch(r"\d{1,15}(\.\d{1,12})?", value, re.ASCII):
        raise RequestError(400, f"Invalid decimal: {value}", None, name)
    return value


def flag(name: str, raw: Any) -> bool:
    """`true` or `false`."""
    value = _scalar(name, raw, "boolean")
    if value not in ("true", "false"):
        raise RequestError(400, f"Invalid boolean: {value}", None, name)
    return value == "true"


def texts(longest: int, most: int = 100) -> Check:
    """An array of strings, written with `[]` or with indexes."""
    one = text(longest)

    def check(name: str, raw: Any) -> list[str]:
        if not isinstance(raw, dict) or not all(_INDEX.fullmatch(k) for k in raw):
            raise RequestError(400, "Invalid array", None, name)
        indexed = [raw[k] for k in sorted((k for k in raw if k), key=int)]
        values = [one(f"{name}[{n}]", v) for n, v in enumerate([*indexed, *raw.get("", [])])]
        if len(values) > most:
            raise RequestError(
                400, f"Array {name} exceeded maximum {most} allowed elements.", None, name
            )
        return values

    return check


def expand(*fields: str) -> Check:
    """An `expand[]` of fields that the specification lists; most are there already."""
    several = texts(5000)

    def check(name: str, raw: Any) -> list[str]:
        values: list[str] = several(name, raw)
        for value in values:
            if value not in fields:
                raise RequestError(400, f"This property cannot be expanded ({value}).", None, name)
        return values

    return check


def nest(shape: Shape) -> Check:
    """A hash with a shape of its own."""

    def check(name: str, raw: Any) -> dict[str, Any]:
        if not isinstance(raw, dict):
            raise RequestError(400, "Invalid object", None, name)
        return checked(shape, raw, name)

    return check


def pairs(name: str, raw: Any) -> dict[str, str]:
    """Metadata: up to 50 free names of at most 40 characters, values of at most 500."""
    if not isinstance(raw, dict) or len(raw) > 50 or any(not k or len(k) > 40 for k in raw):
        raise RequestError(400, "Invalid object", None, name)
    return {key: text(500)(f"{name}[{key}]", value) for key, value in raw.items()}


def span(name: str, raw: Any) -> dict[str, int]:
    """A filter on a time: one moment, or bounds `gt`, `gte`, `lt`, `lte`, in Unix seconds."""
    if isinstance(raw, str):
        moment = whole()(name, raw)
        return {"gte": moment, "lte": moment}
    bounds: dict[str, int] = nest({b: Param(whole()) for b in ("gt", "gte", "lt", "lte")})(
        name, raw
    )
    return bounds


def exclusive(params: Mapping[str, Any], one: str, other: str) -> None:
    """Raise RequestError when two parameters that rule each other out are both given."""
    if one in params and other in params:
        text = f"Received both {one} and {other} parameters. Please pass in only one."
        raise RequestError(400, text, "parameters_exclusive", one)


def _scalar(name: str, raw: Any, kind: str) -> str:
    """A plain value; raises RequestError for a hash or an array."""
    if not isinstance(raw, str):
        raise RequestError(400, f"Invalid {kind}: expected a single value", None, name)
    return raw
