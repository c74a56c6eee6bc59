"""Form encoding as v1 reads it: `default_aggregation[formula]=sum`, `expand[]=a`, `types[0]=b`."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote_to_bytes

from .errors import RequestError
from .messages import Request

DEEPEST = 8

_KEY = re.compile(r"([^\[\]]+)((?:\[[^\[\]]*\])*)")
_STEP = re.compile(r"\[([^\[\]]*)\]")

Tree = dict[str, Any]


def parse_parameters(request: Request) -> Tree:
    """Parse the query of a request and, for a POST, its form. JSON is ignored, as v1 does.

    Raises RequestError (400) for text that is not UTF-8 or that nests one name in two ways.
    """
    tree: Tree = {}
    _fill(tree, request.query.encode("latin-1", "replace"))
    kind = request.headers.get("content-type", "application/x-www-form-urlencoded")
    if request.method == "POST" and kind.split(";")[0].strip().lower() == (
        "application/x-www-form-urlencoded"
    ):
        _fill(tree, request.body)
    return tree


def to_form(params: Mapping[str, Any]) -> Tree:
    """Convert parameters to those of a form: hashes of strings, `true` and `false` among them."""
    return {name: _as_text(value) for name, value in params.items()}


def _as_text(value: Any) -> Any:
    if isinstance(value, Mapping):
        return to_form(value)
    if isinstance(value, list | tuple):
        return {"": [_as_text(each) for each in value]}
    return str(value).lower() if isinstance(value, bool) else str(value)


def _fill(tree: Tree, text: bytes) -> None:
    """Put each pair of an encoded form where its brackets say."""
    for pair in filter(None, text.split(b"&")):
        name, _, value = pair.partition(b"=")
        _put(tree, _split_name(_decode(name)), _decode(value))


def _decode(text: bytes) -> str:
    """Undo percent-encoding, strictly as UTF-8."""
    try:
        return unquote_to_bytes(text.replace(b"+", b" ")).decode("utf-8")
    except UnicodeDecodeError:
        raise RequestError(400, "Invalid request: parameters must be valid UTF-8.") from None


def _split_name(name: str) -> list[str]:
    """The names from the outside in; a name with unbalanced brackets is one plain name."""
    found = _KEY.fullmatch(name)
    steps = [found[1], *_STEP.findall(found[2])] if found else [name]
    if "" in steps[:-1]:
        raise RequestError(400, f"Invalid request: {steps[0]} is not an array of hashes.")
    if len(steps) > DEEPEST:
        raise RequestError(400, f"Invalid request: parameter {steps[0]} is nested too deeply.")
    return steps


def _put(tree: Tree, steps: list[str], value: str) -> None:
    """Store one value; `[]` appends under the empty name, a repeated plain name wins."""
    *outer, last = steps
    for step in outer:
        tree = tree.setdefault(step, {})
        if not isinstance(tree, dict):
            raise _two_ways(steps[0])
    if last == "":
        tree.setdefault("", []).append(value)
    elif isinstance(tree.get(last), dict):
        raise _two_ways(steps[0])
    else:
        tree[last] = value


def _two_ways(name: str) -> RequestError:
    return RequestError(400, f"Invalid request: {name} is given both as a value and as a hash.")
