"""The catalogue of diagnostics: every code that a user can meet, for `explain` and the README.

Letters: Y reading YAML, C configuration, U usage, S Stripe's answers and the network,
P planning, G guards, A applying, D drift, J the journal, E this machine (files, emulator).
"""

from __future__ import annotations

from ..problem import Rule
from . import applying, config, drift, environment, guards, journal, planning, service, usage

_MODULES = (config, usage, service, planning, guards, applying, drift, journal, environment)

CATALOGUE: dict[str, Rule] = {
    rule.code: rule
    for module in _MODULES
    for rule in vars(module).values()
    if isinstance(rule, Rule)
}
