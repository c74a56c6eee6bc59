"""Form encoding as v1 reads it: `default_aggregation[formula]=sum`, `expand[]=a`, `types[0]=b`."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any
from urllib.parse import unquote_to_bytes

from ..errors import RequestError
from ..messages import Request
from .v2_parameters import name_arrays, parse_json

DEEPEST = 8

_FORM = "application/x-www-form-urlencoded"

_KEY = re.compile(r"([^\[\]]+)((?:\[[^\[\]]*\])*)")
_STEP = re.compile(r"\[([^\[\]]*)\]")

Tree = dict[str, Any]


def check_content_type(request: Request, needed: str) -> None:
    """Raise RequestError (400) for a POST to v1 that is no form, or does not say what it is.

    `needed` is the setting `content_type`.
    """
    given = request.headers.get("content-type", "").split(";")[0].strip().lower()
    if request.method != "POST" or request.is_v2 or given == _FORM:
        return
    if given or needed == "required" or (request.body and needed == "body"):
        raise RequestError.wrong_content_type(is_missing=not given)


def parse_parameters(request: Request) -> Tree:
    """Parse the query of a request and, for a POST, its form.

    Raises RequestError (400) for text that is not UTF-8 or that nests one name in two ways.
    """
    tree: Tree = {}
    query = name_arrays(request.query) if request.is_v2 else request.query
    _fill(tree, query.encode("latin-1", "replace"))
    if request.is_v2 and request.method == "POST":
        return tree | parse_json(request)
    if request.method == "POST":
        _fill(tree, request.body)
    return tree


def encode_form(params: Mapping[str, Any]) -> Tree:
    """Convert parameters to those of a form: strings, also for numbers and booleans."""
    return {name: _encode(value) for name, value in params.items()}


def _encode(value: Any) -> Any:
    if isinstance(value, Mapping):
        return encode_form(value)
    if isinstance(value, list | tuple):
        return {"": [_encode(each) for each in value]}
    return str(value).lower() if isinstance(value, bool) else str(value)


def _fill(tree: Tree, text: bytes) -> None:
    for pair in filter(None, text.split(b"&")):
        name, _, value = pair.partition(b"=")
        _put(tree, _split_name(name), _decode(value))


def _decode(text: bytes) -> str:
    try:
        return unquote_to_bytes(text.replace(b"+", b" ")).decode("utf-8")
    except UnicodeDecodeError:
        raise RequestError(400, "Invalid request: parameters must be valid UTF-8.") from None


@lru_cache(maxsize=500)  # nearly every request has the same few
def _split_name(text: bytes) -> Sequence[str]:
    """Split `a[b][]` into its names; one with unbalanced brackets is a plain name."""
    name = _decode(text)
    found = _KEY.fullmatch(name)
    steps = (found[1], *_STEP.findall(found[2])) if found else (name,)
    if len(steps) > DEEPEST:
        raise RequestError(400, f"Invalid request: parameter {steps[0]} is nested too deeply.")
    return steps


def _put(tree: Tree, steps: Sequence[str], value: str) -> None:
    """Store one value; `[]` appends under the empty name, of a plain name the last value wins.

    `a[][b]` is in the last hash of the array, until that has a `b`.
    """
    *outer, last = steps
    held: Any = tree
    for n, step in enumerate(outer):
        held = held.setdefault(step, {}) if step else _find_open_hash(held, steps[n + 1 :])
        if not isinstance(held, dict):
            break
    if not isinstance(held, dict) or isinstance(_find_last(held, last), dict):
        text = f"Invalid request: {steps[0]} is given both as a value and as a hash."
        raise RequestError(400, text)
    if last:
        held[last] = value
    else:
        held.setdefault("", []).append(value)


def _find_open_hash(tree: Tree, steps: Sequence[str]) -> Any:
    """Return the last hash of an array, or a new one where that has a value of this name."""
    hashes: list[Any] = tree.setdefault("", [])
    if not hashes or (isinstance(hashes[-1], dict) and _has(hashes[-1], steps)):
        hashes.append({})
    return hashes[-1]


def _has(tree: Any, steps: Sequence[str]) -> bool:
    *outer, last = steps
    for step in outer:
        tree = tree.get(step) if isinstance(tree, dict) else None
    return isinstance(tree, dict) and last != "" and last in tree


def _find_last(tree: Tree, name: str) -> Any:
    """Return what a value of this name would replace, or follow in its array."""
    return tree.get(name) if name else next(iter(tree.get("", [])[-1:]), None)
