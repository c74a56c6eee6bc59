"""Apply a plan and return a result for every change.

Actions are applied in the order of `Action`. Up to 64 changes of the same action run
concurrently, replacements one at a time. After a failure, replacements and deactivations are no
longer applied; other changes are. Stripe is only accessed through the `Meters` protocol.
"""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from itertools import groupby
from queue import SimpleQueue

from msgspec.structs import replace

from ..diagnostics.codes import applying as rules
from ..diagnostics.codes import guards
from ..diagnostics.diagnostic import Diagnostic, Effect
from ..model.change import Action, Change
from ..model.meter import ExistingMeter
from ..model.request import Outcome
from ..planning.diagnose import diagnose
from ..report.report import ChangeResult, ReportedChange, ResultStatus
from ..threads import block_signals, take
from .execute_step import ApplyContext, StepResult, execute_step
from .protocol import SIDE_BY_SIDE
from .steps import Step, list_steps

_GIVE_UP = 8  # consecutive changes that could not be confirmed
_FIX = "fix the error on this change"  # the others were applied
_HINTED = (rules.NAME_HELD.code, rules.OTHER_NAME.code)  # whose hint a rollback keeps
_MOMENT = 0.1  # seconds between two checks whether the run is to stop
_GRACE = 10.0  # seconds to wait, after an interrupt, for changes that have sent no request yet


def apply(run: ApplyContext) -> tuple[ReportedChange, ...]:
    """Apply the changes of a plan and return them with their results, in the plan's order.

    Blocked and refused changes are skipped. API errors become results and are not raised.
    """
    numbered = list_steps(run.plan)
    progress = _Progress(run)
    for action, kind in groupby(run.plan.changes, key=lambda change: change.action):
        if action.writes:
            alone = action is Action.REPLACE or run.plan.account.livemode is None
            at_once = 1 if alone else min(SIDE_BY_SIDE, run.workers)
            progress.run_all(tuple(kind), numbered, at_once)
    ended = progress.results
    return tuple(
        ReportedChange(change, ended.get(change.event_name) or explain_blocked(change))
        for change in run.plan.changes
    )


def explain_blocked(change: Change, hint: str = _FIX) -> ChangeResult | None:
    """Return the result of a change without requests; None where there is nothing to do."""
    if change.action is not Action.BLOCKED:
        return None
    message = f"{change.event_name!r} was not applied: it is blocked"
    error = diagnose(change, rules.CHANGE_REFUSED, message, hint)
    return ChangeResult(ResultStatus.SKIPPED, error=error)


