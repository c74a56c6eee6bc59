"""A plan: its changes in order of apply, and the hashes that identify it.

`plan_hash` is computed from the meaning of the plan: the changes, the configured account, and
the existing meters as they were read. It stays the same when a declaration moves in its file or
another key is used, and changes when a meter is edited in the account. `plan_id` is computed from
everything in a saved plan, including a random nonce, so that two plans never share idempotency
keys and an edited file is detected.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from typing import Any

from msgspec import Struct, to_builtins
from msgspec.json import encode
from msgspec.structs import replace

from ..model.change import Action, Change
from ..model.meter import unpack
from ..model.project import Account, AccountRef

PLAN_VERSION = 2
_ORDER = {action: n for n, action in enumerate(Action)}


class Target(Struct, frozen=True):
    """The account that a plan is for, as configured; it does not depend on the key."""

    name: str = ""
    livemode: bool = False
    account_id: str | None = None
    stripe_account: str | None = None
    stripe_context: str | None = None

    @classmethod
    def of(cls, account: Account) -> Target:
        """Return the identity of an account as the project file has it."""
        return cls(**{f: getattr(account, f) for f in cls.__struct_fields__})


class Plan(Struct, frozen=True, kw_only=True):
    """The changes of one account, and what they were based on.

    `account` is the account that the key acts on, `target` the configured one; `listed` are the
    ids of all existing meters, `created_at` is in Unix seconds, and `commit` is the git commit of
    the files, if any. `complete` is False for a narrowed run. A plan contains no secret.
    """

    account: AccountRef
    changes: tuple[Change, ...]
    target: Target = Target()
    listed: tuple[str, ...] = ()
    commit: str | None = None
    created_at: int = 0
    nonce: str = ""
    tool_version: str = ""
    complete: bool = True
    plan_hash: str = ""
    plan_id: str = ""


def sort_for_apply(changes: Iterable[Change]) -> tuple[Change, ...]:
    """Sort changes in order of apply, and by event_name within one action."""
    return tuple(sorted(changes, key=lambda change: (_ORDER[change.action], change.event_name)))


def seal(plan: Plan) -> Plan:
    """Return the plan with its plan_hash and its plan_id."""
    hashed = replace(plan, plan_hash=_hash_meaning(plan), plan_id="")
    return replace(hashed, plan_id=_hash_content(hashed)[:32])


def is_intact(plan: Plan) -> bool:
    """Whether the plan_hash and the plan_id of a plan fit its content."""
    return seal(plan) == plan


def _extract_meaning(plan: Plan) -> list[Any]:
    changes = [
        [
            change.action,
            change.event_name,
            change.desired
            and change.desired_meter
            and [change.desired.status, change.desired_meter.as_api()],
            [
                meter and meter.id
                for meter in (change.existing, change.reactivates if change.action.writes else None)
            ],
            sorted(
                (meter.as_known() for meter in change.existing_meters),
                key=lambda meter: str(meter["id"]),
            ),
        ]
        for change in plan.changes
        if change.action.writes or change.action is Action.BLOCKED
    ]
    return [plan.target, changes]


def _hash_meaning(plan: Plan) -> str:
    meaning = _extract_meaning(plan)
    text = json.dumps(
        meaning, default=unpack, sort_keys=True, separators=(",", ":"), ensure_ascii=True
    )
    return hashlib.sha256(text.encode()).hexdigest()


def _hash_content(plan: Plan) -> str:
    try:
        content = encode(plan, order="deterministic")
    except UnicodeEncodeError:  # a name of a file, or what the API adds, is not Unicode
        content = json.dumps(to_builtins(plan), sort_keys=True).encode()
    return hashlib.sha256(content).hexdigest()
