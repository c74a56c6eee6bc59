"""Shell-style patterns of event_names: `owns`, `protect`, `ignore` and `--only`."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from fnmatch import fnmatchcase


def matches(event_name: str, patterns: Iterable[str]) -> bool:
    """Whether a name fits one of some patterns; case counts."""
    return any(fnmatchcase(event_name, pattern) for pattern in patterns)


def fits(event_name: str, only: Collection[str]) -> bool:
    """Whether a run that was narrowed to some patterns looks at a name; none leave it whole."""
    return not only or matches(event_name, only)