class _Progress:
    """The results so far, and whether a change has failed."""

    def __init__(self, run: ApplyContext) -> None:
        self.run = run
        self.results: dict[str, ChangeResult] = {}
        self.begun: set[str] = set()
        self.unchecked: list[bool] = []
        self.failed = False
        self.wrong_mode = False

    def run_all(
        self, changes: tuple[Change, ...], numbered: dict[str, tuple[Step, ...]], at_once: int
    ) -> None:
        """Apply the changes of one action, and record each result as it arrives."""
        if len(changes) == 1 and changes[0].action is Action.CREATE:
            self._record(changes[0], self._create_alone(changes[0], numbered))
            return
        pool = ThreadPoolExecutor(max_workers=at_once)
        try:
            with block_signals():
                pending = {
                    pool.submit(self._apply_change, change, numbered[change.event_name]): change
                    for change in changes
                }
            for future, change in self._wait_for_each(pending):
                self._record(change, future)
        finally:
            pool.shutdown(wait=False, cancel_futures=True)

    def _create_alone(
        self, change: Change, numbered: dict[str, tuple[Step, ...]]
    ) -> Future[ChangeResult]:
        """Create in this thread: another one costs as much as the request.

        A create reads nothing before its request, so there is never one to give up.
        """
        future: Future[ChangeResult] = Future()
        try:
            future.set_result(self._apply_change(change, numbered[change.event_name]))
        except Exception as error:
            future.set_exception(error)
        return future

    def _wait_for_each(
        self, pending: dict[Future[ChangeResult], Change]
    ) -> Iterator[tuple[Future[ChangeResult], Change]]:
        """Yield futures as they complete; after an interrupt, give up those that sent nothing.

        A change that has sent a request is waited for without a limit: it may be incomplete.
        """
        deadline: float | None = None
        ended: SimpleQueue[Future[ChangeResult]] = SimpleQueue()
        for future in pending:
            future.add_done_callback(ended.put)
        while pending:
            last = take(ended, _MOMENT)
            if last in pending:  # else it was given up
                yield last, pending.pop(last)
            if deadline is None and self.run.stopped():
                deadline = self.run.clock.monotonic() + _GRACE
            if deadline is not None and self.run.clock.monotonic() > deadline:
                unbegun = [
                    f for f, change in pending.items() if change.event_name not in self.begun
                ]
                for future in unbegun:
                    yield future, pending.pop(future)

    def _record(self, change: Change, future: Future[ChangeResult]) -> None:
        if future.cancel() or not future.done():
            result = ChangeResult(ResultStatus.SKIPPED, error=self._skip(change))
        elif failure := future.exception():
            message = f"{change.event_name!r}: internal error ({type(failure).__name__})"
            result = self._build_unknown_result(change, message)
        else:
            result = future.result()
        self.results[change.event_name] = result
        with suppress(Exception):  # an error of the callback must not interrupt the apply
            self.run.on_result(ReportedChange(change, result))

    def _build_unknown_result(self, change: Change, message: str) -> ChangeResult:
        """Return the result of a change whose state is unknown; a replacement may be incomplete."""
        if change.action is Action.REPLACE:
            loss = describe_loss(change, message, self.run.recovery_command)
            return ChangeResult(ResultStatus.UNKNOWN, error=loss)
        return ChangeResult(ResultStatus.UNKNOWN, error=diagnose(change, rules.UNEXPECTED, message))

    def _apply_change(self, change: Change, planned: tuple[Step, ...]) -> ChangeResult:
        if change.event_name in self.run.already:
            found = self.run.already[change.event_name]
            return ChangeResult(ResultStatus.ALREADY, meter_id=found)
        if skipped := self._skip(change):
            return ChangeResult(ResultStatus.SKIPPED, error=skipped)
        try:
            result = self._perform(change, planned)
        except BaseException:
            self.failed = True
            raise
        self.failed = self.failed or not result.status.succeeded
        effect = result.error.effect if result.error else Effect.NONE
        self.unchecked.append(effect is Effect.UNCONFIRMED)
        return result

    def _skip(self, change: Change) -> Diagnostic | None:
        if change.refused_by:
            codes = ", ".join(change.refused_by)
            message = f"{change.event_name!r} was not applied: refused by {codes}"
            return diagnose(change, rules.CHANGE_REFUSED, message, _FIX)
        if self.run.stopped():
            message = f"{change.event_name!r} was not applied: the run was interrupted"
            return diagnose(change, rules.STOPPED, message)
        if self.wrong_mode or (self.failed and change.action.deactivates):
            message = f"{change.event_name!r} was not applied: an earlier change failed"
            return diagnose(change, rules.AFTER_FAILURE, message)
        if self.unchecked[-_GIVE_UP:] == [True] * _GIVE_UP:
            message = f"{change.event_name!r} was not applied: Stripe is not responding"
            return diagnose(change, rules.AFTER_FAILURE, message)
        return None

    def _perform(self, change: Change, planned: tuple[Step, ...]) -> ChangeResult:
        """Send the requests of one change in order, up to the first that does not succeed."""
        seen = {existing.id: existing for existing in change.existing_meters}
        parts: list[StepResult] = []
        run = replace(self.run, begins=lambda: self.begun.add(change.event_name))
        if change.action is Action.REPLACE:
            loss = describe_loss(change, "its replacement was cut off", run.recovery_command)
            run.on_replacement(loss)
        for step in planned:
            if step.undoes is not None:
                break
            base = seen.get(step.meter_id or "")
            part = execute_step(step, base, run.ignoring_stop() if parts else run)
            part = self._check_mode(change, part)
            parts.append(part)
            if part.existing:
                seen[part.existing.id] = part.existing
            if not part.status.succeeded:
                return self._compensate(change, planned, step, parts, seen)
        status = min((part.status for part in parts), key=list(ResultStatus).index)
        return _build_result(status, parts, None)

    def _check_mode(self, change: Change, part: StepResult) -> StepResult:
        """Fail a step, and end the run, if its response comes from the wrong mode."""
        if part.existing is None or part.existing.livemode == self.run.livemode:
            return part
        self.wrong_mode = True
        message = f"the response for {change.event_name!r} is not from the configured mode"
        diagnostic = diagnose(change, guards.WRONG_MODE, message)
        return replace(part, status=ResultStatus.FAILED, error=diagnostic)

    def _compensate(
        self,
        change: Change,
        planned: tuple[Step, ...],
        at: Step,
        parts: list[StepResult],
        seen: dict[str, ExistingMeter],
    ) -> ChangeResult:
        """Reactivate the meter that this change has deactivated, unless its successor is active.

        A meter that another client was seen to deactivate stays inactive, and is reported.
        """
        failure = parts[-1]
        why = failure.error.message if failure.error else str(failure.status)
        undo = next((step for step in planned if step.undoes in (at.n, at.n - 1)), None)
        known = failure.status is not ResultStatus.UNKNOWN
        answered = any(sent.result is Outcome.CONFIRMED for sent in parts[0].sent)
        inactive = failure.existing is not None and not failure.existing.active
        begun = len(parts) > 1 or answered or inactive or not known
        if undo is None or not begun or self._is_active(failure.existing):
            return _build_result(failure.status, parts, failure.error)
        ours = any(sent.wrote for sent in parts[0].sent)
        if known and not ours:
            why = f"{why}; {undo.meter_id} was deactivated by another client and left inactive"
        elif known:
            undone = execute_step(undo, seen.get(undo.meter_id or ""), self.run.ignoring_stop())
            parts.append(undone)
            if undone.status.succeeded:
                message = f"{why}; {undo.meter_id} is active again"
                is_special = failure.error and failure.error.code in _HINTED
                hint = failure.error.hint if is_special and failure.error else ""
                error = diagnose(change, rules.COMPENSATED, message, hint)
                return _build_result(failure.status, parts, error)
        loss = describe_loss(change, why, self.run.recovery_command)
        return _build_result(failure.status, parts, loss)

    def _is_active(self, existing: ExistingMeter | None) -> bool:
        """Whether a meter of this account's mode is active."""
        return existing is not None and existing.active and existing.livemode == self.run.livemode


def describe_loss(change: Change, why: str, recovery_command: str) -> Diagnostic:
    """Return the error that the old meter may be inactive, without an active successor."""
    old = change.existing.id if change.existing else ""
    message = f"{change.event_name!r} may have NO active meter; usage is being lost: {why}"
    by_hand = recovery_command.replace("{id}", old)
    hint = "run `reconciler apply` again at once"
    if by_hand:
        hint += f", or reactivate the old meter: `{by_hand}`"
    return diagnose(change, rules.HALF_REPLACED, message, hint)


def _build_result(
    status: ResultStatus, parts: list[StepResult], error: Diagnostic | None
) -> ChangeResult:
    requests = tuple(sent for part in parts for sent in part.sent)
    last = next((part.existing for part in reversed(parts) if part.existing), None)
    return ChangeResult(status, requests, error, last.id if last else None)
