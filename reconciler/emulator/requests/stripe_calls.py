"""The calls that Stripe has: what is not emulated is not confused with what does not exist."""

from __future__ import annotations

import re
from functools import cache
from importlib.resources import files

_ID = r"[^/]{1,5000}"


def is_call(method: str, path: str) -> bool:
    """Return whether Stripe has this call, emulated or not."""
    literal, patterns = _read_calls()
    if path in literal:
        return method in literal[path]
    return any(method in methods and each.fullmatch(path) for each, methods in patterns)


def is_fixed_path(path: str) -> bool:
    """Return whether a path has no id in it, as `/v1/prices/search`."""
    return path in _read_calls()[0]


@cache
def _read_calls() -> tuple[dict[str, list[str]], list[tuple[re.Pattern[str], list[str]]]]:
    """Read the methods of each path, by the path itself and by the pattern of one with ids."""
    literal, patterns = {}, []
    text = files(__package__).joinpath("stripe_calls.txt").read_text("utf-8")
    for line in text.splitlines():
        path, *methods = line.split()
        if path == "#":
            continue
        if "{}" in path:
            patterns.append((re.compile(_ID.join(map(re.escape, path.split("{}")))), methods))
        else:
            literal[path] = methods
    return literal, patterns
