"""What a difference costs, on the one scale that plan and drift share (design, section 4)."""

from __future__ import annotations

from .model import Action, Change, Severity, Status


def severity(line: Change) -> Severity:
    """REVENUE where usage is being lost, HIGH where a person has to act, LOW for the rest."""
    wanted = line.want is not None and line.want.status == Status.ACTIVE
    if wanted and not any(meter.active for meter in line.live):
        return Severity.REVENUE
    match line.action:
        case Action.BLOCKED | Action.REPLACE:
            return Severity.HIGH
        case Action.UNMANAGED | Action.DEACTIVATE if line.want is None and line.prices:
            return Severity.HIGH
        case Action.UPDATE | Action.DEACTIVATE | Action.UNMANAGED:
            return Severity.LOW
    return Severity.NONE


def weight(degree: Severity) -> int:
    """Where a severity stands on the scale; what is worse weighs more."""
    return list(Severity).index(degree)
