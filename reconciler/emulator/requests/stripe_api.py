"""The calls and the versions that Stripe's API has, so that both can be told from what has none."""

from __future__ import annotations

import re
from functools import cache
from importlib.resources import files

_ID = r"[^/]{1,5000}"


def is_call(method: str, path: str) -> bool:
    """Return whether Stripe has this call, emulated or not."""
    if is_fixed_path(path):
        return method in _read_fixed_paths()[path]
    return any(method in methods and each.fullmatch(path) for each, methods in _read_patterns())


def is_fixed_path(path: str) -> bool:
    """Return whether a path has no id in it, as `/v1/prices/search`."""
    return path in _read_fixed_paths()


def is_version(text: str) -> bool:
    """Return whether Stripe has released this version; of previews only the form is known."""
    return text.endswith(".preview") or text in _read_lines("stripe_versions.txt")


@cache
def _read_fixed_paths() -> dict[str, list[str]]:
    """Read the methods of each path without an id."""
    lines = [line.split() for line in _read_lines("stripe_calls.txt") if "{}" not in line]
    return {path: methods for path, *methods in lines}


@cache
def _read_patterns() -> list[tuple[re.Pattern[str], list[str]]]:
    """Read the methods of each path with ids; only a call that is not emulated needs them."""
    lines = [line.split() for line in _read_lines("stripe_calls.txt") if "{}" in line]
    return [
        (re.compile(_ID.join(map(re.escape, path.split("{}")))), methods)
        for path, *methods in lines
    ]


@cache
def _read_lines(name: str) -> tuple[str, ...]:
    """Read the lines of a file beside this module, without its comments."""
    text = files(__package__).joinpath(name).read_text("utf-8")
    return tuple(line for line in text.splitlines() if not line.startswith("#"))
