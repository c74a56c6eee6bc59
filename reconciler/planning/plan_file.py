"""A saved plan: text and back. What it says is not trusted before its hashes agree.

A hash is not a signature: whoever can write the file can write a fitting hash. Never apply a
plan that an untrusted job could have made.
"""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Any

from ..diagnostics.codes import applying as rules
from ..diagnostics.diagnostic import Location
from ..diagnostics.errors import ConfigError
from .plan import PLAN_VERSION, Plan, is_intact

_MALFORMED = (ValueError, TypeError, KeyError, AttributeError, OverflowError, RecursionError)


def dumps(plan: Plan) -> str:
    """The plan as JSON, with the version of this format first."""
    return json.dumps({"plan_version": PLAN_VERSION, **asdict(plan)}, indent=2) + "\n"


def loads(text: str, name: str) -> Plan:
    """The plan that `dumps` wrote; `name` is the file's, for the error.

    Raises ConfigError for anything else: another version, a cut-off or an edited file.
    """
    try:
        data = json.loads(text)
        version = data.pop("plan_version")
    except _MALFORMED:
        raise _unusable(name, "this is not a saved plan") from None
    if version != PLAN_VERSION:
        raise _unusable(
            name, f"plan_version is {version!r}; this version of the tool reads {PLAN_VERSION}"
        )
    plan, whole = _structure(data, name)
    if not whole:
        raise _unusable(name, "its plan_hash or plan_id does not fit what it says: it was edited")
    return plan


def _structure(data: Any, name: str) -> tuple[Plan, bool]:
    """The plan that the data hold, and whether it is what its hashes name."""
    from cattrs import Converter  # 50 ms to import: only where a plan is loaded
    from cattrs.errors import ForbiddenExtraKeysError

    converter = Converter(forbid_extra_keys=True, detailed_validation=False)
    try:
        plan = converter.structure(data, Plan)
        return plan, is_intact(plan)
    except (*_MALFORMED, ForbiddenExtraKeysError) as error:
        detail = f"{type(error).__name__}: {error}"
        raise _unusable(name, f"this is not a saved plan ({detail})") from None


def _unusable(name: str, message: str) -> ConfigError:
    return ConfigError(rules.PLAN_FILE(message, Location(name)))
