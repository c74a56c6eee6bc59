"""What differs between the approved plan and the one that planning gives now."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from msgspec import to_builtins

from ..model.change import Action, Change
from ..model.match import flatten
from ..planning.plan import Plan
from .report import PlanDifference, PlanField

_STATUS = "status"


def compare_plans(approved: Plan, planned: Plan) -> tuple[PlanDifference, ...]:
    """Return what differs in what a plan_hash is computed from, and in what is refused.

    Plans with different hashes always differ here. Changes that neither plan makes do not count.
    """
    target = tuple(_compare(_prefix("target", approved.target), _prefix("target", planned.target)))
    whole = (PlanDifference(event_name=None, fields=target),) if target else ()
    before, after = ({each.event_name: each for each in it.changes} for it in (approved, planned))
    names = sorted({*_list_names(approved), *_list_names(planned)})
    found = (_compare_changes(name, before.get(name), after.get(name)) for name in names)
    return (*whole, *(each for each in found if each.fields or each.approved != each.planned))


def _list_names(plan: Plan) -> Iterator[str]:
    """Yield the event_names that a plan changes, or would change if it was not blocked."""
    for change in plan.changes:
        if change.action.writes or change.action is Action.BLOCKED:
            yield change.event_name


def _compare_changes(name: str, approved: Change | None, planned: Change | None) -> PlanDifference:
    return PlanDifference(
        event_name=name,
        approved=approved.action if approved else None,
        planned=planned.action if planned else None,
        fields=tuple(_compare(_list_facts(approved), _list_facts(planned))),
    )


Facts = dict[str, dict[str, Any]]
"""Values by name, in groups: what only one plan has shows in its status alone."""


def _list_facts(change: Change | None) -> Facts:
    if change is None:
        return {}
    desired, meter = change.desired, change.desired_meter
    facts: Facts = {"": {"existing": change.existing.id if change.existing else None}}
    if change.action.writes and change.reactivates:
        facts[""]["reactivates"] = change.reactivates.id
    if change.refused_by:
        facts[""]["refused_by"] = ", ".join(change.refused_by)
    if desired and meter:
        facts["desired"] = {_STATUS: desired.status, **flatten(meter.as_api())}
    for each in change.existing_meters:
        facts[f"meters.{each.id}"] = flatten(each.as_known())
    return facts


def _prefix(name: str, noun: Any) -> Facts:
    return {name: to_builtins(noun)}


def _compare(approved: Facts, planned: Facts) -> Iterator[PlanField]:
    for group in dict.fromkeys((*approved, *planned)):
        a, b = approved.get(group, {}), planned.get(group, {})
        names = dict.fromkeys((*a, *b)) if (a and b) or not group else (_STATUS,)
        yield from _compare_values(group, a, b, names)


def _compare_values(
    group: str, a: Mapping[str, Any], b: Mapping[str, Any], names: dict[str, None] | tuple[str, ...]
) -> Iterator[PlanField]:
    for name in names:
        if a.get(name) != b.get(name):
            path = ".".join(filter(None, (group, name)))
            yield PlanField(path, a.get(name), b.get(name))
