"""Match patterns of meter files: `**` matches any number of folders, dotfiles only by name."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from fnmatch import fnmatchcase

DEFAULT = ("**/*.yaml", "**/*.yml")


def matches(path: str, pattern: str) -> bool:
    """Whether a path within the project, with `/` as separator, matches a pattern."""
    segments = pattern.split("/")
    return len(segments) in _after(path, segments)


def may_lead(folder: str, pattern: str) -> bool:
    """Whether a path below a folder of the project ("" for its root) could match a pattern."""
    segments = pattern.split("/")
    return any(at < len(segments) for at in _after(folder, segments))


def _after(path: str, segments: Sequence[str]) -> set[int]:
    """Advance through a pattern by the parts of a path, at all positions at once: without
    backtracking, no pattern is slow."""
    states = _skipped({0}, segments)
    for part in path.split("/") if path else ():
        states = _skipped({after for at in states for after in _step(at, part, segments)}, segments)
    return states


def _step(at: int, part: str, segments: Sequence[str]) -> Iterable[int]:
    if at == len(segments):
        return
    segment = segments[at]
    if part.startswith(".") and not segment.startswith("."):
        return
    if segment == "**":
        yield at
        if at == len(segments) - 1:
            yield at + 1
    elif fnmatchcase(part, segment):
        yield at + 1


def _skipped(states: set[int], segments: Sequence[str]) -> set[int]:
    """Add the states after each `**` that matches no folder."""
    for at, segment in enumerate(segments):
        if segment == "**" and at in states and at + 1 < len(segments):
            states.add(at + 1)
    return states
