"""Who brought a finding about, as far as the account's events tell."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import replace

from ..execution.steps import KeyParts, read_key
from ..model.event import Event
from ..model.finding import Attribution, Finding, Kind, Origin
from ..report.report import ReportedChange
from ..timestamps import format_time

REACH = 30 * 86_400
"""Seconds that Stripe keeps events. Source: GET /v1/events."""

_CREATED, _UPDATED = "billing.meter.created", "billing.meter.updated"
_STOPPED, _WOKEN = "billing.meter.deactivated", "billing.meter.reactivated"
_EXPLAINED_BY = {
    Kind.INACTIVE: (_STOPPED,),
    Kind.MISSING: (_STOPPED,),
    Kind.PRICE_ON_INACTIVE: (_STOPPED,),
    Kind.RENAMED: (_UPDATED, _CREATED),
}
_STARTED = (_CREATED, _WOKEN)  # what explains every other kind: the meter runs
_DATED = tuple(_EXPLAINED_BY)  # kinds whose moment the meter itself tells


def askable(changes: Iterable[ReportedChange], now: int) -> bool:
    """Whether events could tell anything about what was found; `now` is Unix seconds."""
    return any(
        _within_reach(finding, now) and not finding.exemption
        for change in changes
        for finding in change.findings
    )


def attribute(
    changes: tuple[ReportedChange, ...],
    events: Iterable[Event] | None,
    now: int,
    jobs: Mapping[str, str],
) -> tuple[ReportedChange, ...]:
    """The lines with every finding attributed to the latest event that explains it.

    `events` are newest first and read no further than needed; None where they were not read:
    then only what is too old for them is attributed. `jobs` names the job or person behind a
    plan_id, where a journal knows.
    """
    found = [finding for change in changes for finding in change.findings]
    told = _explained(found, events or (), now)
    open_ = {f for f in found if not f.meter_ids or (events is None and _within_reach(f, now))}

    def attributed(finding: Finding) -> Finding:
        return finding if finding in open_ else _attributed(finding, told.get(finding), jobs)

    return tuple(
        replace(change, findings=tuple(map(attributed, change.findings))) for change in changes
    )


def _within_reach(finding: Finding, now: int) -> bool:
    if not finding.meter_ids:
        return False
    dated = finding.kind in _DATED and finding.since is not None
    return not dated or (finding.since or 0) >= now - REACH


def _explained(
    findings: Iterable[Finding], events: Iterable[Event], now: int
) -> dict[Finding, Event]:
    """One pass over the events for all findings; it ends when all are explained."""
    asked = [finding for finding in findings if _within_reach(finding, now)]
    waiting: dict[tuple[str, str], list[Finding]] = defaultdict(list)
    for finding in asked:
        for meter_id in finding.meter_ids:
            for type_ in _EXPLAINED_BY.get(Kind(finding.kind), _STARTED):
                waiting[meter_id, type_].append(finding)
    told: dict[Finding, Event] = {}
    for event in events:
        for finding in waiting.get((str(event.object.get("id")), event.type), ()):
            if event.type != _UPDATED or "display_name" in event.previous_attributes:
                told.setdefault(finding, event)
        if len(told) == len(asked):
            break
    return told


def _attributed(finding: Finding, event: Event | None, jobs: Mapping[str, str]) -> Finding:
    if event is None:
        return replace(finding, attribution=Attribution(Origin.OLDER, note=Origin.OLDER.at_length))
    moment = finding.since if _STOPPED in _EXPLAINED_BY.get(Kind(finding.kind), ()) else None
    return replace(finding, since=moment or event.created, attribution=_told(event, jobs))


def origin(event: Event) -> tuple[Origin, KeyParts | None]:
    """Whose doing an event is, and what the key says of the request that caused it, if ours."""
    if not event.idempotency_key:
        return Origin.OUTSIDE, None
    ours = read_key(event.idempotency_key)
    return (Origin.OURS, ours) if ours else (Origin.ANOTHER_CLIENT, None)


def _told(event: Event, jobs: Mapping[str, str]) -> Attribution:
    who, ours = origin(event)
    what = f"{event.type} at {format_time(event.created)}"
    if ours:
        commit = f" at commit {ours.commit}" if ours.commit else ""
        job = f", {jobs[ours.plan_id]}" if ours.plan_id in jobs else ""
        note = f"by reconciler, plan {ours.plan_id}{commit}{job}"
    else:
        note = f"{'' if who is Origin.OUTSIDE else 'by '}{who.at_length}"
    return Attribution(
        who,
        at=event.created,
        request_id=event.request_id,
        plan_id=ours.plan_id if ours else None,
        commit=ours.commit if ours else None,
        note=f"{what}, {note}",
    )
