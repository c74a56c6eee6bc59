"""Match patterns of meter files: `**` matches any number of folders, dotfiles only by name."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from fnmatch import fnmatchcase

DEFAULT = ("**/*.yaml", "**/*.yml")


def matches(path: str, pattern: str, *, any_case: bool = False) -> bool:
    """Whether a path within the project, with `/` as separator, matches a pattern."""
    segments = pattern.split("/")
    return len(segments) in _advance(path, segments, any_case=any_case)


def is_usual(path: str) -> bool:
    """Whether the default patterns match a path within the project."""
    return any(matches(path, pattern) for pattern in DEFAULT)


def may_lead(folder: str, pattern: str, *, any_case: bool = False) -> bool:
    """Whether a path below a folder of the project could match a pattern."""
    segments = pattern.split("/")
    return any(at < len(segments) for at in _advance(folder, segments, any_case=any_case))


def _advance(path: str, segments: Sequence[str], *, any_case: bool) -> set[int]:
    """Return the positions in a pattern after a path.

    All positions are followed at once, without backtracking, so that no pattern is slow.
    """
    match = _match_in_any_case if any_case else fnmatchcase
    positions = {0}
    for part in path.split("/"):
        positions = {after for at in positions for after in _match_part(part, segments, at, match)}
    return positions


def _match_in_any_case(part: str, segment: str) -> bool:
    """Match without regard to case, unless the segment itself distinguishes it: `[A-Z]*`."""
    folded = (part, segment) if "[" in segment else (part.casefold(), segment.casefold())
    return fnmatchcase(*folded)


def _match_part(
    part: str, segments: Sequence[str], at: int, match: Callable[[str, str], bool]
) -> Iterator[int]:
    """List the positions after one part of a path; `**` also matches no part at all."""
    for position in range(at, len(segments)):
        segment = segments[position]
        hidden = part.startswith(".") and not segment.startswith(".")
        if segment != "**":
            if not hidden and match(part, segment):
                yield position + 1
            return
        if not hidden:
            yield position
            if position == len(segments) - 1:
                yield position + 1
