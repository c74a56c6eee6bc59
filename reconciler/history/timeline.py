"""The time line of one meter: the journal, the events of the accounts and the commits, merged."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence

from ..drift.attribution import find_origin
from ..model.event import Event
from ..model.finding import Origin
from ..model.usage import UsageReport, describe_codes, list_samples
from ..report.history import (
    DeclarationChange,
    Moment,
    PastChange,
    PastCommit,
    PastRequest,
    PastRun,
    Source,
    describe_request,
)

AccountUsage = tuple[str, UsageReport]
"""The name of an account, and one of its reports of rejected usage."""

AccountEvent = tuple[str, Event]
"""The name of an account, and one of its events."""


def build_timeline(
    runs: Sequence[PastRun],
    events: Iterable[AccountEvent],
    commits: Iterable[PastCommit],
    reports: Iterable[AccountUsage] = (),
) -> tuple[Moment, ...]:
    """Merge the history of one event_name, oldest first.

    An event that is the effect of a request in the journal is a part of that request's moment.
    `events` and `commits` are newest first, as Stripe and git list them. Commits have the
    committer's clock, requests ours, events Stripe's in whole seconds: within a second, the order
    is unknown, except that of commits.
    """
    sent = [(run, request) for run in runs for line in run.changes for request in line.requests]
    effects, others = _join_events([request for _, request in sent], events)
    moments = [
        *map(_describe_commit, reversed(tuple(commits))),
        *(_describe_request(run, request, effects[n]) for n, (run, request) in enumerate(sent)),
        *(
            _describe_result(run, line)
            for run in runs
            for line in run.changes
            if _has_own_moment(line)
        ),
        *(_describe_event(account, event) for account, event in others),
        *(_describe_report(account, report) for account, report in reports),
    ]
    return tuple(sorted(moments, key=lambda moment: moment.at))


def _join_events(
    requests: Sequence[PastRequest], events: Iterable[AccountEvent]
) -> tuple[dict[int, list[Event]], list[AccountEvent]]:
    """Return the events that each request caused, by its index, and the events of no request.

    The request id decides. Where the response was lost there is none, and a retry has another:
    then the idempotency key decides, for the first request that may have had an effect.
    """
    by_id: dict[str, int] = {}
    by_key: dict[str, int] = {}
    for n, request in enumerate(requests):
        if request.request_id:
            by_id.setdefault(request.request_id, n)
        if request.result not in ("rejected", "not_sent"):
            by_key.setdefault(request.key, n)
    effects: defaultdict[int, list[Event]] = defaultdict(list)
    others: list[AccountEvent] = []
    for account, event in reversed(tuple(events)):
        n = by_id.get(event.request_id or "", by_key.get(event.idempotency_key or "", -1))
        if n < 0:
            others.append((account, event))
        else:
            effects[n].append(event)
    return effects, others


def _describe_request(run: PastRun, request: PastRequest, effects: Sequence[Event]) -> Moment:
    """Return the moment of a request, with the events that confirm it."""
    operation = request.operation or "?"
    undoing = " (rollback)" if request.undoes else ""
    said = [
        f"{operation}{undoing}: {describe_request(request)}",
        *(event.type for event in effects),
    ]
    notes = [request.error, *map(_describe_rename, effects)]
    first = next(iter(effects), None)
    return Moment(
        at=request.at,
        source=Source.JOURNAL,
        kind=operation,
        what="; ".join(said),
        note="; ".join(filter(None, notes)) or None,
        who=_describe_user(run),
        origin=Origin.OURS,
        account=run.account.name,
        meter_id=request.meter_id or (_read_meter_id(first) if first else None),
        request_id=request.request_id or (first.request_id if first else None),
        plan_id=run.plan_id,
        commit=run.commit,
        event_ids=tuple(event.id for event in effects),
    )


def _has_own_moment(line: PastChange) -> bool:
    """Whether the result of a change adds something to its requests."""
    return line.status is not None and not (line.requests and line.status in ("done", "already"))


def _describe_result(run: PastRun, line: PastChange) -> Moment:
    """Return the moment of a change that failed, was skipped, or needed no request."""
    action = line.action or "?"
    return Moment(
        at=run.began if line.at is None else line.at,
        source=Source.JOURNAL,
        kind=action,
        what=f"{action}: {line.status}",
        note=f"{line.code}: {line.message}" if line.code else None,
        who=_describe_user(run),
        origin=Origin.OURS,
        account=run.account.name,
        meter_id=line.meter_id,
        plan_id=run.plan_id,
        commit=run.commit,
    )


def _describe_event(account: str, event: Event) -> Moment:
    """Return the moment of an event that no request in this journal explains."""
    origin, ours = find_origin(event)
    by_ours = f"{origin.briefly}, by a run that is not in this journal"
    return Moment(
        at=float(event.created),
        source=Source.EVENT,
        kind=event.type,
        what=event.type,
        note=_describe_rename(event),
        who=by_ours if ours else origin.at_length,
        origin=origin,
        account=account,
        meter_id=_read_meter_id(event),
        request_id=event.request_id,
        plan_id=ours.plan_id if ours else None,
        commit=ours.commit if ours else None,
        event_ids=(event.id,),
    )


def _describe_report(account: str, report: UsageReport) -> Moment:
    """Return the moment of a report of rejected usage."""
    count = sum(code.count for code in report.codes)
    number = "1 usage event" if count == 1 else f"{count:,} usage events"
    samples = list_samples(report.codes)
    return Moment(
        at=float(report.created),
        source=Source.EVENT,
        kind=report.type,
        what=f"{number} rejected: {describe_codes(report.codes)}",
        note=f"identifiers: {samples}" if samples else None,
        who="Stripe",
        account=account,
        meter_id=report.meter_id,
        event_ids=(report.id,),
    )


_DID = {
    DeclarationChange.ADDED: "added to",
    DeclarationChange.CHANGED: "changed in",
    DeclarationChange.REMOVED: "removed from",
}


def _describe_commit(commit: PastCommit) -> Moment:
    return Moment(
        at=commit.at,
        source=Source.COMMIT,
        kind=commit.turn,
        what=f"{_DID[commit.turn]} {', '.join(commit.files)}",
        note=commit.subject or None,
        who=commit.author or "an unnamed author",
        commit=commit.commit,
    )


def _describe_user(run: PastRun) -> str:
    return ", ".join(filter(None, (run.user, run.job))) or "an unknown user"


def _describe_rename(event: Event) -> str | None:
    """Describe a change of display_name, the only thing that an update can change."""
    before, after = (each.get("display_name") for each in (event.previous_attributes, event.object))
    known = isinstance(before, str) and isinstance(after, str)
    return f'display_name: "{before}" → "{after}"' if known else None


def _read_meter_id(event: Event) -> str | None:
    found = event.object.get("id")
    return found if isinstance(found, str) else None
