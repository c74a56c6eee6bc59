"""What is sent and returned about usage. Times are Unix seconds, in API v2 with milliseconds."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

from msgspec import Struct, field
from msgspec.structs import force_setattr

from .values import to_payload, to_seconds, to_text


class UsageEvent(Struct, frozen=True, kw_only=True):
    """Usage to be sent: to the meter of which event_name, for which customer, how much, when.

    The payload holds the meter's customer key and value key. Stripe counts an identifier once, so
    that the same event can be sent again; it is a new UUID unless given. Without a timestamp the
    usage is that of the time when Stripe receives it. Stripe decides which times it accepts: at
    most 35 days ago, and 5 minutes ahead. Raises ServiceError (S045) for what cannot be sent.
    """

    event_name: str
    payload: Mapping[str, str | int | Decimal]
    timestamp: datetime | float | None = None
    identifier: str = field(default_factory=lambda: str(uuid.uuid4()))

    def __post_init__(self) -> None:
        to_text("event_name", self.event_name)
        to_text("identifier", self.identifier)
        force_setattr(self, "payload", to_payload(self.payload))  # what is sent never changes
        if self.timestamp is not None:
            to_seconds("timestamp", self.timestamp)

    @property
    def texts(self) -> dict[str, str]:
        """The payload as it is sent."""
        return to_payload(self.payload)

    @property
    def seconds(self) -> float | None:
        """The timestamp in Unix seconds."""
        return None if self.timestamp is None else to_seconds("timestamp", self.timestamp)


class MeterEvent(Struct, frozen=True, kw_only=True):
    """An event that Stripe received, which does not yet mean that it counts.

    `created`, `livemode` and a timestamp that was not given are None if the answer was lost, and
    only the identifier shows that the event had arrived.
    """

    event_name: str
    identifier: str
    payload: Mapping[str, str]
    timestamp: float | None
    created: float | None
    livemode: bool | None


class MeterEventAdjustment(Struct, frozen=True, kw_only=True):
    """The cancellation of the event with an identifier; `id` and `created` are those of API v2."""

    event_name: str
    identifier: str
    status: str
    type: str
    livemode: bool
    id: str | None = None
    created: float | None = None


class MeterEventSession(Struct, frozen=True, kw_only=True):
    """A session of the meter event stream; the token is a secret, and expires."""

    id: str
    authentication_token: str
    created: float
    expires_at: float
    livemode: bool

    def __repr__(self) -> str:  # without the token
        return f"MeterEventSession({self.id}, expires_at={self.expires_at})"

    def __rich_repr__(self) -> list[tuple[str, Any]]:  # what rich shows in place of it
        return [("id", self.id), ("expires_at", self.expires_at)]


class MeterEventSummary(Struct, frozen=True, kw_only=True):
    """What a customer used of a meter from `start_time` to `end_time`."""

    id: str
    meter: str
    aggregated_value: float
    start_time: int
    end_time: int
    livemode: bool
