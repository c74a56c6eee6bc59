"""Declared meters that do not exist, while an undeclared one has a name that looks identical."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from ..diagnostics.codes.config import LOOKALIKE
from ..diagnostics.diagnostic import Diagnostic
from ..diagnostics.lookalikes import fold, tell_apart
from ..model.change import Action, Change
from ..model.match import MeterMatch
from ..model.meter import ExistingMeter, Status
from ..model.project import MeterConfig


def warn_of_lookalike_changes(changes: Iterable[Change]) -> Iterator[Diagnostic]:
    """Yield a warning for each meter to create, unless one about a rename names both."""
    every = [change for change in changes if not change.renamed_from]
    missing = [each.desired for each in every if each.desired and each.action is Action.CREATE]
    undeclared = [each.existing for each in every if each.existing and not each.desired]
    return _warn(missing, undeclared)


def warn_of_lookalikes(names: Iterable[MeterMatch]) -> Iterator[Diagnostic]:
    """Yield a warning for each declared meter that is missing."""
    every = list(names)
    missing = [each.desired for each in every if each.desired and not each.active]
    undeclared = [meter for each in every if not each.desired for meter in each.active]
    return _warn([each for each in missing if each.status is Status.ACTIVE], undeclared)


def _warn(
    missing: Iterable[MeterConfig], undeclared: Iterable[ExistingMeter]
) -> Iterator[Diagnostic]:
    alike = {fold(meter.event_name): meter for meter in undeclared if meter.active}
    for desired in missing:
        if meter := alike.get(fold(desired.event_name)):
            here, there = tell_apart(desired.event_name, meter.event_name)
            message = f"{desired.event_name!r}{here} looks like {meter.event_name!r}{there}, "
            message += f"which no file declares ({meter.id})"
            name = desired.event_name
            yield LOOKALIKE(message, desired.location, event_name=name)
