"""The terms of a subscription: trial, anchor, payment, and how it ends."""

from __future__ import annotations

from typing import Any

from ..errors import RequestError
from ..messages import Json
from ..requests.params import (
    Choice,
    Flag,
    Metadata,
    Nested,
    Shape,
    Text,
    Texts,
    Whole,
    check_exclusive,
)
from ..requests.values import Currency, Moment, Unset, WordOr, list_unsupported
from ..resources.changes import merge_metadata
from ..state import Call
from .build import PAYMENT, get_period

DAY = 24 * 3600

MOMENT = Moment()
COLLECTION = Choice(("charge_automatically", "send_invoice"))
PRORATION = Choice(("always_invoice", "create_prorations", "none"))
DETAILS: Shape = {
    "comment": Unset(Text(5000)),
    "feedback": Unset(
        Choice(
            (
                *("customer_service", "low_quality", "missing_features", "other"),
                *("switched_service", "too_complex", "too_expensive", "unused"),
            )
        )
    ),
}
BEHAVIOR: Shape = {
    "payment_behavior": Choice(
        (
            *("allow_incomplete", "default_incomplete"),
            *("error_if_incomplete", "pending_if_incomplete"),
        )
    ),
    "proration_behavior": PRORATION,
    "proration_date": MOMENT,
}
_SHARED: Shape = (
    BEHAVIOR
    | {
        "automatic_tax": Nested({"enabled": Flag(required=True)}),
        "cancel_at": Unset(WordOr(("max_period_end", "min_period_end"), MOMENT)),
        "cancel_at_period_end": Flag(),
        "collection_method": COLLECTION,
        "days_until_due": Whole(0),
        "default_payment_method": Unset(Text(5000)),
        "description": Unset(Text(500)),
        "metadata": Metadata(),
        "off_session": Flag(),
        "payment_settings": Nested(
            {
                "payment_method_types": Unset(Texts()),
                "save_default_payment_method": Choice(("off", "on_subscription")),
            }
        ),
        "trial_end": WordOr(("now",), MOMENT),
        "trial_from_plan": Flag(),
        "trial_settings": Nested(
            {
                "end_behavior": Nested(
                    {
                        "missing_payment_method": Choice(
                            ("cancel", "create_invoice", "pause"), required=True
                        )
                    },
                    required=True,
                )
            }
        ),
    }
    | list_unsupported("add_invoice_items", "application_fee_percent", "billing_schedules")
    | list_unsupported("billing_thresholds", "default_source", "default_tax_rates", "discounts")
    | list_unsupported("invoice_settings", "on_behalf_of", "pending_invoice_item_interval")
    | list_unsupported("transfer_data", "coupon", "promotion_code")
)
CREATE: Shape = (
    {name: value for name, value in _SHARED.items() if name != "proration_date"}
    | {
        "backdate_start_date": MOMENT,
        "billing_cycle_anchor": MOMENT,
        "billing_mode": Nested({"type": Choice(("classic", "flexible"), required=True)}),
        "currency": Currency(),
        "customer": Text(5000),
        "trial_period_days": Whole(1, 730),
    }
    | list_unsupported("billing_cycle_anchor_config", "customer_account")
)
UPDATE: Shape = _SHARED | {
    "billing_cycle_anchor": Choice(("now", "unchanged")),
    "cancellation_details": Nested(DETAILS),
    "pause_collection": Unset(
        Nested(
            {
                "behavior": Choice(("keep_as_draft", "mark_uncollectible", "void"), required=True),
                "resumes_at": MOMENT,
            }
        )
    ),
}
_PLAIN = ("collection_method", "days_until_due", "default_payment_method", "description")


