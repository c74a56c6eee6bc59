"""Globs of event_names: `owns`, `protect`, `ignore` and `--only`."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from fnmatch import fnmatchcase


def matches(event_name: str, patterns: Iterable[str]) -> bool:
    """Whether an event_name matches any of the globs; matching is case-sensitive."""
    return any(fnmatchcase(event_name, pattern) for pattern in patterns)


def fits(event_name: str, only: Collection[str]) -> bool:
    """Whether `--only` selects an event_name; without a glob, it selects all."""
    return not only or matches(event_name, only)
