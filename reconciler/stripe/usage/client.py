"""Meter events in API v1, one in each request. Stripe checks them later, and reports what is wrong.

Source: /v1/billing/meter_events and /v1/billing/meter_event_adjustments of Stripe's API reference.
"""

from __future__ import annotations

import math
from typing import Any, Self, Unpack

from ..codec import parse_adjustment, parse_meter_event
from ..errors import InvalidRequestError, ServerError
from ..transport import Client, Options, Transport
from .objects import MeterEvent, MeterEventAdjustment, UsageEvent
from .receipt import confirm

EVENTS = "/v1/billing/meter_events"
ADJUSTMENTS = "/v1/billing/meter_event_adjustments"

RATE_LIMIT = 1000.0
"""Default requests a second: meter events have a limit of their own. A lower one is learned."""


class MeterEvents(Client):
    """Sends usage to one account; a context manager, safe to use from several threads.

    An event is counted once, however often its request is repeated: every attempt has the same
    identifier. Every call raises StripeError if it does not succeed, and StoppedError after a stop
    signal; the same UsageEvent can then be sent again. `Options` has the other parameters.
    """

    def __init__(self, api_key: str, **options: Unpack[Options]) -> None:
        options.setdefault("rate_limit", RATE_LIMIT)
        super().__init__(api_key, **options)

    @classmethod
    def over(cls, transport: Transport) -> Self:
        """Return a client that shares a transport."""
        events = cls.__new__(cls)
        events._transport = transport
        return events

    def send(self, event: UsageEvent, *, idempotency_key: str | None = None) -> MeterEvent:
        """Send an event. Stripe checks its meter, customer, value and time after the answer.

        Raises DuplicateEventError if the identifier had been used before this call. A failure that
        Stripe stored for the idempotency key, and would return for a day, is tried once more under
        a new key, unless the key is given.
        """
        params, doubts = _encode(event), 0
        while True:
            try:
                reply = self._transport.post(EVENTS, params, idempotency_key)
                return reply.read(parse_meter_event)
            except ServerError as error:
                if idempotency_key is not None or doubts or not error.record.replayed:
                    raise
                doubts = error.record.doubts
            except InvalidRequestError as error:
                return confirm(event, error, doubts=doubts + error.record.doubts)

    def cancel(
        self, *, event_name: str, identifier: str, idempotency_key: str | None = None
    ) -> MeterEventAdjustment:
        """Cancel the event with this identifier, which Stripe received in the last 24 hours.

        That there is no such event is refused at once, or reported later, as for an event. After
        attempts without an answer (`error.record.doubts`), such a refusal can mean that one of
        them has cancelled it.
        """
        params = {
            "event_name": event_name,
            "type": "cancel",
            "cancel": {"identifier": identifier},
        }
        return self._transport.post(ADJUSTMENTS, params, idempotency_key).read(parse_adjustment)


def _encode(event: UsageEvent) -> dict[str, Any]:
    """Return the parameters of an event; API v1 has whole seconds."""
    return {
        "event_name": event.event_name,
        "identifier": event.identifier,
        "payload": event.texts,
        "timestamp": None if event.seconds is None else math.floor(event.seconds),
    }
