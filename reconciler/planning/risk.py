"""How bad a difference is, on the one scale that plan and drift share (design, section 4)."""

from __future__ import annotations

from ..model.change import Action, Change, Severity
from ..model.meter import Status
from ..model.price import unaccepted


def severity(line: Change) -> Severity:
    """REVENUE where usage is being lost, HIGH where a person has to act, LOW for the rest."""
    wanted = line.want is not None and line.want.status == Status.ACTIVE
    if wanted and not any(meter.active for meter in line.live):
        return Severity.REVENUE
    if line.action.stops and unaccepted(line.prices, line.want):
        return Severity.REVENUE
    match line.action:
        case Action.BLOCKED | Action.REPLACE:
            return Severity.HIGH
        case Action.UNMANAGED if line.prices:
            return Severity.HIGH
        case Action.UPDATE | Action.DEACTIVATE | Action.UNMANAGED:
            return Severity.LOW
    return Severity.NONE
