"""Decide what becomes of one event: a record of usage, or a rejection with its code.

Source: the error codes of Stripe's events and of the calls of API v2, docs/reference/emulator.md.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from msgspec import Struct

from ..messages import Json
from ..settings import Settings
from ..state import Call
from ..storage.database import Ledger

OLDEST = 35 * 24 * 3600
NEWEST = 5 * 60
"""Seconds before and after now that the time of an event may be."""

UNIQUE_FOR = 24 * 3600
"""Seconds for which an identifier is unique, and in which its event can be cancelled."""


class UsageEvent(Struct, frozen=True):
    """An event as it was sent, with the identifier and the time that it has by default."""

    event_name: str
    identifier: str
    payload: Mapping[str, str]
    timestamp: float


class Rejection(Struct, frozen=True):
    """Why an event does not count.

    `code` is that of the report, `sync_code` that of the 400 of API v2, which answers other
    errors with a 200 and reports them later. `meter` is None if none has the event_name.
    """

    event: UsageEvent
    meter: Json | None
    code: str
    message: str
    sync_code: str | None = None


def find_duplicate(call: Call, event: UsageEvent) -> Json | None:
    """Find the recorded event whose identifier a new one repeats."""
    return next(iter(_find_recent(call, event.event_name, event.identifier)), None)


def find_cancellable(call: Call, event_name: str, identifier: str) -> Json | None:
    """Find the recorded event that an adjustment may cancel."""
    found = _find_recent(call, event_name, identifier)
    fitting = (each for each in found if each["event_name"] == event_name)
    return next((each for each in fitting if not each["cancelled"]), None)


def _find_recent(call: Call, event_name: str, identifier: str) -> list[Json]:
    """Find the events of an identifier that were received lately, also in this call."""
    any_name = call.settings.identifier_scope == "account"
    added = [each for each in call.change["usage"] if each["identifier"] == identifier]
    return [
        each
        for each in (*call.ledger.usage_index.find(identifier), *added)
        if call.now - each["received"] < UNIQUE_FOR
        and (any_name or each["event_name"] == event_name)
    ]


def record(call: Call, event: UsageEvent) -> Json | Rejection:
    """Check an event, and store it if nothing is wrong with it."""
    found = judge(call.ledger, call.settings, call.now, event)
    if isinstance(found, Rejection):
        return found
    meter = found
    key = meter["value_settings"]["event_payload_key"]
    new = {
        "id": call.ledger.create_id("mevt"),
        "event_name": event.event_name,
        "identifier": event.identifier,
        "meter": meter["id"],
        "customer": event.payload[meter["customer_mapping"]["event_payload_key"]],
        "value": event.payload.get(key) or "1",  # the events of a count need not have one
        "timestamp": event.timestamp,
        "received": call.now,
        "cancelled": False,
    }
    call.change["usage"].append(new)
    return new


def judge(ledger: Ledger, settings: Settings, now: float, event: UsageEvent) -> Json | Rejection:
    """Return the meter that records an event, or why none does."""
    meter = find_meter(ledger, event.event_name)
    if meter is None:
        text = f"No meter was found matching event_name {event.event_name}."
        return Rejection(event, None, "no_meter", text, "no_meter")
    wrong = (
        _check_moment(now, event, meter)
        or _check_customer(ledger, settings, event, meter)
        or _check_value(settings, event, meter)
    )
    return Rejection(event, meter, *wrong) if wrong else meter


def find_meter(ledger: Ledger, event_name: str) -> Json | None:
    """Find the active meter of an event_name, or else the newest inactive one."""
    found = [meter for meter in ledger.meters.values() if meter["event_name"] == event_name]
    active = [meter for meter in found if meter["status"] == "active"]
    return next(reversed(active or found), None)


def is_customer(ledger: Ledger, settings: Settings, customer: str) -> bool:
    """Return whether the account has a customer of this id, who is not deleted."""
    known = ledger.customers.get(customer, {"deleted": settings.unknown_customer == "reject"})
    return not known.get("deleted")


_Wrong = tuple[str, str, str | None]  # code, message, code of API v2: of what is wrong first


def _check_moment(now: float, event: UsageEvent, meter: Json) -> _Wrong | None:
    if meter["status"] != "active":
        text = f"The meter of event_name {event.event_name} is archived."
        return "archived_meter", text, "archived_meter"
    if event.timestamp < now - OLDEST:
        return "timestamp_too_far_in_past", "The timestamp is more than 35 days ago.", None
    if event.timestamp > now + NEWEST:
        return "timestamp_in_future", "The timestamp is more than 5 minutes in the future.", None
    return None


def _check_customer(
    ledger: Ledger, settings: Settings, event: UsageEvent, meter: Json
) -> _Wrong | None:
    key = meter["customer_mapping"]["event_payload_key"]
    customer = event.payload.get(key)
    if not customer:
        text = f"Customer mapping key {key} not found in payload."
        return "meter_event_no_customer_defined", text, "payload_no_customer_defined"
    if not is_customer(ledger, settings, customer):
        return "meter_event_customer_not_found", f"No such customer: '{customer}'", None
    return None


def _check_value(settings: Settings, event: UsageEvent, meter: Json) -> _Wrong | None:
    key, code = meter["value_settings"]["event_payload_key"], "meter_event_invalid_value"
    value = event.payload.get(key)
    if not value:
        formula = meter["default_aggregation"]["formula"]
        if formula == "count" and settings.count_value == "optional":
            return None
        text = f"Value key {key} not found in payload."
        return code, text, "payload_no_value_defined"
    decimals = r"(\.\d+)?" if settings.usage_decimals == "allow" else ""
    if not re.fullmatch(rf"-?\d+{decimals}", value, re.ASCII):
        text = f"Invalid value for key {key}: {value} is not a whole number."
        return code, text, "payload_invalid_value"
    if sum(map(str.isdigit, value)) > settings.usage_digits:
        text = f"The value of key {key} has more than {settings.usage_digits} digits."
        return "meter_event_value_too_many_digits", text, None
    return None
