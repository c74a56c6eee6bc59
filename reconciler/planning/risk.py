"""What applying a change could cost."""

from __future__ import annotations

from ..model.change import Action, Change, Risk


def risk(change: Change) -> Risk:
    """Return the risk of a change by itself; a create that looks like a rename is raised later."""
    if change.action.deactivates and change.existing:
        used = any(price.meter == change.existing.id for price in change.prices)
        return Risk.REVENUE if used else Risk.HIGH
    return Risk.LOW if change.action is Action.REACTIVATE else Risk.NONE
