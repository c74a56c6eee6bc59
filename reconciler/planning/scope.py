"""Select the part of an account that a run evaluates."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from ..model.match import MeterMatch
from ..model.pattern import fits
from ..model.project import Project


@dataclass(frozen=True, slots=True)
class Scope:
    """The part of an account that a run evaluates: event_names that match a glob, or all.

    A narrowed run does not evaluate undeclared meters.
    """

    only: tuple[str, ...] = ()
    narrowed: bool = False

    def narrow_to(self, project: Project) -> Scope:
        """Return the scope, narrowed if only a part of the project was read or globs are given."""
        return replace(self, narrowed=self.narrowed or project.narrowed or bool(self.only))


EVERYTHING = Scope()


def select_in_scope(names: Iterable[MeterMatch], scope: Scope) -> tuple[MeterMatch, ...]:
    """Return the event_names to evaluate; a narrowed run leaves out undeclared ones."""
    return tuple(
        each
        for each in names
        if (each.desired or not scope.narrowed) and fits(each.event_name, scope.only)
    )
