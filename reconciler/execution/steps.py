"""The requests of a plan, and their idempotency keys."""

from __future__ import annotations

import re
from collections.abc import Iterator
from enum import StrEnum
from typing import TYPE_CHECKING

from msgspec import Struct
from msgspec.structs import replace

from ..model.change import Action, Change

if TYPE_CHECKING:
    from ..planning.plan import Plan  # which a session does not need before its first request


class Operation(StrEnum):
    """The four calls that write a meter."""

    CREATE = "create"
    UPDATE = "update"
    DEACTIVATE = "deactivate"
    REACTIVATE = "reactivate"


class Step(Struct, frozen=True):
    """One request of a plan. `n` numbers the requests of the plan from 1, in order of apply.

    `meter_id` is the meter it is sent to (None for a create). `undoes` is the number of the step
    that this one compensates: it is only sent if the steps that follow that one have failed.
    """

    n: int
    operation: Operation
    change: Change
    meter_id: str | None = None
    undoes: int | None = None


_KEY = re.compile(r"reconciler-([0-9a-f]{12}|none)-([0-9a-f]{32})-([0-9]{1,9})-([0-9]{1,9})")


class KeyParts(Struct, frozen=True):
    """The parts of an idempotency key: the plan, the number of the request, the attempt."""

    commit: str | None
    plan_id: str
    n: int
    attempt: int


def list_steps(plan: Plan) -> dict[str, tuple[Step, ...]]:
    """Return the requests of every change that writes, by event_name.

    Refused changes are numbered too, so that a number never depends on what is skipped. A
    compensation is the last step of its change and has `undoes` set.
    """
    numbered: dict[str, tuple[Step, ...]] = {}
    n = 0
    for change in plan.changes:
        if change.action.writes:
            numbered[change.event_name] = tuple(
                replace(step, n=n + step.n, undoes=step.undoes and n + step.undoes)
                for step in _list_steps_of(change)
            )
            n += len(numbered[change.event_name])
    return numbered


def _list_steps_of(change: Change) -> Iterator[Step]:
    """Yield the requests of one change, numbered from 1."""
    existing = change.existing.id if change.existing else None
    match change.action:
        case Action.CREATE:
            yield Step(1, Operation.CREATE, change)
        case Action.UPDATE:
            yield Step(1, Operation.UPDATE, change, existing)
        case Action.DEACTIVATE:
            yield Step(1, Operation.DEACTIVATE, change, existing)
        case Action.REACTIVATE:
            yield Step(1, Operation.REACTIVATE, change, existing)
            if _is_renamed(change):
                yield Step(2, Operation.UPDATE, change, existing)
        case Action.REPLACE:
            yield from _list_replacement(change, existing)


def _list_replacement(change: Change, old: str | None) -> Iterator[Step]:
    """Deactivate the old meter and activate its successor; the last step compensates."""
    yield Step(1, Operation.DEACTIVATE, change, old)
    if change.reactivates is None:
        yield Step(2, Operation.CREATE, change)
        yield Step(3, Operation.REACTIVATE, change, old, undoes=1)
        return
    yield Step(2, Operation.REACTIVATE, change, change.reactivates.id)
    renames = _is_renamed(change)
    if renames:
        yield Step(3, Operation.UPDATE, change, change.reactivates.id)
    yield Step(4 if renames else 3, Operation.REACTIVATE, change, old, undoes=1)


def _is_renamed(change: Change) -> bool:
    meter, desired = change.reactivates or change.existing, change.desired_meter
    return bool(meter and desired and meter.display_name != desired.display_name)


def build_key(plan: Plan, step: Step, attempt: int) -> str:
    """Return the key of one request: the same for every run of a plan, never for two plans."""
    commit = (plan.commit or "none")[:12]
    return f"reconciler-{commit}-{plan.plan_id}-{step.n}-{attempt}"


def read_key(key: str) -> KeyParts | None:
    """Parse an idempotency key of this tool; return None for any other key."""
    found = _KEY.fullmatch(key)
    if not found:
        return None
    commit, plan_id, n, attempt = found.groups()
    return KeyParts(None if commit == "none" else commit, plan_id, int(n), int(attempt))
