"""Decode JSON data into the structs that it was made from."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from enum import Enum
from functools import cache
from types import NoneType
from typing import Any, get_args, get_origin, get_type_hints

from msgspec import StructMeta, ValidationError, convert
from msgspec.structs import fields


class DecodeError(ValueError):
    """The data does not have the expected type; the message says where."""


def decode(kind: Any, data: Any, path: str = "", *, tolerant: bool = False) -> Any:
    """Return data as a `kind`: a struct, an enum, a tuple, an optional or a plain value.

    Objects must have exactly the fields of their struct; with `tolerant`, unknown keys are
    ignored, and a missing one has the default of its field. Raises DecodeError.
    """
    if tolerant:
        with suppress(ValidationError):  # else what follows says where it is invalid
            return convert(data, kind)
    return _decode(kind, data, path, tolerant=tolerant)


def _decode(kind: Any, data: Any, path: str, *, tolerant: bool) -> Any:
    origin, args = get_origin(kind), get_args(kind)
    if kind is Any or (data is None and NoneType in args):
        return data
    if NoneType in args:
        one = next(arg for arg in args if arg is not NoneType)
        return _decode(one, data, path, tolerant=tolerant)
    if origin is tuple and isinstance(data, list):
        return tuple(
            _decode(args[0], item, f"{path}[{n}]", tolerant=tolerant) for n, item in enumerate(data)
        )
    if origin is Mapping and isinstance(data, dict):
        return data
    if isinstance(kind, StructMeta) and isinstance(data, dict):
        return _decode_fields(kind, data, path, tolerant=tolerant)
    if isinstance(kind, type) and issubclass(kind, Enum) and data in [*kind]:
        return kind(data)
    if type(data) is kind:
        return data
    raise DecodeError(f"{path or 'the file'}: invalid value")


def _decode_fields(kind: Any, data: Mapping[str, Any], path: str, *, tolerant: bool) -> Any:
    hints, prefix = _type_hints(kind), f"{path}." if path else ""
    optional = _list_defaulted(kind) if tolerant else frozenset()
    for name in sorted(hints.keys() ^ data.keys()):
        if name in hints and name not in optional:
            raise DecodeError(f"missing key {prefix}{name}")
        if name in data and not tolerant:
            raise DecodeError(f"unknown key {prefix}{name}")
    return kind(
        **{
            name: _decode(hint, data[name], prefix + name, tolerant=tolerant)
            for name, hint in hints.items()
            if name in data
        }
    )


@cache
def _list_defaulted(kind: Any) -> frozenset[str]:
    """Return the fields of a struct that may be left out."""
    return frozenset(each.name for each in fields(kind) if not each.required)


_type_hints = cache(get_type_hints)
