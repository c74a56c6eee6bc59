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
import re
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, fields, replace
from typing import Any

from .answer import Step, Verb
from .model import Account, AccountRef, Action, Change

PLAN_VERSION = 1
_ORDER = {action: n for n, action in enumerate(Action)}
_KEY = re.compile(r"reconciler-([0-9a-f]{12}|none)-([0-9a-f]{32})-([0-9]{1,9})-([0-9]{1,9})")


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
    are the ids of all live meters, `created_at` Unix seconds, `configuration` the digest of the
    files and `commit` the git commit they were read at, where there is one. `complete` is False
    for a narrowed run. It holds no secret.
    """

    account: AccountRef
    changes: tuple[Change, ...]
    target: Target = Target()
    listed: tuple[str, ...] = ()
    configuration: str = ""
    commit: str | None = None
    created_at: int = 0
    nonce: str = ""
    tool_version: str = ""
    complete: bool = True
    plan_hash: str = ""
    plan_id: str = ""


@dataclass(frozen=True, slots=True)
class KeyParts:
    """What one of our idempotency keys says: which plan, which request of it, which attempt."""

    commit: str | None
    plan_id: str
    n: int
    attempt: int


def in_order(changes: Iterable[Change]) -> tuple[Change, ...]:
    """Lines in order of apply, and by name within one kind of action."""
    return tuple(sorted(changes, key=lambda line: (_ORDER[line.action], line.event_name)))


def seal(plan: Plan) -> Plan:
    """The same plan, named by its hash and its id."""
    named = replace(plan, plan_hash=_digest(_meaning(plan)), plan_id="")
    return replace(named, plan_id=_digest(asdict(named))[:32])


def intact(plan: Plan) -> bool:
    """Whether a plan still is what its hash and its id name."""
    return seal(plan) == plan


def _meaning(plan: Plan) -> list[Any]:
    lines = [
        [
            line.action,
            line.event_name,
            line.want and [line.want.status, line.want.meter.as_api()],
            [
                meter and meter.id
                for meter in (line.have, line.wakes if line.action.writes else None)
            ],
            sorted((meter.as_api() for meter in line.live), key=lambda meter: str(meter["id"])),
        ]
        for line in plan.changes
        if line.action.writes or line.action is Action.BLOCKED
    ]
    return [asdict(plan.target), lines]


def _digest(value: Any) -> str:
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return hashlib.sha256(text.encode()).hexdigest()


def steps(plan: Plan) -> dict[str, tuple[Step, ...]]:
    """The requests of every line that writes, by event_name.

    All are numbered, those of refused lines too, so that a number never depends on what is
    skipped. A compensation is the last step of its line and has `undoes` set.
    """
    numbered: dict[str, tuple[Step, ...]] = {}
    n = 0
    for line in plan.changes:
        if line.action.writes:
            numbered[line.event_name] = tuple(
                replace(step, n=n + step.n, undoes=step.undoes and n + step.undoes)
                for step in _steps(line)
            )
            n += len(numbered[line.event_name])
    return numbered


def _steps(line: Change) -> Iterator[Step]:
    """The requests of one line, numbered from 1."""
    have = line.have.id if line.have else None
    match line.action:
        case Action.CREATE:
            yield Step(1, Verb.CREATE, line)
        case Action.UPDATE:
            yield Step(1, Verb.UPDATE, line, have)
        case Action.DEACTIVATE:
            yield Step(1, Verb.DEACTIVATE, line, have)
        case Action.REACTIVATE:
            yield Step(1, Verb.REACTIVATE, line, have)
            if _renames(line):
                yield Step(2, Verb.UPDATE, line, have)
        case Action.REPLACE:
            yield from _replacement(line, have)


def _replacement(line: Change, old: str | None) -> Iterator[Step]:
    """Stop the old meter, start its successor; the last step wakes the old one if that fails."""
    yield Step(1, Verb.DEACTIVATE, line, old)
    if line.wakes is None:
        yield Step(2, Verb.CREATE, line)
        yield Step(3, Verb.REACTIVATE, line, old, undoes=1)
        return
    yield Step(2, Verb.REACTIVATE, line, line.wakes.id)
    renames = _renames(line)
    if renames:
        yield Step(3, Verb.UPDATE, line, line.wakes.id)
    yield Step(4 if renames else 3, Verb.REACTIVATE, line, old, undoes=1)


def _renames(line: Change) -> bool:
    woken = line.wakes or line.have
    return bool(woken and line.want and woken.display_name != line.want.meter.display_name)


def idempotency_key(plan: Plan, step: Step, attempt: int) -> str:
    """The key of one request: the same for two jobs that apply one plan, never for two plans."""
    commit = (plan.commit or "none")[:12]
    return f"reconciler-{commit}-{plan.plan_id}-{step.n}-{attempt}"


def read_key(key: str) -> KeyParts | None:
    """What one of our keys says; None for a key that is not ours."""
    found = _KEY.fullmatch(key)
    if not found:
        return None
    commit, plan_id, n, attempt = found.groups()
    return KeyParts(None if commit == "none" else commit, plan_id, int(n), int(attempt))
