"""Parameters as API v2 takes them: JSON bodies, and arrays in a query as repeated names."""

from __future__ import annotations

import json
from collections import Counter
from typing import Any

from ..errors import RequestError
from ..messages import Request

_CONTENT_TYPE = "application/json"
_BRACKETS = ("]", "%5D", "%5d")


def parse_json(request: Request) -> dict[str, Any]:
    """Parse a JSON body to the tree that a form gives: an array has the empty name.

    Fields that are null count as absent. Raises RequestError (400) for another content type and
    for text that is not a JSON object.
    """
    if not request.body:
        return {}
    kind = request.headers.get("content-type", _CONTENT_TYPE).split(";")[0].strip().lower()
    if kind != _CONTENT_TYPE:
        text = f"Invalid request (check that your POST content type is {_CONTENT_TYPE})."
        raise RequestError(400, text, "invalid_fields")
    try:
        parsed = _convert(json.loads(request.body))
    except (ValueError, RecursionError):
        parsed = None
    if not isinstance(parsed, dict) or "" in parsed:
        text = "Invalid request: the body is not a JSON object."
        raise RequestError(400, text, "invalid_fields")
    return parsed


def _convert(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _convert(each) for name, each in value.items() if each is not None}
    return {"": [_convert(each) for each in value]} if isinstance(value, list) else value


def name_arrays(query: str) -> str:
    """Rewrite names that a query repeats, `a=1&a=2`, to those of an array, `a[]=1&a[]=2`."""
    pairs = [pair.partition("=") for pair in query.split("&")]
    count = Counter(name for name, _, _ in pairs)
    return "&".join(
        name + ("[]" if count[name] > 1 and not name.endswith(_BRACKETS) else "") + equals + value
        for name, equals, value in pairs
    )
