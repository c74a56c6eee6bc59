"""Pages of a list: newest first, 1 to 100 a page, cursors that exclude each other."""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from typing import Any

from ..errors import RequestError
from ..messages import Json
from ..state import Call
from .params import Expand, Shape, Text, Whole, check_bounds

_COMPARISONS = {"gt": operator.gt, "gte": operator.ge, "lt": operator.lt, "lte": operator.le}


def build_list_shape(expandable: tuple[str, ...], filters: Shape) -> Shape:
    """Build the parameters of a list call from its filters and the fields of its objects."""
    return filters | {
        "ending_before": Text(5000),
        "expand": Expand(("data", *(f"data.{name}" for name in expandable))),
        "limit": Whole(),
        "starting_after": Text(5000),
    }


def build_page(call: Call, name: str, noun: str, url: str, select: Callable[[Json], bool]) -> Json:
    """Build the page that the call's cursors ask for, of the objects that `select` accepts.

    The object of a cursor may itself be filtered out. Raises RequestError for an unknown one.
    """
    things = call.state.list_objects(call.ledger, name, call.now)
    return build_page_of(call, things, noun, url, select)


def build_page_of(
    call: Call, things: list[Json], noun: str, url: str, select: Callable[[Json], bool]
) -> Json:
    """Build the page that the call's cursors ask for of these objects, newest first."""
    limit = _get_limit(call)
    start = _find_position(call.params, "starting_after", things, noun) + 1
    end = _find_position(call.params, "ending_before", things, noun)
    if "starting_after" in call.params and "ending_before" in call.params:
        text = "Received both starting_after and ending_before parameters. Please pass in only one."
        raise RequestError(400, text)
    if "ending_before" in call.params:
        found = [thing for thing in reversed(things[:end]) if select(thing)]
        data = found[:limit][::-1]
    else:
        found = [thing for thing in things[start:] if select(thing)]
        data = found[:limit]
    return {"object": "list", "data": data, "has_more": len(found) > limit, "url": url}


def _get_limit(call: Call) -> int:
    """Return the size of a page, 10 unless one is given; raises RequestError for another."""
    given: int = call.params.get("limit", 10)
    if call.settings.limit_range == "refuse":
        check_bounds("limit", given, 1, 100)
    return min(max(given, 1), 100)


def _find_position(params: Mapping[str, Any], cursor: str, things: list[Json], noun: str) -> int:
    """Return the position of a cursor; -1, before the first object, without one."""
    if cursor not in params:
        return -1
    for position, thing in enumerate(things):
        if thing["id"] == params[cursor]:
            return position
    raise RequestError.no_such(noun, params[cursor], cursor, 400)


def is_within(moment: float, bounds: Mapping[str, float]) -> bool:
    """Return whether a time is within the bounds of a `created` filter."""
    return all(_COMPARISONS[name](moment, bound) for name, bound in bounds.items())
