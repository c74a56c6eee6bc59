"""Strict parameters: each endpoint lists what it takes, anything else is refused as Stripe does.

Source: the request schemas of Stripe's specification, all with additionalProperties: false.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from msgspec import Struct

from ..errors import RequestError

_INDEX = re.compile(r"\d{0,4}", re.ASCII)


class Param(Struct, frozen=True, kw_only=True):
    """One parameter: whether it is required, and how its raw value is parsed."""

    required: bool = False

    def _parse(self, name: str, raw: Any) -> Any:
        raise NotImplementedError


Shape = dict[str, Param]


class Text(Param, frozen=True):
    """A string of 1 to `longest` characters."""

    longest: int

    def _parse(self, name: str, raw: Any) -> str:
        value = _get_scalar(name, raw, "string")
        if not value:
            raise RequestError.invalid(
                name,
                f"You passed an empty string for '{name}'. We assume empty values are an attempt "
                f"to unset a parameter; however '{name}' cannot be unset. You should remove "
                f"'{name}' from your request or supply a non-empty value.",
                "parameter_invalid_empty",
            )
        if len(value) > self.longest:
            short = value if len(value) < 30 else f"{value[:10]}...{value[-10:]}"
            text = f"Invalid string: {short}; must be at most {self.longest} characters"
            raise RequestError.invalid(name, text)
        return value


class Choice(Param, frozen=True):
    """One of these words; of an open enumeration any word, which its call has to check."""

    values: tuple[str, ...]
    is_open: bool = False

    def _parse(self, name: str, raw: Any) -> str:
        value = _get_scalar(name, raw, "string")
        if not self.is_open or not re.fullmatch(r"\w{1,100}", value, re.ASCII):
            check_choice(name, value, self.values)
        return value


class Whole(Param, frozen=True):
    """An integer within bounds."""

    least: int | None = None
    most: int | None = None

    def _parse(self, name: str, raw: Any) -> int:
        value, code = _get_scalar(name, raw, "integer"), "parameter_invalid_integer"
        if not re.fullmatch(r"-?\d{1,15}", value, re.ASCII):
            raise RequestError.invalid(name, f"Invalid integer: {value}", code)
        number = int(value)
        check_bounds(name, number, self.least, self.most)
        return number


class DecimalText(Param, frozen=True):
    """A decimal string of at most 12 places, as `unit_amount_decimal` takes it."""

    def _parse(self, name: str, raw: Any) -> str:
        value = _get_scalar(name, raw, "decimal")
        if not re.fullmatch(r"\d{1,15}(\.\d{1,12})?", value, re.ASCII):
            raise RequestError.invalid(name, f"Invalid decimal: {value}")
        return value


class Flag(Param, frozen=True):
    """`true` or `false`."""

    def _parse(self, name: str, raw: Any) -> bool:
        value = _get_scalar(name, raw, "boolean")
        if value not in ("true", "false"):
            raise RequestError.invalid(name, f"Invalid boolean: {value}")
        return value == "true"


class Texts(Param, frozen=True):
    """An array of strings, written with `[]` or with indexes."""

    longest: int = 5000
    most: int = 100

    def _parse(self, name: str, raw: Any) -> list[str]:
        if not isinstance(raw, dict) or not all(_INDEX.fullmatch(k) for k in raw):
            raise RequestError.invalid(name, "Invalid array")
        indexed = [raw[k] for k in sorted((k for k in raw if k), key=int)]
        one = Text(self.longest)
        values = [one._parse(f"{name}[{n}]", v) for n, v in enumerate([*indexed, *raw.get("", [])])]
        if len(values) > self.most:
            text = f"Array {name} exceeded maximum {self.most} allowed elements."
            raise RequestError.invalid(name, text)
        return values


class Expand(Param, frozen=True):
    """An `expand[]` of fields that the specification lists; most need no expansion."""

    fields: tuple[str, ...]

    def _parse(self, name: str, raw: Any) -> list[str]:
        values = Texts()._parse(name, raw)
        for value in values:
            if value not in self.fields:
                inside = f"data.{value}" in self.fields
                hint = f" You may want to try expanding 'data.{value}' instead." if inside else ""
                text = f"This property cannot be expanded ({value}).{hint}"
                raise RequestError.invalid(name, text)
        return values


class Nested(Param, frozen=True):
    """A hash with a shape of its own."""

    shape: Shape

    def _parse(self, name: str, raw: Any) -> dict[str, Any]:
        if not isinstance(raw, dict):
            raise RequestError.invalid(name, "Invalid object")
        return parse_params(self.shape, raw, name)


class Metadata(Param, frozen=True):
    """Free names of at most 40 characters, with values of at most 500.

    An empty value removes its name, and stays; an empty text removes all of them, and is None.
    """

    def _parse(self, name: str, raw: Any) -> dict[str, str] | None:
        if raw == "":
            return None
        if not isinstance(raw, dict) or any(not k or len(k) > 40 for k in raw):
            raise RequestError.invalid(name, "Invalid object")
        value = Text(500)
        return {key: each and value._parse(f"{name}[{key}]", each) for key, each in raw.items()}


class Period(Param, frozen=True):
    """A filter on a time: one moment, or bounds `gt`, `gte`, `lt`, `lte`, in Unix seconds."""

    def _parse(self, name: str, raw: Any) -> dict[str, int]:
        if isinstance(raw, str):
            moment = Whole()._parse(name, raw)
            return {"gte": moment, "lte": moment}
        return Nested(dict.fromkeys(("gt", "gte", "lt", "lte"), Whole()))._parse(name, raw)


def parse_params(shape: Shape, raw: Mapping[str, Any], within: str = "") -> dict[str, Any]:
    """Parse the given parameters; raises RequestError for the first wrong one."""
    named = {name: f"{within}[{name}]" if within else name for name in (*raw, *shape)}
    unknown = [named[name] for name in raw if name not in shape]
    if unknown:
        many = "s" if len(unknown) > 1 else ""
        text = f"Received unknown parameter{many}: {', '.join(unknown)}"
        raise RequestError.invalid(unknown[0], text, "parameter_unknown")
    for name, param in shape.items():
        if param.required and name not in raw:
            text = f"Missing required param: {named[name]}."
            raise RequestError.invalid(named[name], text, "parameter_missing")
    return {name: shape[name]._parse(named[name], raw[name]) for name in raw}


def check_choice(name: str, value: str, values: tuple[str, ...]) -> None:
    """Raise RequestError for a word that is not one of these."""
    if value not in values:
        *others, last = values
        listed = f"{', '.join(others)} or {last}" if others else last
        raise RequestError.invalid(name, f"Invalid {name}: must be one of {listed}")


def check_bounds(name: str, number: int, least: int | None, most: int | None) -> None:
    """Raise RequestError for an integer out of its bounds."""
    code = "parameter_invalid_integer"
    if least is not None and number < least:
        text = f"This value must be greater than or equal to {least}."
        raise RequestError.invalid(name, text, code)
    if most is not None and number > most:
        text = f"This value must be less than or equal to {most}."
        raise RequestError.invalid(name, text, code)


def check_exclusive(params: Mapping[str, Any], one: str, other: str) -> None:
    """Raise RequestError when two parameters that exclude each other are both given."""
    if one in params and other in params:
        text = f"Received both {one} and {other} parameters. Please pass in only one."
        raise RequestError.invalid(one, text, "parameters_exclusive")


def _get_scalar(name: str, raw: Any, kind: str) -> str:
    if not isinstance(raw, str):
        raise RequestError.invalid(name, f"Invalid {kind}: expected a single value")
    return raw
