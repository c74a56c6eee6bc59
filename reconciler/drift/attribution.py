"""Attribute findings by the events of the account."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping

from msgspec.structs import replace

from ..execution.steps import KeyParts, read_key
from ..model.event import REACH, Event
from ..model.finding import Attribution, DriftEntry, Finding, Kind, Origin
from ..timestamps import format_time

_CREATED, _UPDATED = "billing.meter.created", "billing.meter.updated"
_DEACTIVATED, _REACTIVATED = "billing.meter.deactivated", "billing.meter.reactivated"
_EXPLAINED_BY = {
    Kind.INACTIVE: (_DEACTIVATED,),
    Kind.MISSING: (_DEACTIVATED,),
    Kind.PRICE_ON_INACTIVE: (_DEACTIVATED,),
    Kind.RENAMED: (_UPDATED, _CREATED),
}
_BY_NO_EVENT = (
    Kind.PRICE_MISSING,
    Kind.PRICE_ON_OTHER_METER,
    Kind.NO_PRICE,
    Kind.UNEXPECTED_PRICE,
    Kind.USAGE_REJECTED,
    Kind.ZERO_USAGE,
    Kind.NO_USAGE,
)
"""Kinds that no event of a meter explains."""
_STARTED = (_CREATED, _REACTIVATED)  # what explains every other kind: the meter is active
_DATED = tuple(_EXPLAINED_BY)  # kinds that the meter itself dates


def needs_events(entries: Iterable[DriftEntry], now: int) -> bool:
    """Whether events could explain any finding; `now` is Unix seconds."""
    return any(
        _is_within_reach(finding, now) and not finding.exemption
        for entry in entries
        for finding in entry.findings
    )


def attribute(
    entries: tuple[DriftEntry, ...],
    events: Iterable[Event] | None,
    now: int,
    jobs: Mapping[str, str],
) -> tuple[DriftEntry, ...]:
    """Attribute every finding to the latest event that explains it.

    `events` are newest first and read no further than needed; None where they were not read:
    then only what is too old for them is attributed. `jobs` gives the job or user behind a
    plan_id, as far as the journal has it.
    """
    found = [finding for entry in entries for finding in entry.findings]
    explained = _match_events(found, events or (), now)
    open_ = {
        f
        for f in found
        if not f.meter_ids
        or f.kind in _BY_NO_EVENT
        or (events is None and _is_within_reach(f, now))
    }

    def attribute_one(finding: Finding) -> Finding:
        return (
            finding
            if finding in open_
            else _attribute_finding(finding, explained.get(finding), jobs)
        )

    return tuple(
        replace(entry, findings=tuple(map(attribute_one, entry.findings))) for entry in entries
    )


def _is_within_reach(finding: Finding, now: int) -> bool:
    if not finding.meter_ids or finding.kind in _BY_NO_EVENT:
        return False
    dated = finding.kind in _DATED and finding.since is not None
    return not dated or (finding.since or 0) >= now - REACH


def _match_events(
    findings: Iterable[Finding], events: Iterable[Event], now: int
) -> dict[Finding, Event]:
    """Match events to findings in one pass, which ends when all findings are explained."""
    explainable = [finding for finding in findings if _is_within_reach(finding, now)]
    waiting: dict[tuple[str, str], list[Finding]] = defaultdict(list)
    for finding in explainable:
        for meter_id in finding.meter_ids:
            for type_ in _EXPLAINED_BY.get(Kind(finding.kind), _STARTED):
                waiting[meter_id, type_].append(finding)
    explained: dict[Finding, Event] = {}
    for event in events:
        for finding in waiting.get((str(event.object.get("id")), event.type), ()):
            if event.type != _UPDATED or "display_name" in event.previous_attributes:
                explained.setdefault(finding, event)
        if len(explained) == len(explainable):
            break
    return explained


def _attribute_finding(finding: Finding, event: Event | None, jobs: Mapping[str, str]) -> Finding:
    if event is None:
        return replace(finding, attribution=Attribution(Origin.OLDER, note=Origin.OLDER.at_length))
    moment = finding.since if _DEACTIVATED in _EXPLAINED_BY.get(Kind(finding.kind), ()) else None
    return replace(finding, since=moment or event.created, attribution=_describe_event(event, jobs))


def find_origin(event: Event) -> tuple[Origin, KeyParts | None]:
    """Return who caused an event, and the parts of its idempotency key if it is one of ours."""
    if not event.idempotency_key:
        return Origin.OUTSIDE, None
    ours = read_key(event.idempotency_key)
    return (Origin.OURS, ours) if ours else (Origin.ANOTHER_CLIENT, None)


def _describe_event(event: Event, jobs: Mapping[str, str]) -> Attribution:
    who, ours = find_origin(event)
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
