"""Decode JSON data into the dataclasses that it was made from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import is_dataclass
from enum import Enum
from functools import cache
from types import NoneType
from typing import Any, get_args, get_origin, get_type_hints


class DecodeError(ValueError):
    """The data does not have the expected type; the message says where."""


def decode(kind: Any, data: Any, path: str = "") -> Any:
    """Return data as a `kind`: a dataclass, an enum, a tuple, an optional or a plain value.

    Objects must have exactly the fields of their dataclass. Raises DecodeError.
    """
    origin, args = get_origin(kind), get_args(kind)
    if kind is Any or (data is None and NoneType in args):
        return data
    if NoneType in args:
        return decode(next(arg for arg in args if arg is not NoneType), data, path)
    if origin is tuple and isinstance(data, list):
        return tuple(decode(args[0], item, f"{path}[{n}]") for n, item in enumerate(data))
    if origin is Mapping and isinstance(data, dict):
        return data
    if is_dataclass(kind) and isinstance(data, dict):
        return _decode_fields(kind, data, path)
    if isinstance(kind, type) and issubclass(kind, Enum) and data in [*kind]:
        return kind(data)
    if type(data) is kind:
        return data
    raise DecodeError(f"{path or 'the file'}: invalid value")


def _decode_fields(kind: Any, data: Mapping[str, Any], path: str) -> Any:
    hints, prefix = _type_hints(kind), f"{path}." if path else ""
    for name in sorted(hints.keys() ^ data.keys()):
        raise DecodeError(f"{'missing' if name in hints else 'unknown'} key {prefix}{name}")
    return kind(**{name: decode(hint, data[name], prefix + name) for name, hint in hints.items()})


_type_hints = cache(get_type_hints)
