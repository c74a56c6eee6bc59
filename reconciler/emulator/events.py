"""What happened, and by which request. Source: /v1/events of Stripe's specification."""

from __future__ import annotations

from fnmatch import fnmatchcase

from .errors import no_such
from .lists import PAGING, page, within
from .messages import Json
from .params import Param, Shape, exclusive, expand, flag, span, text, texts
from .state import Call

URL = "/v1/events"

REACH = 30 * 24 * 3600
"""Seconds that the API looks back."""

LIST: Shape = PAGING | {
    "created": Param(span),
    "delivery_success": Param(flag),
    "expand": Param(expand("data", "data.data", "data.request")),
    "type": Param(text(5000)),
    "types": Param(texts(5000, 20)),
}
READ: Shape = {"expand": Param(expand("data", "request"))}


def list_(call: Call) -> Json:
    """A page of the last 30 days; without webhooks every event counts as delivered."""
    asked = call.params
    exclusive(asked, "type", "types")
    delivered = asked.get("delivery_success", True)

    def keep(event: Json) -> bool:
        return (
            delivered
            and _recent(call, event)
            and fnmatchcase(event["type"], asked.get("type", "*"))
            and ("types" not in asked or event["type"] in asked["types"])
            and within(event["created"], asked.get("created", {}))
        )

    return page(call, "events", "event", URL, keep)


def retrieve(call: Call) -> Json:
    """The event of an id, as long as it is not older than 30 days."""
    event = call.ledger.events.get(call.object_id)
    if event is None or not _recent(call, event):
        raise no_such("event", call.object_id)
    return event


def _recent(call: Call, event: Json) -> bool:
    created: int = event["created"]
    return created >= int(call.now) - REACH
