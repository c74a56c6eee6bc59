"""A plan: its lines in order of apply, the requests they take, and what names it.

`plan_hash` is over the meaning of the plan: what is asked of which configured account, and of
which live meters as they were read. Moving a YAML line keeps it, and so does another key; a
hand edit of the account changes it. `plan_id` is over everything that a saved plan holds, a
random nonce included, so that two plans never share idempotency keys and an edited file does
not load.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass, fields, replace
from typing import Any

from ..model.change import Action, Change
from ..model.project import Account, AccountRef

PLAN_VERSION = 1
_ORDER = {action: n for n, action in enumerate(Action)}


@dataclass(frozen=True, slots=True)
class Target:
    """The account that a plan is for, as the files name it: the same for whoever's key reads it."""

    name: str = ""
    livemode: bool = False
    account_id: str | None = None
    stripe_account: str | None = None
    stripe_context: str | None = None

    @classmethod
    def of(cls, account: Account) -> Target:
        """What the project file says of an account's identity."""
        return cls(**{f.name: getattr(account, f.name) for f in fields(cls)})


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """Everything that was decided, and what it was decided on.

    `account` is what the key could read of the account, `target` what the files name; `listed`
    are the ids of all existing meters, `created_at` Unix seconds, and `commit` the git commit that
    the files were read at, where there is one. `complete` is False
    for a narrowed run. It holds no secret.
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


def in_order(changes: Iterable[Change]) -> tuple[Change, ...]:
    """Lines in order of apply, and by name within one kind of action."""
    return tuple(sorted(changes, key=lambda change: (_ORDER[change.action], change.event_name)))


def seal(plan: Plan) -> Plan:
    """The same plan, named by its hash and its id."""
    named = replace(plan, plan_hash=_digest(_meaning(plan)), plan_id="")
    return replace(named, plan_id=_digest(asdict(named))[:32])


def intact(plan: Plan) -> bool:
    """Whether a plan still is what its hash and its id name."""
    return seal(plan) == plan


def _meaning(plan: Plan) -> list[Any]:
    changes = [
        [
            change.action,
            change.event_name,
            change.desired and [change.desired.status, change.desired.meter.as_api()],
            [
                meter and meter.id
                for meter in (change.existing, change.reactivates if change.action.writes else None)
            ],
            sorted(
                (meter.as_api() for meter in change.existing_meters),
                key=lambda meter: str(meter["id"]),
            ),
        ]
        for change in plan.changes
        if change.action.writes or change.action is Action.BLOCKED
    ]
    return [asdict(plan.target), changes]


def _digest(value: Any) -> str:
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return hashlib.sha256(text.encode()).hexdigest()
