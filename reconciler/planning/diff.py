"""Decide the change of each event_name from its declaration and its existing meters."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from ..model.change import Action, Change, FieldChange, Reason
from ..model.match import MeterMatch, flatten, has_same_settings
from ..model.meter import ExistingMeter, Status
from ..model.pattern import matches
from ..model.price import Price
from ..model.project import MeterConfig, Policy, Undeclared
from .risk import risk


def field_changes(before: Mapping[str, Any], after: Mapping[str, Any]) -> tuple[FieldChange, ...]:
    """Return the differing fields of two meters in the API's shape, sorted by dotted path."""
    if before == after:
        return ()
    from deepdiff import DeepDiff  # 95 ms to import: only for meters that do differ

    tree = DeepDiff(flatten(before), flatten(after), view="tree")
    leaves = [leaf for kind in tree.values() for leaf in kind]
    return tuple(
        sorted(
            (FieldChange(leaf.path(output_format="list")[0], leaf.t1, leaf.t2) for leaf in leaves),
            key=lambda change: change.path,
        )
    )


def price_dependencies(names: MeterMatch, policy: Policy) -> tuple[str, ...]:
    """Return the ids of the meters whose active prices the change, a guard or a warning needs."""
    change = decide(names, {}, policy)
    differs = change.reason == Reason.DIFFERS  # consent must cover its prices
    deactivated = (
        (change.existing.id,) if change.existing and (change.action.deactivates or differs) else ()
    )
    choosing = change.action is Action.REPLACE or differs or not names.active
    if not names.desired or names.desired.status != Status.ACTIVE or not choosing:
        return deactivated
    if _has_one_match(names, names.desired):
        return deactivated
    return (*deactivated, *(other.id for other in names.inactive))


def _has_one_match(names: MeterMatch, desired: MeterConfig) -> bool:
    return len(names.inactive) == 1 and has_same_settings(names.inactive[0], desired.meter)


def decide(names: MeterMatch, prices: Mapping[str, tuple[Price, ...]], policy: Policy) -> Change:
    """Return the change of an event_name; `prices` are active prices by meter id, where known."""
    match names.desired:
        case _ if len(names.active) > 1:
            change = _several_active(names)
        case None:
            change = _undeclared(names, prices, policy)
        case MeterConfig(status=Status.ACTIVE) as desired:
            change = _declared_active(desired, names, prices)
        case desired:
            change = _declared_inactive(desired, names, prices)
    return replace(change, risk=risk(change))


def _several_active(names: MeterMatch) -> Change:
    return Change(
        action=Action.BLOCKED if names.desired else Action.UNMANAGED,
        event_name=names.event_name,
        reason=Reason.TWO_ACTIVE,
        desired=names.desired,
        others=names.active + names.inactive,
    )


def _undeclared(
    names: MeterMatch, prices: Mapping[str, tuple[Price, ...]], policy: Policy
) -> Change:
    existing = names.active[0] if names.active else None
    owned = policy.undeclared is Undeclared.DEACTIVATE and matches(names.event_name, policy.owns)
    change = Change(
        action=Action.UNCHANGED,
        event_name=names.event_name,
        reason=Reason.RETIRED,
        existing=existing or names.inactive[0],
        others=names.inactive if existing else names.inactive[1:],
        prices=prices.get(existing.id, ()) if existing else (),
    )
    if existing is None:
        return change
    if owned:
        return replace(
            change,
            action=Action.DEACTIVATE,
            reason=Reason.OWNED,
            fields=(_status_change(existing),),
        )
    return replace(change, action=Action.UNMANAGED, reason=Reason.UNDECLARED)


