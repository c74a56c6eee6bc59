"""Find the declaration of one event_name in an earlier version of a meter file."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from ..diagnostics.errors import ConfigError
from .meter_file import merged
from .yaml import reader as yamltree

_ONE_WAY = re.compile(
    r"[A-Za-z0-9_.-]+"
)  # in YAML, only a `\` allows another spelling of such a name


def entry(data: bytes, event_name: str) -> Mapping[str, Any] | None:
    """Find the entry of an event_name, merged over the defaults of its file, as plain values.

    The entry need not be valid. None if there is none, or if the file is not a meter file.
    """
    if _ONE_WAY.fullmatch(event_name) and b"\\" not in data and event_name.encode() not in data:
        return None  # without parsing the file
    try:
        value = yamltree.read(data, "").value
    except ConfigError:
        return None
    meters = value.get("meters") if isinstance(value, dict) else None
    for found in meters if isinstance(meters, list) else ():
        if isinstance(found, dict) and found.get("event_name") == event_name:
            defaults = value.get("defaults")
            return merged(defaults, found) if isinstance(defaults, dict) else found
    return None
