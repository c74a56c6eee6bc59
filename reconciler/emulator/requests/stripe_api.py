"""The calls and the versions that Stripe's API has, so that both can be told from what has none."""

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


def is_version(text: str) -> bool:
    """Return whether Stripe has released this version; of previews only the form is known."""
    return text.endswith(".preview") or text in _read_lines("stripe_versions.txt")


@cache
def _read_calls() -> tuple[dict[str, list[str]], list[tuple[re.Pattern[str], list[str]]]]:
    """Read the methods of each path, by the path itself and by the pattern of one with ids."""
    literal, patterns = {}, []
    for line in _read_lines("stripe_calls.txt"):
        path, *methods = line.split()
        if "{}" in path:
            patterns.append((re.compile(_ID.join(map(re.escape, path.split("{}")))), methods))
        else:
            literal[path] = methods
    return literal, patterns


@cache
def _read_lines(name: str) -> tuple[str, ...]:
    """Read the lines of a file beside this module, without its comments."""
    text = files(__package__).joinpath(name).read_text("utf-8")
    return tuple(line for line in text.splitlines() if not line.startswith("#"))
