"""How an update changes an object, and what its event says of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..errors import RequestError
from ..messages import Json

MOST = 50
"""Names that the metadata of an object may have."""


def merge(thing: Json, asked: Mapping[str, Any], **moved: Any) -> tuple[Json, Json]:
    """Return an object as it is asked for, and the previous values of what that changes.

    `moved` are the fields, such as `updated`, that move with any other change.
    """
    new = thing | {name: value for name, value in asked.items() if name != "expand"}
    if "metadata" in asked:
        new["metadata"] = merge_metadata(thing["metadata"], asked["metadata"])
    previous = find_previous(thing, new)
    if not previous:
        return thing, {}
    return new | moved, find_previous(thing, new | moved)


def find_previous(old: Json, new: Json) -> Json:
    """Find the earlier values of all that differs; of metadata, those of the names that differ."""
    previous = {name: old.get(name) for name in new if new[name] != old.get(name)}
    if "metadata" in previous:
        before, after = old["metadata"], new["metadata"]
        names = [name for name in {**before, **after} if before.get(name) != after.get(name)]
        previous["metadata"] = {name: before.get(name) for name in names}
    return previous


def merge_metadata(old: Mapping[str, str], asked: Mapping[str, str] | None) -> dict[str, str]:
    """Merge metadata: an empty value removes its name, and None removes all of them."""
    if asked is None:
        return {}
    merged = {name: value for name, value in {**old, **asked}.items() if value}
    if len(merged) > MOST:
        text = f"You can only have {MOST} metadata keys, but there would be {len(merged)}."
        raise RequestError.invalid("metadata", text)
    return merged
