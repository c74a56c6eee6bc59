"""The parameters that only calls on usage take."""

from __future__ import annotations

from typing import Any

from ..errors import RequestError
from ..requests.params import Param, Shape, Texts, parse_params
from .moments import parse_moment

LONGEST_VALUE = 100
"""Characters that a value of a payload may have."""

_KINDS = {dict: "map", list: "list", bool: "bool", int: "number", float: "number"}


class Payload(Param, frozen=True):
    """The payload of an event: free names, with strings as values."""

    def _parse(self, name: str, raw: Any) -> dict[str, str]:
        if not isinstance(raw, dict):
            raise RequestError.invalid(name, "Invalid object")
        for key, value in raw.items():
            place = f"{name}[{key}]"
            if not key or not isinstance(value, str):
                kind = _KINDS.get(type(value), "list")
                raise RequestError.invalid(place, f"{place}: value is not a string (Kind: {kind})")
            if len(value) > LONGEST_VALUE:
                text = f"Invalid string: {place} must be at most {LONGEST_VALUE} characters"
                raise RequestError.invalid(place, text)
        return raw


class Moment(Param, frozen=True):
    """A time in the form of RFC 3339, as Unix seconds."""

    def _parse(self, name: str, raw: Any) -> float:
        moment = parse_moment(raw) if isinstance(raw, str) else None
        if moment is None:
            text = f"Invalid timestamp for {name}: must be RFC 3339, such as 2026-09-30T12:00:00Z"
            raise RequestError.invalid(name, text)
        return moment


class Objects(Param, frozen=True):
    """A JSON array of 1 to `most` objects."""

    shape: Shape
    most: int

    def _parse(self, name: str, raw: Any) -> list[dict[str, Any]]:
        if not isinstance(raw, dict) or set(raw) != {""}:
            raise RequestError.invalid(name, f"Invalid array: {name}")
        if not 1 <= len(raw[""]) <= self.most:
            raise RequestError.invalid(name, f"{name} must have 1 to {self.most} elements.")
        for n, each in enumerate(raw[""]):
            if not isinstance(each, dict) or "" in each:
                raise RequestError.invalid(f"{name}[{n}]", f"Invalid object: {name}[{n}]")
        return [parse_params(self.shape, each, f"{name}[{n}]") for n, each in enumerate(raw[""])]


class TextList(Texts, frozen=True):
    """An array of strings in a query, in which one element alone is not marked as one."""

    def _parse(self, name: str, raw: Any) -> list[str]:
        return Texts._parse(self, name, {"": [raw]} if isinstance(raw, str) else raw)
