"""The part of an account that a run evaluates."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from ..model.match import MeterMatch
from ..model.pattern import fits
from ..model.project import Project


@dataclass(frozen=True, slots=True)
class Scope:
    """What part of an account a run looks at: names that fit a pattern, or everything.

    A narrowed run never judges absence.
    """

    only: tuple[str, ...] = ()
    narrowed: bool = False

    def within(self, project: Project) -> Scope:
        """Narrowed as well where only a part of the project was read, or patterns are given."""
        return replace(self, narrowed=self.narrowed or project.narrowed or bool(self.only))


EVERYTHING = Scope()


def in_scope(names: Iterable[MeterMatch], scope: Scope) -> tuple[MeterMatch, ...]:
    """The names to judge; a narrowed run leaves out what no file declares."""
    return tuple(
        each
        for each in names
        if (each.desired or not scope.narrowed) and fits(each.event_name, scope.only)
    )
