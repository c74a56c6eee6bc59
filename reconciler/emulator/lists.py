"""Pages of a list: newest first, 1 to 100 a page, cursors that exclude each other."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from .errors import no_such
from .messages import Json
from .params import Param, Shape, exclusive, text, whole
from .state import Call

PAGING: Shape = {
    "ending_before": Param(text(5000)),
    "limit": Param(whole(1, 100)),
    "starting_after": Param(text(5000)),
}


def page(call: Call, name: str, noun: str, url: str, keep: Callable[[Json], bool]) -> Json:
    """The page that the call's cursors ask for, of the objects that `keep` accepts.

    A cursor need not pass the filter itself. Raises RequestError for one that is unknown.
    """
    exclusive(call.params, "starting_after", "ending_before")
    limit: int = call.params.get("limit", 10)
    things = call.state.listed(name, call.now)
    if "ending_before" in call.params:
        end = _position(call.params, "ending_before", things, noun)
        found = [thing for thing in reversed(things[:end]) if keep(thing)]
        data = found[:limit][::-1]
    else:
        start = _position(call.params, "starting_after", things, noun) + 1
        found = [thing for thing in things[start:] if keep(thing)]
        data = found[:limit]
    return {"object": "list", "data": data, "has_more": len(found) > limit, "url": url}


def _position(params: Mapping[str, Any], cursor: str, things: list[Json], noun: str) -> int:
    """The position of a cursor; -1, before the first object, without one."""
    if cursor not in params:
        return -1
    for position, thing in enumerate(things):
        if thing["id"] == params[cursor]:
            return position
    raise no_such(noun, params[cursor], cursor, 400)


def within(moment: int, bounds: Mapping[str, int]) -> bool:
    """Whether a time lies in the bounds of a `created` filter."""
    return (
        moment > bounds.get("gt", moment - 1)
        and moment >= bounds.get("gte", moment)
        and moment < bounds.get("lt", moment + 1)
        and moment <= bounds.get("lte", moment)
    )
