"""What must be so after every run, whatever happened in it; each claim is one promise."""

from __future__ import annotations

from fnmatch import fnmatchcase

from stateful.attempt import Attempt, is_in_place
from stateful.conduct import conducted
from stateful.ledger import billing, history

from reconciler.diagnostics.codes.applying import NOT_VERIFIED, PRICE_MEANWHILE, UNVERIFIABLE
from reconciler.diagnostics.diagnostic import Effect
from reconciler.diagnostics.errors import Exit, RefusedError, StaleError
from reconciler.model.change import Action
from reconciler.operations.apply_plan import OnRefused
from reconciler.report.report import ReportedChange, ResultStatus

WORST_FIRST = (Exit.PARTIAL, Exit.FAILED, Exit.DENIED, Exit.REFUSED, Exit.STALE, Exit.DONE)
CAUSES = {
    ResultStatus.UNKNOWN: Exit.PARTIAL,
    ResultStatus.FAILED: Exit.FAILED,
    ResultStatus.STALE: Exit.STALE,
}


def hold(run: Attempt) -> None:
    """Every claim about a run that came to its end, to an error, or to nothing."""
    an_error_writes_nothing(run)
    an_outdated_plan_is_stale(run)
    conducted(run)
    if run.report:
        stops_were_allowed(run)
        each_line_is_as_reported(run)
        the_exit_code_is_earned(run)
    what_can_be_done_is_done(run)


def an_error_writes_nothing(run: Attempt) -> None:
    """It ends a run before the first request that writes; and no plan here is a foreign one."""
    assert not isinstance(run.error, RefusedError)
    assert run.report or run.killed or run.shared or not run.posts


def an_outdated_plan_is_stale(run: Attempt) -> None:
    """It is too old, or a line is neither as read nor as wanted; and no other plan is stale.

    Changes of other names and of the files do not matter. Lists may have lagged, and who
    interfered before the plan was looked at may have mended it.
    """
    if run.settings.list_lag:
        return
    assert not (run.outdated and run.report) or 0 <= run.acted <= run.decided
    if isinstance(run.error, StaleError):
        assert run.saved
        names = {line.event_name for line in run.saved.plan.changes if line.action.writes}
        since = history(run.it)[run.saved.happened :]
        moved = any(event.name in names or not event.name for event in since)
        assert run.outdated or moved or run.policy != run.saved.policy


def stops_were_allowed(run: Attempt) -> None:
    """No guard of now lets a meter stop that it protects, nor more of them than it allows."""
    stops = [event for event in run.effects if event.kind == "billing.meter.deactivated"]
    by_name = {line.change.event_name: line.change for line in run.changes}
    seen = not run.settings.list_lag and all(event.name for event in run.events)
    assert run.shared or len(stops) <= run.policy.max_deactivations
    for event in stops:
        line = by_name[event.name]
        assert line.action in (Action.DEACTIVATE, Action.REPLACE)
        assert not any(fnmatchcase(event.name, pattern) for pattern in run.policy.protect)
        assert not (line.desired and line.desired.protect)
        accepted = line.desired.accepted_prices if line.desired else ()
        on_it = {price.id for price in billing(run.it) if price.meter == event.id}
        assert not seen or on_it <= set(accepted)


def each_line_is_as_reported(run: Attempt) -> None:
    """`done` is said of what we did and the account shows, `already` of what it only shows.

    Only where no other client interfered: it may undo a change at any time.
    """
    effects = {event.name for event in run.effects}
    for line in run.changes:
        name, result = line.change.event_name, line.result
        assert result, name
        if name in run.touched:
            continue
        if result.status.succeeded:
            behind = run.settings.list_lag and not result.requests  # all that it saw was a list
            assert behind or is_in_place(line.change, run.it), name
            assert result.status in _whose(run, name), name
        if result.status is ResultStatus.SKIPPED or line.change.refused_by:
            assert name not in effects
        assert name not in effects or any(sent.wrote for sent in result.requests), name


def _whose(run: Attempt, name: str) -> set[ResultStatus]:
    """What may be said of a settled line. A stored answer may be that to an earlier run of the
    same plan, and a list that lags may have hidden what that had done: then both.
    """
    if any(event.name == name for event in run.effects):
        return {ResultStatus.DONE}
    earlier = any(event.name == name and run.ours(event.key) for event in history(run.it))
    also = {ResultStatus.DONE} if earlier or run.settings.list_lag else set()
    return {ResultStatus.ALREADY} | also


def the_exit_code_is_earned(run: Attempt) -> None:
    """The worst of what the lines came to; only 0, 3, 5 and 130 are said where something was
    written, and 0 only where every line is done.
    """
    report = run.report
    assert report
    if _barred(run) and run.refusals is OnRefused.ABORT:
        assert report.exit_code is Exit.REFUSED
        assert {_status(line) for line in run.changes} <= {ResultStatus.SKIPPED}
        assert not run.posts
        return
    if run.signalled:
        assert report.exit_code is Exit.INTERRUPTED
    else:
        assert report.exit_code is _expected(run)


def _expected(run: Attempt) -> Exit:
    assert run.report
    open_ = _open(run)
    said = {diagnostic.code for diagnostic in run.report.diagnostics}
    late = bool(run.settings.list_lag)  # what happened just before may only show in the end
    assert run.touched or late or NOT_VERIFIED.code not in said
    unverified = said & {NOT_VERIFIED.code, UNVERIFIABLE.code, PRICE_MEANWHILE.code}
    causes = {_cause(line) for line in open_ if _status(line) in CAUSES}
    every = (line for line in run.changes if line.result and not line.change.refused_by)
    if (open_ or unverified) and any(sent.wrote for line in every for sent in line.result.requests):
        causes.add(Exit.PARTIAL)
    if unverified or (open_ and not causes):
        causes.add(Exit.FAILED)
    if _barred(run):
        causes.add(Exit.REFUSED)
    return min(causes, key=WORST_FIRST.index, default=Exit.DONE)


def _cause(line: ReportedChange) -> Exit:
    """A change that was denied, and had no effect, is not merely a failed one."""
    assert line.result
    denied = line.result.error is not None and line.result.error.effect is Effect.DENIED
    failed = _status(line) is ResultStatus.FAILED
    return Exit.DENIED if denied and failed else CAUSES[_status(line)]


def what_can_be_done_is_done(run: Attempt) -> None:
    """Faults that pass, and no other client: the run recovers from all of them itself."""
    if not run.calm or run.settings.list_lag or run.error is not None:
        assert not run.calm or run.error is None or isinstance(run.error, StaleError)
        return
    assert run.report
    if not (_barred(run) and run.refusals is OnRefused.ABORT):
        assert not _open(run) or any(run.taken(line.change) for line in run.changes)


def _barred(run: Attempt) -> bool:
    """Whether a line is blocked or refused."""
    assert run.report
    lines = [line.change for line in run.report.changes]
    return any(line.refused_by or line.action is Action.BLOCKED for line in lines)


def _open(run: Attempt) -> list[ReportedChange]:
    """The lines that nothing forbids, and that are not done."""
    free = (line for line in run.changes if not line.change.refused_by)
    return [line for line in free if not _status(line).succeeded]


def _status(line: ReportedChange) -> ResultStatus:
    assert line.result
    return line.result.status
