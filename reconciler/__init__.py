"""Declarative reconciler for Stripe billing meters.

    files ──config──▶ Declared ─┐
                                ├─diff─▶ Change ─guard─▶ Plan ──apply──▶ Outcome
    account ─stripe─▶ Live ─────┘            │                              │
                                             └──────────── Report ◀─────────┘
                                                             │
                                                          render ──▶ text, json, …

The same from Python, each name imported when it is first used:

    from reconciler import apply_plan, connect, load, make_plan

    project = load("billing/")
    with connect(project.accounts[0]) as session:
        planned = make_plan(project, session)
        report = apply_plan(planned, session)

`Meters` and `AsyncMeters` are the client underneath, usable on their own.
"""

from __future__ import annotations

from importlib import import_module

from ._version import __version__

TYPE_CHECKING = False  # type checkers take it for true; `typing` would take longer than the rest
if TYPE_CHECKING:
    from .config import load
    from .operations.apply_plan import apply_plan
    from .operations.detect_drift import detect_drift
    from .operations.make_plan import make_plan
    from .operations.session import connect
    from .stripe.async_client import AsyncMeters
    from .stripe.client import Meters

_HOMES = {
    "AsyncMeters": "stripe.async_client",
    "Meters": "stripe.client",
    "detect_drift": "operations.detect_drift",
    "apply_plan": "operations.apply_plan",
    "connect": "operations.session",
    "load": "config",
    "make_plan": "operations.make_plan",
}

__all__ = [
    "AsyncMeters",
    "Meters",
    "__version__",
    "apply_plan",
    "connect",
    "detect_drift",
    "load",
    "make_plan",
]


def __getattr__(name: str) -> object:
    """A public name, imported from its module on first use (PEP 562)."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
