"""The catalogue of diagnostics, for `explain` and the documentation: most runs do without it."""

from __future__ import annotations

from .codes import (
    adoption,
    applying,
    codegen,
    config,
    drift,
    environment,
    fleet,
    guards,
    journal,
    planning,
    publishing,
    readiness,
    service,
    usage,
)
from .diagnostic import Rule

_MODULES = (
    config,
    adoption,
    usage,
    service,
    planning,
    guards,
    applying,
    fleet,
    drift,
    readiness,
    codegen,
    publishing,
    journal,
    environment,
)


def _collect_rules() -> dict[str, Rule]:
    """Return the rules by code; raise ValueError for a code of two rules."""
    found: dict[str, Rule] = {}
    for rule in (each for module in _MODULES for each in vars(module).values()):
        if isinstance(rule, Rule) and found.setdefault(rule.code, rule) is not rule:
            raise ValueError(f"{rule.code} is the code of two rules")
    return found


CATALOGUE = _collect_rules()
