"""Short ways to say what is declared and what is live, for the tests of the core."""

from __future__ import annotations

from typing import Any

from reconciler.diagnostics.diagnostic import Location
from reconciler.drift.remediation import Commands
from reconciler.model.change import Change
from reconciler.model.match import match_meters
from reconciler.model.meter import (
    CustomerMapping,
    DefaultAggregation,
    ExistingMeter,
    Meter,
    Status,
    StatusTransitions,
    ValueSettings,
)
from reconciler.model.price import Price
from reconciler.model.project import Account, AccountRef, MeterConfig, Policy, Undeclared
from reconciler.planning.diff import decide
from reconciler.planning.plan import Plan, seal, sort_for_apply

COMMANDS = Commands(".", Account("test"))
OWNING = Policy(undeclared=Undeclared.DEACTIVATE, owns=("*",), max_deactivations=99)


def settings(
    name: str,
    display: str | None = None,
    formula: str = "sum",
    window: str | None = None,
    value_key: str = "value",
    customer_key: str = "stripe_customer_id",
) -> dict[str, Any]:
    """What declared and live meters have in common, as keywords."""
    return {
        "event_name": name,
        "display_name": name.title() if display is None else display,
        "default_aggregation": DefaultAggregation(formula),
        "value_settings": ValueSettings(value_key),
        "customer_mapping": CustomerMapping("by_id", customer_key),
        "event_time_window": window,
    }


def declare(
    name: str = "calls",
    *,
    status: Status = Status.ACTIVE,
    protect: bool = False,
    retires: tuple[str, ...] = (),
    accepts: tuple[str, ...] = (),
    line: int = 3,
    **same: Any,
) -> MeterConfig:
    """A declaration of `name`; the settings not given are the defaults."""
    return MeterConfig(
        meter=Meter(**settings(name, **same)),
        location=Location("meters.yaml", line, 5, line + 3, 1),
        status=status,
        protect=protect,
        retires=retires,
        accepted_prices=accepts,
    )


def retire(name: str = "calls", **same: Any) -> MeterConfig:
    """A declaration with `status: inactive`."""
    return declare(name, status=Status.INACTIVE, **same)


def existing(
    id_: str = "mtr_a",
    name: str = "calls",
    *,
    created: int = 1_700_000_000,
    updated: int | None = None,
    livemode: bool = False,
    **same: Any,
) -> ExistingMeter:
    """An active live meter."""
    return ExistingMeter(
        id=id_,
        status="active",
        created=created,
        updated=created if updated is None else updated,
        livemode=livemode,
        **settings(name, **same),
    )


def inactive(
    id_: str = "mtr_i",
    name: str = "calls",
    *,
    at: int = 1_700_000_500,
    created: int = 1_700_000_000,
    livemode: bool = False,
    **same: Any,
) -> ExistingMeter:
    """An inactive live meter, deactivated `at`."""
    return ExistingMeter(
        id=id_,
        status="inactive",
        created=created,
        updated=at,
        livemode=livemode,
        status_transitions=StatusTransitions(at),
        **settings(name, **same),
    )


def active_prices(*prices: str) -> dict[str, tuple[Price, ...]]:
    """Active prices by meter id, each written `price@meter`."""
    found: dict[str, tuple[Price, ...]] = {}
    for word in prices:
        id_, meter = word.split("@")
        found[meter] = (*found.get(meter, ()), Price(id_, meter))
    return found


def decide_all(
    declared: tuple[MeterConfig, ...] | list[MeterConfig],
    account: tuple[ExistingMeter, ...] | list[ExistingMeter],
    prices: dict[str, tuple[Price, ...]] | None = None,
    policy: Policy = OWNING,
) -> tuple[Change, ...]:
    """The lines of a plan, in its order."""
    return sort_for_apply(
        decide(each, prices or {}, policy) for each in match_meters(declared, account)
    )


def plan_of(*changes: Change, listed: tuple[str, ...] | None = None, **more: Any) -> Plan:
    """A sealed plan of these lines."""
    ids = tuple(sorted(meter.id for line in changes for meter in line.existing_meters))
    facts = {"account": AccountRef("test", "acct_1", livemode=False), "nonce": "n", **more}
    return seal(
        Plan(changes=sort_for_apply(changes), listed=ids if listed is None else listed, **facts)
    )