def read_terms(asked: Json, now: int) -> Json:
    """Read the terms of a new subscription; raises RequestError."""
    check_exclusive(asked, "trial_end", "trial_period_days")
    found = _read_shared(asked, {"collection_method": "charge_automatically"})
    found["metadata"] = merge_metadata({}, asked.get("metadata"))
    start = asked.get("backdate_start_date", now)
    if start > now:
        raise RequestError.invalid("backdate_start_date", "This time must not be in the future.")
    found["billing_cycle_anchor"] = start
    if "billing_cycle_anchor" in asked:
        _check_future(asked["billing_cycle_anchor"], "billing_cycle_anchor", now)
        found["billing_cycle_anchor"] = asked["billing_cycle_anchor"]
    if "billing_mode" in asked:
        found["billing_mode"] = {"flexible": None, **asked["billing_mode"]}
    end = asked.get("trial_end", "now")
    if "trial_period_days" in asked:
        end = now + asked["trial_period_days"] * DAY
    if end != "now":
        found |= _start_trial(end, now)
    return found


def read_changes(asked: Json, old: Json, now: int) -> Json:
    """Read the terms that an update changes, items and cancellation aside."""
    found = _read_shared(asked, old)
    if "pause_collection" in asked:
        pause = asked["pause_collection"]
        found["pause_collection"] = pause and {"resumes_at": None, **pause}
    if "cancellation_details" in asked:
        details = old["cancellation_details"] | asked["cancellation_details"]
        found["cancellation_details"] = details
    if asked.get("billing_cycle_anchor") == "now":
        found["billing_cycle_anchor"] = now
    if asked.get("trial_end", "now") != "now":
        trial = _start_trial(asked["trial_end"], now)
        found |= trial | {"trial_start": old["trial_start"] or now}
    return found


def read_cancellation(call: Call, asked: Json, subscription: Json) -> Json:
    """Read when a subscription is to end, which `""` and `false` take back."""
    check_exclusive(asked, "cancel_at", "cancel_at_period_end")
    if "cancel_at" not in asked and "cancel_at_period_end" not in asked:
        return {}
    at, now = asked.get("cancel_at"), int(call.now)
    at_end = asked.get("cancel_at_period_end", False)
    if at_end or isinstance(at, str):
        periods = [get_period(call, subscription, it, now) for it in subscription["items"]]
        choose = max if at == "max_period_end" else min
        at = choose(end for _, end in periods)
    details = subscription["cancellation_details"]
    if at is None:
        kept = {"canceled_at": None, "cancellation_details": details | {"reason": None}}
        return kept | {"cancel_at": None, "cancel_at_period_end": False}
    _check_future(at, "cancel_at", now)
    return {
        "cancel_at": at,
        "cancel_at_period_end": at_end,
        "canceled_at": now,
        "cancellation_details": details | {"reason": "cancellation_requested"},
    }


def _read_shared(asked: Json, old: Json) -> Json:
    """Read the terms that can be given both at the start and later."""
    found: Json = {name: asked[name] for name in _PLAIN if name in asked}
    method = found.get("collection_method", old["collection_method"])
    days = found.get("days_until_due", old.get("days_until_due"))
    if method == "send_invoice" and days is None:
        text = "Missing required param: days_until_due (for collection_method=send_invoice)."
        raise RequestError.invalid("days_until_due", text, "parameter_missing")
    if method != "send_invoice" and "days_until_due" in asked:
        text = "days_until_due is only for collection_method=send_invoice."
        raise RequestError.invalid("days_until_due", text)
    if "automatic_tax" in asked:
        enabled = asked["automatic_tax"]["enabled"]
        found["automatic_tax"] = {"disabled_reason": None, "enabled": enabled, "liability": None}
    if "trial_settings" in asked:
        found["trial_settings"] = asked["trial_settings"]
    if "payment_settings" in asked:
        before: dict[str, Any] = old.get("payment_settings", PAYMENT)
        found["payment_settings"] = before | asked["payment_settings"]
    return found


def _start_trial(end: int, now: int) -> Json:
    _check_future(end, "trial_end", now)
    trial = {"trial_start": now, "trial_end": end}
    return {"status": "trialing", "billing_cycle_anchor": end, **trial}


def _check_future(moment: int, name: str, now: int) -> None:
    if moment <= now:
        text = f"Invalid timestamp: {name} must be in the future."
        raise RequestError.invalid(name, text)
