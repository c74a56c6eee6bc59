"""Diagnostics of a change."""

from __future__ import annotations

from ..diagnostics.diagnostic import Diagnostic, Rule
from ..model.change import Change


def diagnose(change: Change, rule: Rule, message: str, hint: str = "") -> Diagnostic:
    """Return a diagnostic with the event_name of a change and the location of its declaration."""
    return rule(message, change.location, hint, change.event_name)
