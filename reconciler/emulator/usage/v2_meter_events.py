"""Meter events and their adjustments in API v2: checked at once, or in a stream.

Source: /v2/billing/meter_events, meter_event_adjustments and meter_event_stream.
"""

from __future__ import annotations

from ..errors import RequestError
from ..messages import Json
from ..requests.params import Choice, Nested, Shape, Text
from ..state import Call
from .meter_events import INVALID_CANCEL, build_usage_event, cancel, explain_no_event
from .moments import format_moment
from .record import Rejection, find_duplicate, record
from .reports import report
from .usage_params import Moment, Objects, Payload

URL = "/v2/billing/meter_events"
ADJUSTMENTS_URL = "/v2/billing/meter_event_adjustments"
STREAM_URL = "/v2/billing/meter_event_stream"
LONGEST_STREAM = 100

CREATE: Shape = {
    "event_name": Text(100, required=True),
    "identifier": Text(100),
    "payload": Payload(required=True),
    "timestamp": Moment(),
}
ADJUST: Shape = {
    "cancel": Nested({"identifier": Text(100, required=True)}, required=True),
    "event_name": Text(100, required=True),
    "type": Choice(("cancel",), required=True),
}
STREAM: Shape = {"events": Objects(CREATE, LONGEST_STREAM, required=True)}


def create(call: Call) -> Json:
    """Accept an event, or refuse it with the code of what is wrong with it.

    What has no such code is reported later, as for v1.
    """
    event = build_usage_event(call, call.params)
    if find_duplicate(call, event):
        text = f"An event already exists with identifier {event.identifier}."
        raise RequestError(400, text, "duplicate_meter_event")
    outcome = record(call, event)
    if isinstance(outcome, Rejection):
        if outcome.sync_code:
            raise RequestError(400, outcome.message, outcome.sync_code)
        report(call, [outcome])
    return {
        "object": "v2.billing.meter_event",
        "created": format_moment(call.now),
        "event_name": event.event_name,
        "identifier": event.identifier,
        "livemode": call.ledger.account.livemode,
        "payload": event.payload,
        "timestamp": format_moment(event.timestamp),
    }


def stream(call: Call) -> Json:
    """Accept up to 100 events; a report tells what was wrong, and repeated ones do not count."""
    events = [build_usage_event(call, each) for each in call.params["events"]]
    outcomes = [record(call, event) for event in events if not find_duplicate(call, event)]
    report(call, [each for each in outcomes if isinstance(each, Rejection)])
    return {}


def adjust(call: Call) -> Json:
    """Cancel an event of the last 24 hours."""
    name, identifier = call.params["event_name"], call.params["cancel"]["identifier"]
    if not cancel(call, name, identifier):
        raise RequestError(400, explain_no_event(name, identifier), INVALID_CANCEL)
    return {
        "id": call.ledger.create_id("mea"),
        "object": "v2.billing.meter_event_adjustment",
        "cancel": {"identifier": identifier},
        "created": format_moment(call.now),
        "event_name": name,
        "livemode": call.ledger.account.livemode,
        "status": "pending",
        "type": "cancel",
    }
