"""How bad a difference is, on the one scale that plan and drift share (design, section 4)."""

from __future__ import annotations

from ..model.change import Action, Change, Severity
from ..model.meter import Status
from ..model.price import unaccepted_prices


def severity(change: Change) -> Severity:
    """REVENUE where usage is being lost, HIGH where a person has to act, LOW for the rest."""
    wanted = change.desired is not None and change.desired.status == Status.ACTIVE
    if wanted and not any(meter.active for meter in change.existing_meters):
        return Severity.REVENUE
    if change.action.stops and unaccepted_prices(change.prices, change.desired):
        return Severity.REVENUE
    match change.action:
        case Action.BLOCKED | Action.REPLACE:
            return Severity.HIGH
        case Action.UNMANAGED if change.prices:
            return Severity.HIGH
        case Action.UPDATE | Action.DEACTIVATE | Action.UNMANAGED:
            return Severity.LOW
    return Severity.NONE
