"""What an earlier version of a meter file said of one name, however wrong the rest of it is."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from ..diagnostics.errors import ConfigError
from .meter_file import merged
from .yaml import reader as yamltree

_ONE_WAY = re.compile(r"[A-Za-z0-9_.-]+")  # YAML can write such a name differently with a \ only


def entry(data: bytes, event_name: str) -> Mapping[str, Any] | None:
    """The entry of a name over the defaults of its file, as plain values; None without one.

    Nothing is judged: an entry that was never valid is told all the same. A file that is not
    YAML, or not of meters, declares nothing.
    """
    if _ONE_WAY.fullmatch(event_name) and b"\\" not in data and event_name.encode() not in data:
        return None  # before the whole of it is read
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
