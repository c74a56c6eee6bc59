"""Write a plan to JSON, and read it back if its hashes fit.

A hash is not a signature: anyone who can write the file can compute a matching hash. Never apply a
plan that an untrusted job could have written.
"""

from __future__ import annotations

import json

from msgspec import to_builtins

from .. import json_text
from ..diagnostics.codes import applying as rules
from ..diagnostics.diagnostic import Location
from ..diagnostics.errors import ConfigError
from .decode import decode
from .plan import PLAN_VERSION, Plan, is_intact

_MALFORMED = (ValueError, TypeError, KeyError, AttributeError, OverflowError, RecursionError)


def dump_plan(plan: Plan) -> str:
    """Return the plan as JSON, with the version of the format first."""
    return json_text.dump({"plan_version": PLAN_VERSION, **to_builtins(plan)})


def load_plan(text: str, name: str) -> Plan:
    """Return the plan that `dump_plan` wrote; `name` is the name of the file, for errors.

    Raises ConfigError for another version, and for a truncated or edited file.
    """
    try:
        data = json.loads(text)
        version = data.pop("plan_version")
    except _MALFORMED:
        raise _refuse(name, "not a saved plan") from None
    if version != PLAN_VERSION:
        raise _refuse(
            name, f"plan_version {version!r} is not supported; this version reads {PLAN_VERSION}"
        )
    try:
        plan: Plan = decode(Plan, data)
        intact = is_intact(plan)
    except _MALFORMED as error:
        raise _refuse(name, f"not a saved plan ({error})") from None
    if not intact:
        raise _refuse(name, "plan_hash or plan_id does not match the content: it was edited")
    return plan


def _refuse(name: str, message: str) -> ConfigError:
    return ConfigError(rules.PLAN_FILE(message, Location(name)))
