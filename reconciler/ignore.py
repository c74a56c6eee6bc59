"""What a project file lets an audit overlook, and until when."""

from __future__ import annotations

from dataclasses import dataclass

from .problem import Location


@dataclass(frozen=True, slots=True, kw_only=True)
class Ignore:
    """A rule of the project file: findings of one kind that do not count until a date.

    `event_name` is a shell-style pattern, `kind` a word of `drift.Kind`, `until` the last day
    (UTC) on which the rule holds, as YYYY-MM-DD.
    """

    event_name: str
    kind: str
    reason: str
    until: str
    owner: str | None = None
    where: Location | None = None
