"""Edits of a declaration that keep an existing meter, as YAML in flow style."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from typing import Any

from ..config.yaml.writer import quote
from ..model.match import IMMUTABLE
from ..model.meter import ExistingMeter, Status, has_unknown_values
from ..model.project import MeterConfig

_PLAIN = re.compile(r"(?i:(?!(?:y|n|yes|no|on|off|true|false|null)$)[a-z][a-z0-9_-]*)")
ALLOW_UNKNOWN = "# with `allow_unknown_values: true` in the file"


def adopt_settings(existing: ExistingMeter, desired: MeterConfig) -> str:
    """Return the immutable settings of an existing meter that differ from the declared ones."""
    return _format_edit(existing, desired, {})


def keep_active(existing: ExistingMeter, desired: MeterConfig) -> str:
    """Return the edit after which an existing meter is the declared, active one."""
    more: dict[str, Any] = {}
    if desired.status != Status.ACTIVE:
        more["status"] = str(Status.ACTIVE)
    if existing.id in desired.retires:
        more["retires"] = [other for other in desired.retires if other != existing.id]
    return _format_edit(existing, desired, more)


def _format_edit(existing: ExistingMeter, desired: MeterConfig, more: Mapping[str, Any]) -> str:
    theirs, ours = existing.meter, desired.meter
    differing = [name for name in IMMUTABLE if getattr(theirs, name) != getattr(ours, name)]
    values = theirs.as_api()
    taken = {**more, **{name: values[name] for name in differing if values[name] is not None}}
    change = format_flow(taken)[1:-1] if len(taken) == 1 else format_flow(taken) if taken else ""
    notes = [f"# leave {name} out" for name in differing if values[name] is None]
    notes += [ALLOW_UNKNOWN] if has_unknown_values(existing) else []
    return " ".join([change, *notes]).strip() + name_override(desired, *more, *differing)


def name_override(desired: MeterConfig, *paths: str) -> str:
    """Return as a comment where an edit of one of these settings has an effect."""
    location = desired.find_override(*paths)
    return f"  # in the override at {location}" if location else ""


def format_ids(ids: Iterable[str]) -> str:
    """Return a list of ids in flow style, each once; in quotes where YAML needs them."""
    return f"[{', '.join(i if _PLAIN.fullmatch(i) else quote(i) for i in dict.fromkeys(ids))}]"


def format_flow(value: Any) -> str:
    """Return YAML in flow style, with quoted strings and escaped unprintable characters."""
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{key}: {format_flow(inner)}" for key, inner in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(format_flow, value)) + "]"
    return quote(value) if isinstance(value, str) else json.dumps(value)
