"""Select the part of an account that a run evaluates."""

from __future__ import annotations

from collections.abc import Iterable

from msgspec import Struct
from msgspec.structs import replace

from ..diagnostics.codes import planning as rules
from ..diagnostics.diagnostic import Diagnostic
from ..model.match import MeterMatch
from ..model.pattern import fits
from ..model.project import MeterConfig, Project


class Scope(Struct, frozen=True):
    """The part of an account that a run evaluates: globs of event_names, files, or all.

    A narrowed run does not evaluate undeclared meters.
    """

    only: tuple[str, ...] = ()
    files: frozenset[str] | None = None
    narrowed: bool = False

    def narrow_to(self, project: Project) -> Scope:
        """Return the scope, narrowed to the selected part of the project or if globs are given."""
        narrowed = self.narrowed or project.selected is not None or bool(self.only)
        return replace(self, files=project.selected, narrowed=narrowed)

    def includes(self, desired: MeterConfig) -> bool:
        """Whether a declaration is in the scope."""
        selected = self.files is None or not self.files.isdisjoint(desired.files)
        return selected and fits(desired.event_name, self.only)


EVERYTHING = Scope()


def select_in_scope(names: Iterable[MeterMatch], scope: Scope) -> tuple[MeterMatch, ...]:
    """Return the event_names to evaluate; a narrowed run leaves out undeclared ones."""
    return tuple(
        each
        for each in names
        if (scope.includes(each.desired) if each.desired else not scope.narrowed)
    )


def note_partial(what: str = "the account") -> Diagnostic:
    """Return the note that a narrowed run adds to its report."""
    message = (
        f"partial run: only a part of {what} was selected; undeclared meters were not evaluated"
    )
    return rules.PARTIAL(message)
