"""Meter events in API v2: checked at once, or streamed by the hundred.

Source: /v2/billing/meter_events, meter_event_adjustments, meter_event_session and
meter_event_stream of Stripe's API reference.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Unpack

from ...timestamps import format_moment
from ..codec import parse_adjustment, parse_meter_event, parse_session
from ..errors import InvalidRequestError, StripeError
from ..http.connection import check_base
from ..transport import STRIPE, Client, Options
from .client import RATE_LIMIT
from .objects import MeterEvent, MeterEventAdjustment, MeterEventSession, UsageEvent
from .receipt import confirm
from .session import StreamSession

EVENTS = "/v2/billing/meter_events"
ADJUSTMENTS = "/v2/billing/meter_event_adjustments"
SESSIONS = "/v2/billing/meter_event_session"
STREAM = "/v2/billing/meter_event_stream"

STREAM_BASE = "https://meter-events.stripe.com"
"""The host of the stream, which takes the token of a session instead of an API key."""

BATCH = 100
"""The most events that one request of the stream may have."""


class MeterEventsV2(Client):
    """Sends usage to one account by API v2; a context manager, safe for several threads.

    `send` reports at once a meter, customer or value that is wrong; `stream` is for large
    amounts, which Stripe checks later. Repetition, errors and `Options` are as for `MeterEvents`.
    `stream_base` is the address of the stream: Stripe's, or `api_base` where that is given.
    """

    def __init__(
        self, api_key: str, *, stream_base: str | None = None, **options: Unpack[Options]
    ) -> None:
        options.setdefault("rate_limit", RATE_LIMIT)
        super().__init__(api_key, **options)
        own = self._transport.api_base
        self.stream_base = check_base(stream_base or (STREAM_BASE if own == STRIPE else own))
        self._session = StreamSession(self._transport, self.stream_base, self.create_session)

    def close(self) -> None:
        """Close the connections."""
        self._session.close()
        super().close()

    def send(self, event: UsageEvent, *, idempotency_key: str | None = None) -> MeterEvent:
        """Send an event, which Stripe checks before it answers.

        Raises InvalidRequestError with the `code` of what is wrong (`no_meter`, `archived_meter`,
        `payload_invalid_value`, …), and DuplicateEventError if the identifier had been used before
        this call. Stripe accepts one call at a time for a customer and meter; others are retried.
        """
        try:
            reply = self._transport.post_json(EVENTS, _encode(event), idempotency_key)
            return reply.read(parse_meter_event)
        except InvalidRequestError as error:
            return confirm(event, error, doubts=error.record.doubts)

    def cancel(
        self, *, event_name: str, identifier: str, idempotency_key: str | None = None
    ) -> MeterEventAdjustment:
        """Cancel the event with this identifier, which Stripe received in the last 24 hours.

        After attempts without an answer (`error.record.doubts`), a refusal that no such event
        exists can mean that one of them has cancelled it.
        """
        body = {"event_name": event_name, "type": "cancel", "cancel": {"identifier": identifier}}
        return self._transport.post_json(ADJUSTMENTS, body, idempotency_key).read(parse_adjustment)

    def create_session(self) -> MeterEventSession:
        """Create a session for another client of the stream; `stream` has its own."""
        return self._transport.post_json(SESSIONS, {}).read(parse_session)

    def stream(self, events: Sequence[UsageEvent]) -> None:
        """Send any number of events, up to 100 in a request; return once Stripe has them all.

        An expired session is renewed. If a request fails, `unsent` of the StripeError has its
        events and all after them. Repeating the call with them, or with all, counts none twice
        within 24 hours. Stripe refuses a whole request for one malformed event.
        """
        for start in range(0, len(events), BATCH):
            body = {"events": [_encode(event) for event in events[start : start + BATCH]]}
            try:
                self._session.post(STREAM, body)
            except StripeError as error:
                error.unsent = tuple(events[start:])
                raise


def _encode(event: UsageEvent) -> dict[str, Any]:
    """Return the JSON of an event; without a timestamp it has none."""
    seconds = event.seconds
    return {
        "event_name": event.event_name,
        "identifier": event.identifier,
        "payload": event.texts,
        **({} if seconds is None else {"timestamp": format_moment(seconds)}),
    }
