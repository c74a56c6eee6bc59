"""Short constructors of declared and existing meters, changes, plans and drift entries."""

from __future__ import annotations

from typing import Any

from reconciler.diagnostics.diagnostic import Location
from reconciler.drift.findings import DriftInput, inspect
from reconciler.drift.remediation import Commands
from reconciler.model.change import Change
from reconciler.model.finding import DriftEntry
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

NOW = 1_790_000_000  # 2026-09-21T14:13:20Z
COMMANDS = Commands(".", Account("test"))
REPORTING = Policy()
OWNING = Policy(undeclared=Undeclared.DEACTIVATE, owns=("*",), max_deactivations=99)


def settings(
    name: str,
    display: str | None = None,
    formula: str = "sum",
    window: str | None = None,
    value_key: str = "value",
    customer_key: str = "stripe_customer_id",
) -> dict[str, Any]:
    """Return the keywords that declared and existing meters have in common."""
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
    """Declare an active meter; omitted settings have their defaults."""
    return MeterConfig(
        meter=Meter(**settings(name, **same)),
        location=Location("meters.yaml", line, 5, line + 3, 1),
        status=status,
        protect=protect,
        retires=retires,
        accepted_prices=accepts,
    )


def retire(name: str = "calls", **same: Any) -> MeterConfig:
    """Declare a meter with `status: inactive`."""
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
    """Return an active existing meter."""
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
    """Return an inactive existing meter, deactivated `at`."""
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
    """Return active prices by meter id; each is written as `price@meter`."""
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
    """Return the changes of all event_names, in order of apply."""
    return sort_for_apply(
        decide(each, prices or {}, policy) for each in match_meters(declared, account)
    )


def inspect_all(
    declared: tuple[MeterConfig, ...] | list[MeterConfig],
    account: tuple[ExistingMeter, ...] | list[ExistingMeter],
    *prices: str,
    policy: Policy = REPORTING,
    now: int = NOW,
) -> tuple[DriftEntry, ...]:
    """Return the drift entries of all event_names."""
    known = DriftInput(commands=COMMANDS, policy=policy, prices=active_prices(*prices), now=now)
    return tuple(
        inspect(names, decide(names, known.prices, policy), known)
        for names in match_meters(declared, account)
    )


def plan_of(*changes: Change, listed: tuple[str, ...] | None = None, **more: Any) -> Plan:
    """Return a sealed plan of these changes."""
    ids = tuple(sorted(meter.id for change in changes for meter in change.existing_meters))
    facts = {"account": AccountRef("test", "acct_1", livemode=False), "nonce": "n", **more}
    return seal(
        Plan(changes=sort_for_apply(changes), listed=ids if listed is None else listed, **facts)
    )
