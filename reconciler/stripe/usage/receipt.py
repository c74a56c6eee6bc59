"""Decide whether an event that is refused as a repetition had arrived by an attempt of our own."""

from __future__ import annotations

import re

from ..errors import DuplicateEventError, InvalidRequestError
from .objects import MeterEvent, UsageEvent

_CODE = "duplicate_meter_event"  # of API v2

# API v1 refuses a used identifier with a bare 400: `invalid_request_error`, with neither a code nor
# a param, as for other refusals. No list has meter events, summaries are sums that lag, and whether
# v1 and v2 share identifiers is not documented: sending the event to v2 could count it twice. Only
# the message tells. If its wording changes, the error is raised as it is, and no event is taken for
# received; a code, once there is one, needs no message.
_MESSAGE = re.compile(r"\bevent already exists with identifier\b", re.IGNORECASE)


def confirm(event: UsageEvent, error: InvalidRequestError, *, doubts: int) -> MeterEvent:
    """Return the event if one of our own attempts (`doubts`: without an answer) has sent it.

    Raises DuplicateEventError if none of them can have, and any other error as it is.
    """
    if error.code != _CODE and not (error.status == 400 and _MESSAGE.search(error.message)):
        raise error
    if not doubts:
        details = {"type": error.type, "code": error.code, "param": error.param}
        raise DuplicateEventError(error.message, error.record, details=details) from None
    return MeterEvent(
        event_name=event.event_name,
        identifier=event.identifier,
        payload=event.texts,
        timestamp=event.seconds,
        created=None,
        livemode=None,
    )
