"""One meter's time line: what the journal, the account's events and the commits tell, merged."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence

from ..drift.attribution import origin
from ..model.event import Event
from ..model.finding import Origin
from ..report.history import (
    DeclarationChange,
    Moment,
    PastChange,
    PastCommit,
    PastRequest,
    PastRun,
    Source,
    came_of,
)

AccountEvent = tuple[str, Event]
"""The name of an account, and one of its events."""


def timeline(
    runs: Sequence[PastRun], events: Iterable[AccountEvent], commits: Iterable[PastCommit]
) -> tuple[Moment, ...]:
    """All that is known of one event_name, oldest first; nothing here speaks of another one.

    An event that is the effect of a request in the journal is told with it, not once more.
    `events` are newest first, as Stripe lists them. Commits are told by the committer's clock,
    requests by ours, events by Stripe's, which has whole seconds: within one, the order is not
    known.
    """
    sent = [(run, request) for run in runs for line in run.changes for request in line.requests]
    effects, others = _joined([request for _, request in sent], events)
    moments = [
        *map(_committed, commits),
        *(_requested(run, request, effects[n]) for n, (run, request) in enumerate(sent)),
        *(_ended(run, line) for run in runs for line in run.changes if _adds(line)),
        *(_announced(account, event) for account, event in others),
    ]
    return tuple(sorted(moments, key=lambda moment: moment.at))


def _joined(
    requests: Sequence[PastRequest], events: Iterable[AccountEvent]
) -> tuple[dict[int, list[Event]], list[AccountEvent]]:
    """The events that each request brought about, by its place, and those of nobody in here.

    The request id decides. It is missing where the answer was lost, and another try has another
    one: then the idempotency key does, for the first request that may have had its effect.
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


def _requested(run: PastRun, request: PastRequest, effects: Sequence[Event]) -> Moment:
    """A request of ours, and what the account itself says that it did."""
    operation = request.operation or "?"
    undoing = ", to undo" if request.undoes else ""
    said = [f"{operation}{undoing}: {came_of(request)}", *(event.type for event in effects)]
    notes = [request.error, *map(_renamed, effects)]
    told = next(iter(effects), None)
    return Moment(
        at=request.at,
        source=Source.JOURNAL,
        kind=operation,
        what="; ".join(said),
        note="; ".join(filter(None, notes)) or None,
        who=_who(run),
        origin=Origin.OURS,
        account=run.account.name,
        meter_id=request.meter_id or (_meter_id(told) if told else None),
        request_id=request.request_id or (told.request_id if told else None),
        plan_id=run.plan_id,
        commit=run.commit,
        event_ids=tuple(event.id for event in effects),
    )


def _adds(line: PastChange) -> bool:
    """Whether the outcome of a line says more than its requests."""
    return line.status is not None and not (line.requests and line.status in ("done", "already"))


def _ended(run: PastRun, line: PastChange) -> Moment:
    """How a line of a plan ended that was not done, or not by a request."""
    action = line.action or "?"
    return Moment(
        at=run.began if line.at is None else line.at,
        source=Source.JOURNAL,
        kind=action,
        what=f"{action}: {line.status}",
        note=f"{line.code}: {line.message}" if line.code else None,
        who=_who(run),
        origin=Origin.OURS,
        account=run.account.name,
        meter_id=line.meter_id,
        plan_id=run.plan_id,
        commit=run.commit,
    )


def _announced(account: str, event: Event) -> Moment:
    """An event that no request of this journal explains."""
    attribution_text, ours = origin(event)
    by_ours = f"{attribution_text.briefly}, by a run that is not in this journal"
    return Moment(
        at=float(event.created),
        source=Source.EVENT,
        kind=event.type,
        what=event.type,
        note=_renamed(event),
        who=by_ours if ours else attribution_text.at_length,
        origin=attribution_text,
        account=account,
        meter_id=_meter_id(event),
        request_id=event.request_id,
        plan_id=ours.plan_id if ours else None,
        commit=ours.commit if ours else None,
        event_ids=(event.id,),
    )


_DID = {
    DeclarationChange.DECLARED: "declared in",
    DeclarationChange.CHANGED: "changed in",
    DeclarationChange.REMOVED: "no longer declared in",
}


def _committed(commit: PastCommit) -> Moment:
    keys = f": {', '.join(commit.keys)}" if commit.keys else ""
    return Moment(
        at=commit.at,
        source=Source.COMMIT,
        kind=commit.turn,
        what=f"{_DID[commit.turn]} {', '.join(commit.files)}{keys}",
        note=commit.subject or None,
        who=commit.author or "an author without a name",
        commit=commit.commit,
    )


def _who(run: PastRun) -> str:
    return ", ".join(_names(run)) or "an unknown user"


def _names(run: PastRun) -> Iterator[str]:
    """The person, and the CI job."""
    yield from filter(None, (run.user, run.job))


def _renamed(event: Event) -> str | None:
    """The one thing about a meter that an update can change, where the event tells it."""
    before, after = (each.get("display_name") for each in (event.previous_attributes, event.object))
    known = isinstance(before, str) and isinstance(after, str)
    return f'display_name: "{before}" → "{after}"' if known else None


def _meter_id(event: Event) -> str | None:
    found = event.object.get("id")
    return found if isinstance(found, str) else None