def _declared_active(
    desired: MeterConfig, names: MeterMatch, prices: Mapping[str, tuple[Price, ...]]
) -> Change:
    if not names.active:
        return _reactivate_or_create(desired, names, prices)
    existing = names.active[0]
    change = Change(
        action=Action.UNCHANGED,
        event_name=names.event_name,
        reason=Reason.IN_SYNC,
        desired=desired,
        existing=existing,
        others=names.inactive,
        fields=field_changes(existing.meter.as_api(), desired.meter.as_api()),
    )
    if has_same_settings(existing, desired.meter):
        if change.fields:
            return replace(change, action=Action.UPDATE, reason=Reason.RENAMED)
        return change
    return _replace(replace(change, prices=prices.get(existing.id, ())), desired, names, prices)


def _replace(
    change: Change,
    desired: MeterConfig,
    names: MeterMatch,
    prices: Mapping[str, tuple[Price, ...]],
) -> Change:
    """Replace a meter, if consent is given and the successor is possible; else block the change.

    A change without consent includes the prices and meters that the consent has to list.
    """
    successor = _reactivate_or_create(desired, names, prices)
    impossible = successor.action is Action.BLOCKED
    if change.existing is None or change.existing.id not in desired.retires:
        change = replace(
            change, action=Action.BLOCKED, reason=Reason.DIFFERS, reactivates=successor.existing
        )
        return replace(change, prices=change.prices + successor.prices) if impossible else change
    if impossible:
        return replace(
            change, action=Action.BLOCKED, reason=successor.reason, prices=successor.prices
        )
    return replace(
        change, action=Action.REPLACE, reason=Reason.RETIRES, reactivates=successor.existing
    )


def _reactivate_or_create(
    desired: MeterConfig, names: MeterMatch, prices: Mapping[str, tuple[Price, ...]]
) -> Change:
    """Activate a meter for an event_name without an active one, or about to lose it."""
    candidates = [other for other in names.inactive if other.id not in desired.retires]
    used = [other for other in candidates if prices.get(other.id)]
    change = Change(
        action=Action.BLOCKED,
        event_name=names.event_name,
        reason=Reason.PRICES_ON_SEVERAL_METERS,
        desired=desired,
        others=names.inactive,
        prices=tuple(price for other in used for price in prices[other.id]),
    )
    if len(used) > 1:
        return change
    matching = [other for other in used or candidates if has_same_settings(other, desired.meter)]
    if matching:
        return _reactivate(change, desired, matching[0])
    if used:
        return replace(change, reason=Reason.PRICES_ON_OTHER_METER)
    reason = Reason.INACTIVE_DIFFER if names.inactive else Reason.MISSING
    return replace(change, action=Action.CREATE, reason=reason)


def _reactivate(change: Change, desired: MeterConfig, existing: ExistingMeter) -> Change:
    before = {**existing.meter.as_api(), "status": existing.status}
    after = {**desired.meter.as_api(), "status": str(Status.ACTIVE)}
    return replace(
        change,
        action=Action.REACTIVATE,
        reason=Reason.INACTIVE,
        existing=existing,
        others=tuple(other for other in change.others if other.id != existing.id),
        fields=field_changes(before, after),
    )


def _declared_inactive(
    desired: MeterConfig, names: MeterMatch, prices: Mapping[str, tuple[Price, ...]]
) -> Change:
    existing = names.active[0] if names.active else next(iter(names.inactive), None)
    change = Change(
        action=Action.UNCHANGED,
        event_name=names.event_name,
        reason=Reason.RETIRED,
        desired=desired,
        existing=existing,
        others=names.inactive if names.active else names.inactive[1:],
    )
    if existing is None or not existing.active:
        return change
    if has_same_settings(existing, desired.meter) or existing.id in desired.retires:
        return replace(
            change,
            action=Action.DEACTIVATE,
            reason=Reason.DECLARED_INACTIVE,
            prices=prices.get(existing.id, ()),
            fields=(_status_change(existing),),
        )
    fields = field_changes(existing.meter.as_api(), desired.meter.as_api())
    change = replace(change, action=Action.BLOCKED, reason=Reason.DIFFERS, fields=fields)
    return replace(change, prices=prices.get(existing.id, ()))


def _status_change(existing: ExistingMeter) -> FieldChange:
    return FieldChange("status", existing.status, str(Status.INACTIVE))
