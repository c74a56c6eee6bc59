"""Events of an account."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

RESEND = 35 * 86_400
"""The maximum age of a usage event in seconds. Source: POST /v1/billing/meter_events."""

REACH = 30 * 86_400
"""Seconds that Stripe keeps events. Source: GET /v1/events, GET /v2/core/events."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """An `event` object: what happened to which object, when (Unix seconds), by which request.

    `object` and `previous_attributes` are in the API's own shape, at the event's own version.
    """

    id: str
    type: str
    created: int
    object: Mapping[str, Any]
    previous_attributes: Mapping[str, Any] = field(default_factory=dict)
    request_id: str | None = None
    idempotency_key: str | None = None
