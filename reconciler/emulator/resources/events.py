"""Events: what changed, and by which request. Source: /v1/events of Stripe's specification."""

from __future__ import annotations

from fnmatch import fnmatchcase

from ..errors import RequestError
from ..messages import Json
from ..requests.pagination import build_list_shape, build_page, is_within
from ..requests.params import Expand, Flag, Period, Shape, Text, Texts, check_exclusive
from ..state import Call

URL = "/v1/events"

RETENTION = 30 * 24 * 3600
"""Seconds for which the API returns an event."""

_FIELDS = ("data", "request")
READ: Shape = {"expand": Expand(_FIELDS)}
LIST = build_list_shape(
    _FIELDS,
    {
        "created": Period(),
        "delivery_success": Flag(),
        "type": Text(5000),
        "types": Texts(most=20),
    },
)


def list_(call: Call) -> Json:
    """List the last 30 days; without webhooks every event counts as delivered."""
    asked = call.params
    check_exclusive(asked, "type", "types")
    delivered = asked.get("delivery_success", True)

    def select(event: Json) -> bool:
        return (
            delivered
            and _is_recent(call, event)
            and fnmatchcase(event["type"], asked.get("type", "*"))
            and ("types" not in asked or event["type"] in asked["types"])
            and is_within(event["created"], asked.get("created", {}))
        )

    return build_page(call, "events", "event", URL, select)


def retrieve(call: Call) -> Json:
    """Return the event of an id, unless it is older than 30 days."""
    event = call.find("events", "event")
    if not _is_recent(call, event):
        raise RequestError.no_such("event", call.object_id)
    return event


def _is_recent(call: Call, event: Json) -> bool:
    created: int = event["created"]
    return created >= int(call.now) - RETENTION
