"""Declared against live: match by event_name, and decide what becomes of each name.

One table decides, the one of the design's section 4. Nothing here reads or writes anything.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from ..model.change import Action, Change, FieldChange, Reason
from ..model.match import Namesakes, flat, same
from ..model.meter import Live, Status
from ..model.pattern import matches
from ..model.price import Price
from ..model.project import Declared, Policy, Undeclared
from .risk import severity


def field_changes(before: Mapping[str, Any], after: Mapping[str, Any]) -> tuple[FieldChange, ...]:
    """The differing fields of two meters in the API's shape, by dotted path, in order."""
    if before == after:
        return ()
    from deepdiff import DeepDiff  # 95 ms to import: only for meters that do differ

    tree = DeepDiff(flat(before), flat(after), view="tree")
    leaves = [leaf for kind in tree.values() for leaf in kind]
    return tuple(
        sorted(
            (FieldChange(leaf.path(output_format="list")[0], leaf.t1, leaf.t2) for leaf in leaves),
            key=lambda change: change.path,
        )
    )


def watched(names: Namesakes, policy: Policy) -> tuple[str, ...]:
    """Ids of the meters whose active prices the decision, a guard or a remark depends on."""
    change = decide(names, {}, policy)
    differs = change.reason == Reason.DIFFERS  # whoever consents must know what that strands
    stopping = (change.have.id,) if change.have and (change.action.stops or differs) else ()
    choosing = change.action is Action.REPLACE or differs or not names.active
    if not names.want or names.want.status != Status.ACTIVE or not choosing:
        return stopping
    if _only_one_and_same(names, names.want):
        return stopping
    return (*stopping, *(twin.id for twin in names.inactive))


def _only_one_and_same(names: Namesakes, want: Declared) -> bool:
    return len(names.inactive) == 1 and same(names.inactive[0], want.meter)


def decide(names: Namesakes, prices: Mapping[str, tuple[Price, ...]], policy: Policy) -> Change:
    """The one line of a name. `prices` are the active ones by meter id, as far as known."""
    match names.want:
        case _ if len(names.active) > 1:
            line = _several_active(names)
        case None:
            line = _undeclared(names, prices, policy)
        case Declared(status=Status.ACTIVE) as want:
            line = _declared_active(want, names, prices)
        case want:
            line = _declared_inactive(want, names, prices)
    return replace(line, severity=severity(line))


def _several_active(names: Namesakes) -> Change:
    return Change(
        action=Action.BLOCKED if names.want else Action.UNMANAGED,
        event_name=names.event_name,
        reason=Reason.TWO_ACTIVE,
        want=names.want,
        twins=names.active + names.inactive,
    )


def _undeclared(
    names: Namesakes, prices: Mapping[str, tuple[Price, ...]], policy: Policy
) -> Change:
    have = names.active[0] if names.active else None
    owned = policy.undeclared is Undeclared.DEACTIVATE and matches(names.event_name, policy.owns)
    line = Change(
        action=Action.UNCHANGED,
        event_name=names.event_name,
        reason=Reason.RETIRED,
        have=have or names.inactive[0],
        twins=names.inactive if have else names.inactive[1:],
        prices=prices.get(have.id, ()) if have else (),
    )
    if have is None:
        return line
    if owned:
        return replace(line, action=Action.DEACTIVATE, reason=Reason.OWNED, fields=(_stops(have),))
    return replace(line, action=Action.UNMANAGED, reason=Reason.UNDECLARED)


def _declared_active(
    want: Declared, names: Namesakes, prices: Mapping[str, tuple[Price, ...]]
) -> Change:
    if not names.active:
        return _wake_or_create(want, names, prices)
    have = names.active[0]
    line = Change(
        action=Action.UNCHANGED,
        event_name=names.event_name,
        reason=Reason.IN_SYNC,
        want=want,
        have=have,
        twins=names.inactive,
        fields=field_changes(have.meter.as_api(), want.meter.as_api()),
    )
    if same(have, want.meter):
        if line.fields:
            return replace(line, action=Action.UPDATE, reason=Reason.RENAMED)
        return line
    return _replace(replace(line, prices=prices.get(have.id, ())), want, names, prices)


def _replace(
    line: Change,
    want: Declared,
    names: Namesakes,
    prices: Mapping[str, tuple[Price, ...]],
) -> Change:
    """Whatever would follow once the old meter is stopped must be possible, or all is blocked.

    Without consent as well, with all that consent would have to name.
    """
    successor = _wake_or_create(want, names, prices)
    stuck = successor.action is Action.BLOCKED
    if line.have is None or line.have.id not in want.retires:
        line = replace(line, action=Action.BLOCKED, reason=Reason.DIFFERS, wakes=successor.have)
        return replace(line, prices=line.prices + successor.prices) if stuck else line
    if stuck:
        return replace(
            line, action=Action.BLOCKED, reason=successor.reason, prices=successor.prices
        )
    return replace(line, action=Action.REPLACE, reason=Reason.RETIRES, wakes=successor.have)


def _wake_or_create(
    want: Declared, names: Namesakes, prices: Mapping[str, tuple[Price, ...]]
) -> Change:
    """The declared name has no active meter, or is about to have none."""
    wanted = [twin for twin in names.inactive if twin.id not in want.retires]
    pointed = [twin for twin in wanted if prices.get(twin.id)]
    line = Change(
        action=Action.BLOCKED,
        event_name=names.event_name,
        reason=Reason.PRICES_ON_SEVERAL_TWINS,
        want=want,
        twins=names.inactive,
        prices=tuple(price for twin in pointed for price in prices[twin.id]),
    )
    if len(pointed) > 1:
        return line
    alike = [twin for twin in pointed or wanted if same(twin, want.meter)]
    if alike:
        return _reactivate(line, want, alike[0])
    if pointed:
        return replace(line, reason=Reason.PRICES_ON_OTHER_TWIN)
    reason = Reason.TWINS_DIFFER if names.inactive else Reason.MISSING
    return replace(line, action=Action.CREATE, reason=reason)


def _reactivate(line: Change, want: Declared, have: Live) -> Change:
    before = {**have.meter.as_api(), "status": have.status}
    after = {**want.meter.as_api(), "status": str(Status.ACTIVE)}
    return replace(
        line,
        action=Action.REACTIVATE,
        reason=Reason.INACTIVE,
        have=have,
        twins=tuple(twin for twin in line.twins if twin.id != have.id),
        fields=field_changes(before, after),
    )


def _declared_inactive(
    want: Declared, names: Namesakes, prices: Mapping[str, tuple[Price, ...]]
) -> Change:
    have = names.active[0] if names.active else next(iter(names.inactive), None)
    line = Change(
        action=Action.UNCHANGED,
        event_name=names.event_name,
        reason=Reason.RETIRED,
        want=want,
        have=have,
        twins=names.inactive if names.active else names.inactive[1:],
    )
    if have is None or not have.active:
        return line
    if same(have, want.meter) or have.id in want.retires:
        return replace(
            line,
            action=Action.DEACTIVATE,
            reason=Reason.DECLARED_INACTIVE,
            prices=prices.get(have.id, ()),
            fields=(_stops(have),),
        )
    fields = field_changes(have.meter.as_api(), want.meter.as_api())
    line = replace(line, action=Action.BLOCKED, reason=Reason.DIFFERS, fields=fields)
    return replace(line, prices=prices.get(have.id, ()))


def _stops(have: Live) -> FieldChange:
    return FieldChange("status", have.status, str(Status.INACTIVE))
