"""How time changes a subscription: trials end, periods renew, payments fail, what is canceled ends.

There is no timer: before a call is executed, the changes that have become due are made, in their
order and with the times at which they were due.
"""

from __future__ import annotations

from ..messages import Json
from ..requests.expansion import hide
from ..state import Call, State
from ..storage.database import Ledger
from .build import ENDED, get_period, render
from .payments import is_due, is_paid

EXPIRY = 23 * 3600
"""Seconds after which an incomplete subscription expires."""

UPDATED = "customer.subscription.updated"

_RENEWED = ("active", "past_due", "unpaid")


def make_due_changes(state: State, ledger: Ledger, now: float) -> None:
    """Make the changes of an account's subscriptions that are due; raises StateError."""
    while True:
        dues = ((it["due"], it) for it in ledger.subscriptions.values() if it["due"] is not None)
        at, subscription = min(dues, key=lambda due: due[0], default=(now + 1, {}))
        if at > now:
            return
        call = Call(state, ledger, at, subscription["id"], {})
        _make_next(call, subscription)
        state.store(ledger, call.change, now)


def save(call: Call, old: Json | None, new: Json, event: str) -> Json:
    """Store a subscription with the time of its next change, and emit its event."""
    new = new | {"due": _find_next(call, new)}
    call.change["subscriptions"].append(new)
    shown = hide(render(call, new))
    previous: Json = {}
    if old is not None and event == UPDATED:
        before = hide(render(call, old))
        previous = {name: before[name] for name in before if before[name] != shown[name]}
    call.emit(shown, event, previous)
    return new


def cancel(call: Call, subscription: Json, details: Json | None = None) -> Json:
    """End a subscription; one that never became active expires. One that has ended stays so."""
    if subscription["status"] in ENDED:
        return subscription
    now, expired = int(call.now), subscription["status"] == "incomplete"
    reason = {"reason": "cancellation_requested"} | (details or {})
    ended = {
        "status": "incomplete_expired" if expired else "canceled",
        "canceled_at": subscription["canceled_at"] or now,
        "cancellation_details": subscription["cancellation_details"] | reason,
        "ended_at": now,
    }
    return save(call, subscription, subscription | ended, "customer.subscription.deleted")


def end_trial(call: Call, subscription: Json) -> Json:
    """End a trial: the subscription is charged, or what it says of a missing method is done."""
    now = int(call.now)
    renewed = subscription | {"billing_cycle_anchor": now, "status": "active", "trial_end": now}
    if is_due(call, renewed):
        paid = is_paid(call, renewed)
        behavior = renewed["trial_settings"]["end_behavior"]["missing_payment_method"]
        if paid is None and behavior == "cancel":
            return cancel(call, subscription, {"reason": "payment_failed"})
        if paid is None and behavior == "pause":
            paused = renewed | {"status": "paused"}
            return save(call, subscription, paused, "customer.subscription.paused")
        renewed["status"] = "active" if paid else "past_due"
    return save(call, subscription, renewed, UPDATED)


def _make_next(call: Call, old: Json) -> None:
    """Make the change that is due at the time of the call."""
    if old["status"] == "incomplete":
        expired = {"status": "incomplete_expired", "ended_at": int(call.now)}
        save(call, old, old | expired, UPDATED)
    elif old["cancel_at"] is not None and old["cancel_at"] <= call.now:
        cancel(call, old)
    elif old["status"] == "trialing":
        end_trial(call, old)
    else:
        paid = not is_due(call, old) or is_paid(call, old)
        save(call, old, old | {"status": "active" if paid else "past_due"}, UPDATED)


def _find_next(call: Call, subscription: Json) -> int | None:
    """Find the time of the next change after this one; None where there is none."""
    status, now = subscription["status"], int(call.now)
    if status in ENDED:
        return None
    if status == "incomplete":
        return int(subscription["created"]) + EXPIRY
    moments = [] if subscription["cancel_at"] is None else [max(subscription["cancel_at"], now)]
    if status == "trialing":
        moments.append(subscription["trial_end"])
    if status in _RENEWED:
        moments += [get_period(call, subscription, it, now)[1] for it in subscription["items"]]
    return min(moments, default=None)
