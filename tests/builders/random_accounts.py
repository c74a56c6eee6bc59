"""Hypothesis strategies for accounts, declarations, prices and policies with few names."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from builders.meters import declare, existing, inactive
from hypothesis import strategies as st

from reconciler.emulator import Settings
from reconciler.model.meter import ExistingMeter, Status
from reconciler.model.price import Price
from reconciler.model.project import MeterConfig, Policy, Undeclared

NAMES = ("ai_a", "ai_b", "bill_c", "x")
SETTINGS = st.fixed_dictionaries(
    {
        "display": st.sampled_from(["One", "Two"]),
        "formula": st.sampled_from(["sum", "sum", "count"]),
        "window": st.sampled_from([None, None, "day"]),
    }
)
SWITCHES = st.builds(
    Settings,
    deactivate_inactive=st.sampled_from(["noop", "error"]),
    reactivate_active=st.sampled_from(["noop", "error"]),
    update_inactive=st.sampled_from(["allow", "error"]),
    list_scope=st.sampled_from(["both", "active"]),
    updated_moves=st.sampled_from(["on", "off"]),
    deactivate_emits_updated=st.sampled_from(["on", "off"]),
)


@dataclass(frozen=True, slots=True)
class World:
    """The existing meters, prices, declarations and policy of one account.

    `subscribed` are the ids of prices that have a subscription.
    """

    meters: tuple[ExistingMeter, ...]
    prices: tuple[Price, ...]
    subscribed: tuple[str, ...]
    declared: tuple[MeterConfig, ...]
    policy: Policy

    @property
    def names(self) -> set[str]:
        """Every event_name on either side."""
        return {each.event_name for each in (*self.meters, *self.declared)}

    @property
    def in_use(self) -> tuple[Price, ...]:
        """The prices that are active, or archived with a subscription."""
        return tuple(p for p in self.prices if p.active or p.id in self.subscribed)


@st.composite
def worlds(draw: st.DrawFn) -> World:
    """Draw up to three meters, and prices, for each of four names; most have equal settings."""
    meters, prices, declared = [], [], []
    for name in NAMES:
        of_name = [draw(_meter(name, n)) for n in range(draw(st.integers(0, 3)))]
        actives = [meter for meter in of_name if meter.active]
        if len(actives) > 1 and draw(st.integers(0, 9)):  # the API never lets two be active
            of_name = [meter for meter in of_name if meter not in actives[1:]]
        used = [Price(f"p_{meter.id}", meter.id, draw(st.booleans())) for meter in of_name]
        used = [price for price in used if draw(st.booleans())]
        if draw(st.integers(0, 3)):
            declared.append(draw(_declared(name, of_name, used)))
        meters += of_name
        prices += used
    sold = tuple(price.id for price in prices if draw(st.booleans()))
    return World(tuple(meters), tuple(prices), sold, tuple(declared), draw(POLICIES))


@st.composite
def _meter(draw: st.DrawFn, name: str, n: int) -> ExistingMeter:
    made: Any = existing if draw(st.booleans()) else inactive
    times = {"at": draw(st.integers(1_700_000_000, 1_700_000_002))} if made is inactive else {}
    return made(f"mtr_{name}_{n}", name, created=1_600_000_000 + n, **times, **draw(SETTINGS))


@st.composite
def _declared(
    draw: st.DrawFn, name: str, meters: list[ExistingMeter], prices: list[Price]
) -> MeterConfig:
    def some(ids: list[str]) -> tuple[str, ...]:
        return tuple(id_ for id_ in ids if draw(st.booleans()))

    return declare(
        name,
        status=draw(st.sampled_from([Status.ACTIVE, Status.ACTIVE, Status.INACTIVE])),
        protect=not draw(st.integers(0, 4)),
        retires=some([*(meter.id for meter in meters), "mtr_elsewhere"]),
        accepts=some([price.id for price in prices]),
        **draw(SETTINGS),
    )


POLICIES = st.builds(
    Policy,
    undeclared=st.sampled_from(Undeclared),
    owns=st.sampled_from([("*",), ("ai_*",)]),
    protect=st.sampled_from([(), (), ("bill_*",)]),
    max_deactivations=st.sampled_from([0, 1, 2, 9, 9]),
)
