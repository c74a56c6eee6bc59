"""Render a history as text: the runs, or the timeline of one meter; the newest comes last."""

from __future__ import annotations

from collections.abc import Iterator

from ...report.history import (
    History,
    Moment,
    PastChange,
    PastRequest,
    PastRun,
    Source,
    describe_request,
)
from ...timestamps import format_time
from ..labels import describe_account
from .styled import Line, Span, Style, wrap_text

_COLOUR = {"done": Style.GREEN, "already": Style.GREEN, "skipped": Style.YELLOW}
_INDENT = " " * 4
_DEEPER = " " * 8


def render_runs(history: History) -> Iterator[Line]:
    """Yield the runs, the newest last."""
    if not history.runs and history.others:
        yield (f"No runs on the selected accounts; {history.others:,} on others.",)
    elif not history.runs:
        yield ("The journal of this project is empty.",)
    for n, run in enumerate(history.runs):
        if n:
            yield ()
        yield from _render_run(run)


def _render_run(run: PastRun) -> Iterator[Line]:
    ended = "did not end" if run.ended is None else f"exit {run.exit_code}"
    sign = Span(ended, Style.GREEN if run.exit_code == 0 else Style.RED)
    yield (
        Span(format_time(int(run.began)), Style.BOLD),
        f"  {describe_account(run.account)}  ",
        sign,
    )
    yield from wrap_text(", ".join(_list_origin(run)), "  ", _INDENT)
    for change in run.changes:
        yield from _render_change(change)


def _list_origin(run: PastRun) -> Iterator[str]:
    """Yield who ran it, in which job, on which commit and from which plan."""
    yield f"by {run.user or 'an unknown user'}"
    yield from filter(None, (run.job, _shorten(run.commit), run.plan_id and f"plan {run.plan_id}"))


def _shorten(commit: str | None) -> str | None:
    return commit and f"commit {commit[:12]}"


def _render_change(change: PastChange) -> Iterator[Line]:
    """Render a change: the request ids where it succeeded, else each request."""
    sign = Span(f"{change.status or 'open':<8}", _COLOUR.get(change.status or "", Style.RED))
    what = change.action or next((request.operation for request in change.requests), None) or "?"
    succeeded = change.status in ("done", "already")
    ids = [request.request_id for request in change.requests if succeeded]
    found = "  ".join(word for word in ("", change.meter_id, *ids) if word is not None)
    yield (_INDENT, sign, f"{what:<11} ", Span(change.event_name, Style.BOLD), found)
    if change.code:
        yield from wrap_text(f"{change.code}: {change.message}", _DEEPER, _DEEPER + "  ")
    for request in () if succeeded else change.requests:
        yield from wrap_text(_describe_request(request), _DEEPER, _DEEPER + "  ")


def _describe_request(request: PastRequest) -> str:
    undoing = " (rollback)" if request.undoes else ""
    return f"{request.operation} {request.request_id or '-'}{undoing}: {describe_request(request)}"


def render_timeline(history: History) -> Iterator[Line]:
    """Yield what happened to one meter, the newest last."""
    if not history.timeline:
        yield from wrap_text(_describe_absence(history), "")
        return
    yield (Span(f"History of {history.meter}, newest last", Style.BOLD),)
    for moment in history.timeline:
        yield from _render_moment(moment)


def _describe_absence(history: History) -> str:
    where = "" if history.complete else " in the sources that could be read"
    meant = f" Did you mean {history.similar!r}?" if history.similar else ""
    return f"No history for {history.meter!r}{where}.{meant}"


_SOURCE = {Source.JOURNAL: Style.GREEN, Source.EVENT: Style.YELLOW, Source.COMMIT: Style.CYAN}


def _render_moment(moment: Moment) -> Iterator[Line]:
    """Render when, where from and what; then the note, who did it, and the ids."""
    when, source = format_time(int(moment.at)), f"{moment.source:<7}"
    first, *rest = wrap_text(f"{when}  {source}  {moment.what}", "", _DEEPER)
    what = str(first[0])[len(f"{when}  {source}") :]
    yield (Span(when, Style.BOLD), "  ", Span(source, _SOURCE[moment.source]), what)
    yield from rest
    for text in (moment.note, f"who: {moment.who}", ", ".join(_list_ids(moment))):
        if text:
            yield from wrap_text(text, _INDENT, _INDENT + "  ")


def _list_ids(moment: Moment) -> Iterator[str]:
    """Yield the account, and the ids to look it up by."""
    yield from filter(None, (moment.account, moment.meter_id))
    request = moment.request_id and f"request {moment.request_id}"
    plan = moment.plan_id and f"plan {moment.plan_id}"
    yield from filter(None, (request, plan, _shorten(moment.commit)))
