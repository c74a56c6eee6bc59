"""Thin events: the reports of rejected usage, and what has become of objects of API v1.

Source: /v2/core/events. An event of an object of v1 has the name of its snapshot event after
`v1.`, and names it.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from ..errors import RequestError
from ..messages import Json
from ..requests.ids import generate_thin_event_id
from ..requests.pagination import is_within
from ..requests.params import Nested, Shape, Text, Whole
from ..resources.events import RETENTION
from ..state import Call
from .moments import format_moment
from .reports import build_report, find_context
from .usage_params import Moment, TextList

URL = "/v2/core/events"
PAGE_SIZE = 20

READ: Shape = {}
LIST: Shape = {
    "created": Nested(dict.fromkeys(("gt", "gte", "lt", "lte"), Moment())),
    "limit": Whole(1, 100),
    "object_id": Text(5000),
    "page": Text(5000),
    "types": TextList(most=20),
}

_COLLECTIONS = {
    "billing.alert": "billing/alerts",
    "billing.meter": "billing/meters",
    "customer": "customers",
    "price": "prices",
    "product": "products",
    "subscription": "subscriptions",
}


def list_(call: Call) -> Json:
    """List the events of the last 30 days, newest first, a page at a time."""
    asked = call.params
    limit: int = asked.get("limit", PAGE_SIZE)
    found = [event for at, event in _collect(call) if _matches(asked, at, event)]
    start = _find_start(asked, found, limit)
    page = found[start : start + limit]
    more, before = start + limit < len(found), start > 0
    return {
        "data": page,
        "next_page_url": _build_url(asked, "after", page[-1]["id"]) if more else None,
        "previous_page_url": _build_url(asked, "before", page[0]["id"]) if before else None,
    }


def retrieve(call: Call) -> Json:
    """Return the event of an id, unless it is older than 30 days."""
    for _, event in _collect(call):
        if event["id"] == call.object_id:
            return event
    raise RequestError.no_such("event", call.object_id)


def _collect(call: Call) -> list[tuple[float, Json]]:
    """Collect the events that have appeared and are not too old, newest first, with their time."""
    oldest = call.now - RETENTION
    found = [
        (notice["at"], build_report(call, notice))
        for notice in call.state.list_objects(call.ledger, "thin_events", call.now)
        if oldest <= notice["at"] <= call.now
    ]
    found += [
        (event["created"], _build_thin(call, event))
        for event in call.state.list_objects(call.ledger, "events", call.now)
        if event["data"]["object"]["object"] in _COLLECTIONS and event["created"] >= int(oldest)
    ]
    return sorted(found, key=lambda each: -each[0])


def _build_thin(call: Call, event: Json) -> Json:
    """Build the thin event of a snapshot event."""
    thing, previous = event["data"]["object"], event["data"].get("previous_attributes")
    mode = "live" if event["livemode"] else "test"
    request = event["request"] if event["request"]["id"] else None
    return {
        "id": generate_thin_event_id(mode, event["id"], 0),
        "object": "v2.core.event",
        "changes": {"before": previous, "after": {name: thing.get(name) for name in previous}}
        if previous
        else None,
        "context": find_context(call),
        "created": format_moment(event["created"]),
        "data": None,
        "livemode": event["livemode"],
        "reason": {"type": "request", "request": request} if request else None,
        "related_object": {
            "id": thing["id"],
            "type": thing["object"],
            "url": f"/v1/{_COLLECTIONS[thing['object']]}/{thing['id']}",
        },
        "snapshot_event": event["id"],
        "type": f"v1.{event['type']}",
    }


def _matches(asked: Mapping[str, Any], at: float, event: Json) -> bool:
    related = event["related_object"] or {}
    return (
        asked.get("object_id") in (None, related.get("id"))
        and ("types" not in asked or event["type"] in asked["types"])
        and is_within(at, asked.get("created", {}))
    )


def _find_start(asked: Mapping[str, Any], found: list[Json], limit: int) -> int:
    """Find where a page starts; raises RequestError for a token that no answer gave."""
    if "page" not in asked:
        return 0
    side, event_id = _read_token(asked["page"])
    for position, event in enumerate(found):
        if event["id"] == event_id:
            return position + 1 if side == "after" else max(0, position - limit)
    return len(found)


def _read_token(token: str) -> tuple[str, str]:
    try:
        text = base64.urlsafe_b64decode(token).decode("ascii")
    except (binascii.Error, UnicodeError, ValueError):
        text = ""
    known = re.fullmatch(r"(after|before):(evt_\w+)", text, re.ASCII)
    if not known:
        raise RequestError.invalid("page", f"Invalid page token: {token}")
    return known[1], known[2]


def _build_url(asked: Mapping[str, Any], side: str, event_id: str) -> str:
    """Build the address of another page: the filters, and a token for its place."""
    token = base64.urlsafe_b64encode(f"{side}:{event_id}".encode()).decode()
    pairs = [(name, str(asked[name])) for name in ("object_id", "limit") if name in asked]
    pairs += [(f"types[{n}]", each) for n, each in enumerate(asked.get("types", ()))]
    bounds = asked.get("created", {}).items()
    pairs += [(f"created[{name}]", format_moment(moment)) for name, moment in bounds]
    pairs.append(("page", token))
    return f"{URL}?" + "&".join(f"{name}={quote(value, safe='')}" for name, value in pairs)
