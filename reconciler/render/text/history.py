"""Render a history as text: the runs, or the time line of one meter; the newest comes last."""

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
from ..summary import called
from .styled import ReportedChange, Span, Style, wrapped

_COLOUR = {"done": Style.GREEN, "already": Style.GREEN, "skipped": Style.YELLOW}
_INDENT = " " * 4
_DEEPER = " " * 8


def past(history: History) -> Iterator[ReportedChange]:
    """Render the runs."""
    if not history.runs:
        yield ("The journal of this project is empty.",)
    for n, run in enumerate(history.runs):
        if n:
            yield ()
        yield from _run(run)


def _run(run: PastRun) -> Iterator[ReportedChange]:
    ended = "did not end" if run.ended is None else f"exit {run.exit_code}"
    sign = Span(ended, Style.GREEN if run.exit_code == 0 else Style.RED)
    yield (Span(format_time(int(run.began)), Style.BOLD), f"  {called(run.account)}  ", sign)
    yield from wrapped(", ".join(_by(run)), "  ", _INDENT)
    for line in run.changes:
        yield from _line(line)


def _by(run: PastRun) -> Iterator[str]:
    """Yield who ran it, in which job, on which commit and from which plan."""
    yield f"by {run.user or 'an unknown user'}"
    if run.job:
        yield run.job
    if run.commit:
        yield f"commit {run.commit[:12]}"
    if run.plan_id:
        yield f"plan {run.plan_id}"


def _line(line: PastChange) -> Iterator[ReportedChange]:
    """Render a change: the request ids where it succeeded, else each request."""
    sign = Span(f"{line.status or 'open':<8}", _COLOUR.get(line.status or "", Style.RED))
    what = line.action or next((request.operation for request in line.requests), None) or "?"
    succeeded = line.status in ("done", "already")
    ids = [request.request_id for request in line.requests if succeeded]
    found = "  ".join(word for word in ("", line.meter_id, *ids) if word is not None)
    yield (_INDENT, sign, f"{what:<11} ", Span(line.event_name, Style.BOLD), found)
    if line.code:
        yield from wrapped(f"{line.code}: {line.message}", _DEEPER, _DEEPER + "  ")
    for request in () if succeeded else line.requests:
        yield from wrapped(_request(request), _DEEPER, _DEEPER + "  ")


def _request(request: PastRequest) -> str:
    undoing = " (rollback)" if request.undoes else ""
    return f"{request.operation} {request.request_id or '-'}{undoing}: {describe_request(request)}"


def timeline(history: History) -> Iterator[ReportedChange]:
    """Render the time line of one meter."""
    if not history.timeline:
        yield from wrapped(_nothing(history), "")
        return
    yield (Span(f"History of {history.meter}, newest last", Style.BOLD),)
    for moment in history.timeline:
        yield from _moment(moment)


def _nothing(history: History) -> str:
    where = "" if history.complete else " in the sources that could be read"
    meant = f" Did you mean {history.similar!r}?" if history.similar else ""
    return f"No history for {history.meter!r}{where}.{meant}"


_SOURCE = {Source.JOURNAL: Style.GREEN, Source.EVENT: Style.YELLOW, Source.COMMIT: Style.CYAN}


def _moment(moment: Moment) -> Iterator[ReportedChange]:
    """Render when, where from and what; then the note, who did it, and the ids."""
    when, source = format_time(int(moment.at)), f"{moment.source:<7}"
    first, *rest = wrapped(f"{when}  {source}  {moment.what}", "", _DEEPER)
    what = str(first[0])[len(f"{when}  {source}") :]
    yield (Span(when, Style.BOLD), "  ", Span(source, _SOURCE[moment.source]), what)
    yield from rest
    for text in (moment.note, f"who: {moment.who}", ", ".join(_known(moment))):
        if text:
            yield from wrapped(text, _INDENT, _INDENT + "  ")


def _known(moment: Moment) -> Iterator[str]:
    """Yield the account, and the ids to look it up by."""
    if moment.account:
        yield moment.account
    if moment.meter_id:
        yield moment.meter_id
    if moment.request_id:
        yield f"request {moment.request_id}"
    if moment.plan_id:
        yield f"plan {moment.plan_id}"
    if moment.commit:
        yield f"commit {moment.commit[:12]}"
