"""How a run went about it: which requests it sent, when, and what it wrote down about them."""

from __future__ import annotations

from stateful.attempt import Attempt

from reconciler.emulator import Entry
from reconciler.execution.steps import read_key
from reconciler.report.report import ResultStatus

STOP_OR_WAKE = ("/deactivate", "/reactivate")


def conducted(run: Attempt) -> None:
    """Every claim about the requests of a run; two jobs with one plan cannot be distinguished."""
    if run.shared:
        return
    a_new_attempt_follows_an_old_answer(run)
    nothing_is_changed_that_another_client_was_seen_to_change(run)
    every_request_was_written_down(run)
    if run.report:
        every_request_is_reported(run)
        after_a_failure_nothing_stops(run)


def a_new_attempt_follows_an_old_answer(run: Attempt) -> None:
    """Another key is only used when the one before brought back a stored answer, or a useless
    one: as long as the effect of a request is unknown, its key stays the same.
    """
    proved = set()
    for entry in run.posts:
        parts = read_key(entry.key or "")
        assert parts
        assert parts.attempt == 1 or (parts.n, parts.attempt - 1) in proved
        if entry.replayed or entry.status == 200:
            proved.add((parts.n, parts.attempt))


def nothing_is_changed_that_another_client_was_seen_to_change(run: Attempt) -> None:
    """A meter is read right before it is deactivated or reactivated; an earlier change wins."""
    if run.crossed:
        return  # whose look was it?
    theirs = {event.id for event in run.events if not run.ours(event.key)}
    last = {event.id: event for event in run.events if event.kind != "billing.meter.reactivated"}
    undone = {id_ for id_, event in last.items() if run.ours(event.key)}  # our own stop, after them
    for n, entry in enumerate(run.entries):
        if entry not in run.posts or not entry.path.endswith(STOP_OR_WAKE):
            continue
        path = entry.path.rpartition("/")[0]
        looks = [k for k, each in enumerate(run.entries[:n]) if _shows(each, path)]
        assert looks, "the meter was not read"
        meter_id, reactivates = path.rpartition("/")[2], entry.path.endswith("/reactivate")
        if reactivates and meter_id in undone:
            continue
        if meter_id in theirs and run.acted >= run.decided:
            assert max(looks) < run.acted


def _shows(entry: Entry, path: str) -> bool:
    return (entry.method, entry.path, entry.status) == ("GET", path, 200)


def every_request_was_written_down(run: Attempt) -> None:
    """Before it was sent; and afterwards what came of it, unless the process died."""
    intended = [key for word, _, key in run.pages.changes if word == "request"]
    closed = [key for word, _, key in run.pages.changes if word != "request"]
    assert {entry.key for entry in run.posts} <= set(intended)
    if run.report and not _left_behind(run):
        assert sorted(intended) == sorted(closed)


def every_request_is_reported(run: Attempt) -> None:
    """The report has as many tries as reached the account."""
    if not _left_behind(run):
        sent = [each for line in run.changes if line.result for each in line.result.requests]
        assert sum(each.attempts for each in sent) == len(run.posts)


def after_a_failure_nothing_stops(run: Attempt) -> None:
    """Once a line has come to nothing, no replacement is begun and no meter is stopped."""
    failed = False
    for line in run.changes:
        assert line.result
        assert not (failed and line.change.action.deactivates and line.result.requests)
        failed = failed or not (line.result.status.succeeded or line.change.refused_by)


def _left_behind(run: Attempt) -> bool:
    """Whether a request may still have been under way when the report was made."""
    return any(
        line.result is not None and line.result.status is ResultStatus.UNKNOWN
        for line in run.changes
    )
