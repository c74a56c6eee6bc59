"""Declarative reconciler for Stripe billing meters.

    files ───config──▶ MeterConfig ───┐
                                      ├─match─▶ Change ─guards─▶ Plan ─apply─▶ ChangeResult
    account ─stripe──▶ ExistingMeter ─┘                            │                │
                                                                   └─── Report ◀────┘

What the command line does, from Python; each name is imported when it is first used:

    from reconciler import apply_plan, connect, detect_drift, load, make_plan

    project = load("billing/")                          # ConfigError: every error in the files
    with connect(project.accounts[0]) as session:       # AuthError: no usable key
        planned = make_plan(project, session)           # writes nothing
        report = apply_plan(planned, session)           # report.exit_code, report.changes
        audit = detect_drift(project, session)          # read-only

`Meters` and `AsyncMeters` are the API client, usable on its own, as are `MeterEvents` and
`MeterEventsV2` (and `Async…`), which send usage: each a `UsageEvent`. Every error is a
`ReconcilerError`: its `diagnostics` say what happened and what to do, its `exit_code` is the one
of the command line.
"""

from __future__ import annotations

from importlib import import_module

from ._version import __version__

TYPE_CHECKING = False  # type checkers take it for true; `typing` would take longer than the rest
if TYPE_CHECKING:
    from .config import load
    from .diagnostics.errors import (
        AuthError,
        ConfigError,
        ReconcilerError,
        RefusedError,
        ServiceError,
        StaleError,
        StoppedError,
        UsageError,
    )
    from .operations.apply_plan import apply_plan
    from .operations.detect_drift import detect_drift
    from .operations.make_plan import make_plan
    from .operations.session import connect
    from .stripe.async_client import AsyncMeters
    from .stripe.client import Meters
    from .stripe.usage.async_client import AsyncMeterEvents, AsyncMeterEventsV2
    from .stripe.usage.client import MeterEvents
    from .stripe.usage.objects import UsageEvent
    from .stripe.usage.v2_client import MeterEventsV2

_HOMES = {
    "AsyncMeterEvents": "stripe.usage.async_client",
    "AsyncMeterEventsV2": "stripe.usage.async_client",
    "AsyncMeters": "stripe.async_client",
    "AuthError": "diagnostics.errors",
    "ConfigError": "diagnostics.errors",
    "ReconcilerError": "diagnostics.errors",
    "RefusedError": "diagnostics.errors",
    "ServiceError": "diagnostics.errors",
    "StaleError": "diagnostics.errors",
    "StoppedError": "diagnostics.errors",
    "UsageError": "diagnostics.errors",
    "MeterEvents": "stripe.usage.client",
    "MeterEventsV2": "stripe.usage.v2_client",
    "Meters": "stripe.client",
    "UsageEvent": "stripe.usage.objects",
    "detect_drift": "operations.detect_drift",
    "apply_plan": "operations.apply_plan",
    "connect": "operations.session",
    "load": "config",
    "make_plan": "operations.make_plan",
}

__all__ = [
    "AsyncMeterEvents",
    "AsyncMeterEventsV2",
    "AsyncMeters",
    "AuthError",
    "ConfigError",
    "MeterEvents",
    "MeterEventsV2",
    "Meters",
    "ReconcilerError",
    "RefusedError",
    "ServiceError",
    "StaleError",
    "StoppedError",
    "UsageError",
    "UsageEvent",
    "__version__",
    "apply_plan",
    "connect",
    "detect_drift",
    "load",
    "make_plan",
]


def __getattr__(name: str) -> object:
    """Import a public name from its module on first use (PEP 562)."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    """List the public names, also those that are not imported yet."""
    return sorted({*globals(), *__all__})
