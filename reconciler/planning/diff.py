"""Decide the change of each event_name from its declaration and its existing meters."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from msgspec.structs import replace

from ..model.change import Action, Change, FieldChange, Reason
from ..model.match import MeterMatch, flatten, has_same_settings
from ..model.meter import ExistingMeter, Meter, Status
from ..model.pattern import matches
from ..model.price import PricesByMeter
from ..model.project import MeterConfig, Policy, Undeclared


def compare_fields(before: Mapping[str, Any], after: Mapping[str, Any]) -> tuple[FieldChange, ...]:
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


def _compare(before: Meter, after: Meter) -> tuple[FieldChange, ...]:
    return () if before == after else compare_fields(before.as_api(), after.as_api())


def list_price_dependencies(names: MeterMatch, policy: Policy) -> tuple[str, ...]:
    """Return the ids of the meters whose prices the change, a guard or a warning needs.

    These are a meter that is deactivated, or would be with consent, and the inactive meters
    among which one is chosen to be reactivated.
    """
    desired = names.desired
    if len(names.active) > 1 or names.unclear:
        return ()
    if desired is None:
        return _list_ids(names.active) if _is_owned(names.event_name, policy) else ()
    if desired.status != Status.ACTIVE:
        return _list_ids(names.active)
    if names.active and has_same_settings(names.active[0], desired.meter):
        return ()
    return _list_ids(names.active if _has_one_match(names, desired) else names.meters)


def _list_ids(meters: Iterable[ExistingMeter]) -> tuple[str, ...]:
    return tuple(meter.id for meter in meters)


def _is_owned(event_name: str, policy: Policy) -> bool:
    return policy.undeclared is Undeclared.DEACTIVATE and matches(event_name, policy.owns)


def _has_one_match(names: MeterMatch, desired: MeterConfig) -> bool:
    return len(names.inactive) == 1 and has_same_settings(names.inactive[0], desired.meter)


def decide(names: MeterMatch, prices: PricesByMeter, policy: Policy) -> Change:
    """Return the change of an event_name; `prices` are prices in use by meter id, where known."""
    match names.desired:
        case _ if len(names.active) > 1:
            return _decide_several_active(names)
        case _ if names.unclear:
            return _decide_unclear(names)
        case None:
            return _decide_undeclared(names, prices, policy)
        case MeterConfig(status=Status.ACTIVE) as desired:
            return _decide_active(desired, names, prices)
        case desired:
            return _decide_inactive(desired, names, prices)


def _decide_several_active(names: MeterMatch) -> Change:
    return Change(
        action=Action.BLOCKED if names.desired else Action.UNMANAGED,
        event_name=names.event_name,
        reason=Reason.TWO_ACTIVE,
        desired=names.desired,
        others=names.meters,
    )


def _decide_unclear(names: MeterMatch) -> Change:
    """A meter of an unknown status is neither active nor inactive, and never written to."""
    existing = names.unclear[0]
    return Change(
        action=Action.BLOCKED if names.desired else Action.UNMANAGED,
        event_name=names.event_name,
        reason=Reason.UNKNOWN_STATUS,
        desired=names.desired,
        existing=existing,
        others=tuple(meter for meter in names.meters if meter.id != existing.id),
    )


def _decide_undeclared(names: MeterMatch, prices: PricesByMeter, policy: Policy) -> Change:
    existing, *others = names.meters
    change = Change(
        action=Action.UNCHANGED,
        event_name=names.event_name,
        reason=Reason.RETIRED,
        existing=existing,
        others=tuple(others),
    )
    if not existing.active:
        return change
    change = replace(change, prices=prices.get(existing.id, ()))
    if _is_owned(names.event_name, policy):
        return _deactivate(change, existing, Reason.OWNED)
    return replace(change, action=Action.UNMANAGED, reason=Reason.UNDECLARED)


def _decide_active(desired: MeterConfig, names: MeterMatch, prices: PricesByMeter) -> Change:
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
        fields=_compare(existing.meter, desired.meter_for(existing)),
    )
    if not has_same_settings(existing, desired.meter):
        change = replace(change, prices=prices.get(existing.id, ()))
        return _replace(change, existing, _reactivate_or_create(desired, names, prices))
    if change.fields:
        return replace(change, action=Action.UPDATE, reason=Reason.RENAMED)
    return change


def _replace(change: Change, existing: ExistingMeter, successor: Change) -> Change:
    """Replace a meter, if consent is given and the successor is possible; else block the change.

    A change without consent includes the prices and meters that the consent has to list.
    """
    reactivates, blocked = successor.existing, successor.action is Action.BLOCKED
    if change.desired and existing.id in change.desired.retires:
        if not blocked:
            return replace(
                change, action=Action.REPLACE, reason=Reason.RETIRES, reactivates=reactivates
            )
        return replace(
            change, action=Action.BLOCKED, reason=successor.reason, prices=successor.prices
        )
    return replace(
        change,
        action=Action.BLOCKED,
        reason=Reason.DIFFERS,
        reactivates=reactivates,
        prices=change.prices + (successor.prices if blocked else ()),
    )


def _reactivate_or_create(desired: MeterConfig, names: MeterMatch, prices: PricesByMeter) -> Change:
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
    after = {**desired.meter_for(existing).as_api(), "status": str(Status.ACTIVE)}
    return replace(
        change,
        action=Action.REACTIVATE,
        reason=Reason.INACTIVE,
        existing=existing,
        others=tuple(other for other in change.others if other.id != existing.id),
        fields=compare_fields(before, after),
    )


def _decide_inactive(desired: MeterConfig, names: MeterMatch, prices: PricesByMeter) -> Change:
    existing = next(iter(names.meters), None)
    change = Change(
        action=Action.UNCHANGED,
        event_name=names.event_name,
        reason=Reason.RETIRED,
        desired=desired,
        existing=existing,
        others=names.meters[1:],
    )
    if existing is None or not existing.active:
        return change
    change = replace(change, prices=prices.get(existing.id, ()))
    if has_same_settings(existing, desired.meter) or existing.id in desired.retires:
        return _deactivate(change, existing, Reason.DECLARED_INACTIVE)
    fields = _compare(existing.meter, desired.meter_for(existing))
    return replace(change, action=Action.BLOCKED, reason=Reason.DIFFERS, fields=fields)


def _deactivate(change: Change, existing: ExistingMeter, reason: Reason) -> Change:
    status = FieldChange("status", existing.status, str(Status.INACTIVE))
    return replace(change, action=Action.DEACTIVATE, reason=reason, fields=(status,))
