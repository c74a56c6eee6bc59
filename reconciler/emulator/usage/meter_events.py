"""Meter events and their adjustments in API v1. Source: /v1/billing/meter_events and
/v1/billing/meter_event_adjustments of Stripe's specification.

Both are answered with 200 before they are checked; a report tells what was wrong.
"""

from __future__ import annotations

import hashlib

from ..errors import RequestError
from ..messages import Json
from ..requests.params import Choice, Expand, Nested, Shape, Text, Whole
from ..state import Call
from .record import Rejection, UsageEvent, find_cancellable, find_duplicate, find_meter, record
from .reports import report
from .usage_params import Payload

URL = "/v1/billing/meter_events"
INVALID_CANCEL = "invalid_cancel_configuration"
ADJUSTMENTS_URL = "/v1/billing/meter_event_adjustments"

CREATE: Shape = {
    "event_name": Text(100, required=True),
    "expand": Expand(()),
    "identifier": Text(100),
    "payload": Payload(required=True),
    "timestamp": Whole(),
}
ADJUST: Shape = {
    "cancel": Nested({"identifier": Text(100)}),
    "event_name": Text(100, required=True),
    "expand": Expand(("cancel",)),
    "type": Choice(("cancel",), required=True),
}


def create(call: Call) -> Json:
    """Accept an event; a repeated identifier is the one thing that is refused at once."""
    event = build_usage_event(call, call.params)
    duplicate = find_duplicate(call, event)
    if duplicate and call.settings.duplicate_identifier == "error":
        raise RequestError(400, f"An event already exists with identifier {event.identifier}.")
    outcome = None if duplicate else record(call, event)
    if isinstance(outcome, Rejection):
        if call.settings.v1_usage_errors == "error":
            raise RequestError(400, _explain(outcome))
        report(call, [outcome])
    return {
        "object": "billing.meter_event",
        "created": int(call.now),
        "event_name": event.event_name,
        "identifier": event.identifier,
        "livemode": call.ledger.account.livemode,
        "payload": event.payload,
        "timestamp": int(event.timestamp),
    }


def build_usage_event(call: Call, given: Json) -> UsageEvent:
    """Build an event from its parameters, with the time of the request if it has none."""
    return UsageEvent(
        given["event_name"],
        given.get("identifier") or _generate_identifier(call),
        given["payload"],
        given.get("timestamp", call.now),
    )


def _generate_identifier(call: Call) -> str:
    """Generate an identifier in the shape of a UUID."""
    ledger = call.ledger
    ledger.made["identifier"] = ledger.made.get("identifier", 0) + 1
    text = f"{ledger.account.id}/identifier/{ledger.made['identifier']}"
    digits = hashlib.sha256(text.encode()).hexdigest()
    return f"{digits[:8]}-{digits[8:12]}-4{digits[13:16]}-a{digits[17:20]}-{digits[20:32]}"


def _explain(rejection: Rejection) -> str:
    """Return the message of a rejection where v1 gives it at once."""
    if rejection.code in ("no_meter", "archived_meter"):
        return f'No active meter found for event name "{rejection.event.event_name}".'
    return rejection.message


def adjust(call: Call) -> Json:
    """Cancel an event of the last 24 hours; a report tells of one that there is not."""
    identifier = call.params.get("cancel", {}).get("identifier")
    if identifier is None:
        text = "Missing required param: cancel[identifier]."
        raise RequestError.invalid("cancel[identifier]", text, "parameter_missing")
    if not cancel(call, call.params["event_name"], identifier):
        rejection = _build_rejection(call, call.params["event_name"], identifier)
        if call.settings.cancel_unknown == "error":
            raise RequestError.invalid("cancel[identifier]", rejection.message)
        report(call, [rejection])
    return {
        "object": "billing.meter_event_adjustment",
        "cancel": {"identifier": identifier},
        "event_name": call.params["event_name"],
        "livemode": call.ledger.account.livemode,
        "status": "pending",
        "type": "cancel",
    }


def cancel(call: Call, event_name: str, identifier: str) -> bool:
    """Cancel an event; return whether that is accepted."""
    found = find_cancellable(call, event_name, identifier)
    if found is None:
        return call.settings.cancel_unknown == "ignore"
    call.change["usage"].append(found | {"cancelled": True})
    return True


def _build_rejection(call: Call, event_name: str, identifier: str) -> Rejection:
    """Build the rejection of an adjustment that fits no event."""
    event, meter = (
        UsageEvent(event_name, identifier, {}, call.now),
        find_meter(call.ledger, event_name),
    )
    code = INVALID_CANCEL if meter else "no_meter"
    return Rejection(event, meter, code, explain_no_event(event_name, identifier), INVALID_CANCEL)


def explain_no_event(event_name: str, identifier: str) -> str:
    """Return the message for an event that cannot be cancelled."""
    return (
        f"No event with event_name {event_name} and identifier {identifier} was received in the "
        "last 24 hours."
    )
