"""Consent and protection in a saved plan: those that the meter files give now."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec.structs import replace

from ..diagnostics.codes import guards as rules
from ..diagnostics.diagnostic import Diagnostic
from ..model.change import Change
from ..model.match import MeterMatch
from ..model.price import PricesByMeter
from ..model.project import MeterConfig, Policy
from .diagnose import diagnose
from .diff import decide


def is_same_decision(one: Change, other: Change) -> bool:
    """Whether two changes do the same to the same meters."""
    decided = [(each.action, each.existing, each.reactivates) for each in (one, other)]
    return decided[0] == decided[1]


def renew_consent(change: Change, declared: Mapping[str, MeterConfig]) -> Change:
    """Return a change with the `protect`, `retires` and `accepts` that are declared now.

    What is declared no longer gives no consent.
    """
    if change.desired is None:
        return change
    now = declared.get(change.event_name)
    desired = replace(
        change.desired,
        protect=now is not None and now.protect,
        retires=now.retires if now else (),
        accepted_prices=now.accepted_prices if now else (),
    )
    return replace(change, desired=desired)


def check_consent(
    saved: Change, renewed: Change, names: MeterMatch, prices: PricesByMeter, policy: Policy
) -> Diagnostic | None:
    """Return why a saved change would be decided differently with the consent of now, if so."""
    if saved.desired is None or renewed.desired is None or not saved.action.writes:
        return None
    now = decide(replace(names, desired=renewed.desired), prices, policy)
    if is_same_decision(now, saved):
        return None
    then, here = saved.desired.retires, renewed.desired.retires
    removed, added = sorted({*then} - {*here}), sorted({*here} - {*then})
    listed = [f"no longer lists {', '.join(removed)}"] if removed else []
    listed += [f"lists {', '.join(added)} now"] if added else []
    message = f"{saved.event_name!r}: `retires` in the meter files {' and '.join(listed)}"
    return diagnose(saved, rules.CONSENT_WITHDRAWN, f"{message}; {saved.action} is not allowed")
