"""Diagnostics of a change, and of the overrides that a declared value comes from."""

from __future__ import annotations

from ..diagnostics.diagnostic import Diagnostic, Rule
from ..model.change import Change
from ..model.meter import Unreadable
from ..model.project import MeterConfig


def diagnose(change: Change, rule: Rule, message: str, hint: str = "") -> Diagnostic:
    """Return a diagnostic with the event_name of a change and the location of its declaration."""
    return rule(message, change.location, hint, change.event_name)


def report_unreadable(rule: Rule, unreadable: Unreadable) -> Diagnostic:
    """Return the diagnostic that the key lacks a permission, which it names."""
    return rule(f"{rule.title} (permission: {unreadable.permission})")


def note_override(desired: MeterConfig, *paths: str) -> str:
    """Return where one of these settings is overridden, in parentheses after a space, if any is."""
    location = desired.find_override(*paths)
    return f" (override at {location})" if location else ""
