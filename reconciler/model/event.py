"""Events of an account."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from msgspec import Struct

RESEND = 35 * 86_400
"""The maximum age of a usage event in seconds. Source: POST /v1/billing/meter_events."""

REACH = 30 * 86_400
"""Seconds that Stripe keeps events. Source: GET /v1/events, GET /v2/core/events."""


class Event(Struct, frozen=True, kw_only=True):
    """An `event` object: what happened to which object, when (Unix seconds), by which request.

    `object` and `previous_attributes` are in the API's own shape, at the event's own version.
    """

    id: str
    type: str
    created: int
    object: Mapping[str, Any]
    previous_attributes: Mapping[str, Any] = {}
    request_id: str | None = None
    idempotency_key: str | None = None
