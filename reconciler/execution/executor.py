"""Plan in, outcomes out: every line ends with one, whatever happens.

The kinds of action keep their order; within one kind up to eight lines run side by side,
replacements one at a time. After a failure the remaining safe lines go on, replacements and
deactivations do not. Stripe is known only as the `Meters` protocol.
"""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import suppress
from dataclasses import replace
from itertools import groupby

from ..diagnostics.codes import applying as rules
from ..diagnostics.codes import guards
from ..diagnostics.diagnostic import Diagnostic, Effect, Rule
from ..model.change import Action, Change
from ..model.meter import ExistingMeter
from ..report.report import ChangeResult, ReportedChange, ResultStatus
from .execute_step import ApplyContext, StepResult, execute_step
from .protocol import SIDE_BY_SIDE
from .steps import Step, steps

_GIVE_UP = SIDE_BY_SIDE  # lines in a row that could not be checked
_GRACE = 10.0  # seconds that requests in flight are waited for after the run was told to stop


def apply(run: ApplyContext) -> tuple[ReportedChange, ...]:
    """Every line of the plan with its outcome, in the plan's order; writes only what is planned.

    Lines that are blocked or refused are skipped. Nothing is raised for what the API answers.
    """
    numbered = steps(run.plan)
    progress = _Progress(run)
    for action, kind in groupby(run.changes, key=lambda change: change.action):
        if action.writes:
            alone = action is Action.REPLACE or run.plan.account.livemode is None
            at_once = 1 if alone else min(SIDE_BY_SIDE, run.workers)
            progress.through(tuple(kind), numbered, at_once)
    ended = progress.results
    return tuple(
        ReportedChange(change, ended.get(change.event_name) or blocked(change))
        for change in run.changes
    )


def blocked(change: Change) -> ChangeResult | None:
    """What becomes of a line that no request brings about; None where there is nothing to do."""
    if change.action is not Action.BLOCKED:
        return None
    message = f"{change.event_name!r} was not touched: it is blocked"
    return ChangeResult(ResultStatus.SKIPPED, error=_problem(rules.LINE_REFUSED, change, message))


class _Progress:
    """The outcomes so far, and whether something has failed."""

    def __init__(self, run: ApplyContext) -> None:
        self.run = run
        self.results: dict[str, ChangeResult] = {}
        self.unchecked: list[bool] = []
        self.failed = False
        self.wrong_mode = False

    def through(
        self, changes: tuple[Change, ...], numbered: dict[str, tuple[Step, ...]], at_once: int
    ) -> None:
        """Run the lines of one kind of action, and hear of each as it ends."""
        pool = ThreadPoolExecutor(max_workers=at_once)
        try:
            pending = {
                pool.submit(self._one, change, numbered[change.event_name]): change
                for change in changes
            }
            for future, change in self._as_they_end(pending):
                self._note(change, future)
        finally:
            pool.shutdown(wait=False, cancel_futures=True)

    def _as_they_end(
        self, pending: dict[Future[ChangeResult], Change]
    ) -> Iterator[tuple[Future[ChangeResult], Change]]:
        """Futures as they are done; after a stop signal only those that end within the grace."""
        deadline: float | None = None
        while pending:
            done, _ = wait(pending, timeout=0.1, return_when=FIRST_COMPLETED)
            for future in done:
                yield future, pending.pop(future)
            if deadline is None and self.run.stopped():
                deadline = self.run.clock.monotonic() + _GRACE
            if deadline is not None and self.run.clock.monotonic() > deadline:
                yield from tuple(pending.items())
                return

    def _note(self, change: Change, future: Future[ChangeResult]) -> None:
        if future.cancel():
            result = ChangeResult(ResultStatus.SKIPPED, error=self._skip(change))
        elif not future.done():
            message = f"{change.event_name!r} was in flight when the run stopped"
            result = self._in_doubt(change, rules.NOT_CONFIRMED, message)
        elif failure := future.exception():
            message = f"{change.event_name!r}: {type(failure).__name__}"
            result = self._in_doubt(change, rules.UNEXPECTED, message)
        else:
            result = future.result()
        self.results[change.event_name] = result
        with suppress(Exception):  # whoever listens must not be able to end an apply half-way
            self.run.on_result(ReportedChange(change, result))

    def _in_doubt(self, change: Change, rule: Rule, message: str) -> ChangeResult:
        """A line of which nobody knows how far it came; a replacement may be half-way."""
        if change.action is Action.REPLACE:
            return ChangeResult(ResultStatus.UNKNOWN, error=self._half_replaced(change, message))
        return ChangeResult(ResultStatus.UNKNOWN, error=_problem(rule, change, message))

    def _one(self, change: Change, planned: tuple[Step, ...]) -> ChangeResult:
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
            message = f"{change.event_name!r} was not touched: refused by {codes}"
            return _problem(rules.LINE_REFUSED, change, message)
        if self.run.stopped():
            message = f"{change.event_name!r} was not touched: the run was told to stop"
            return _problem(rules.STOPPED, change, message)
        if self.wrong_mode or (self.failed and change.action.stops):
            message = f"{change.event_name!r} was not touched, since an earlier line failed"
            return _problem(rules.AFTER_FAILURE, change, message)
        if self.unchecked[-_GIVE_UP:] == [True] * _GIVE_UP:
            message = f"{change.event_name!r} was not touched, since the account answers nothing"
            return _problem(rules.AFTER_FAILURE, change, message)
        return None

    def _perform(self, change: Change, planned: tuple[Step, ...]) -> ChangeResult:
        """The requests of one line, one after another; stops at the first that is not settled."""
        seen = {existing.id: existing for existing in change.existing_meters}
        parts: list[StepResult] = []
        for step in planned:
            if step.undoes is not None:
                break
            base = seen.get(step.meter_id or "")
            part = execute_step(step, base, self.run.ignoring_stop() if parts else self.run)
            part = self._in_mode(change, part)
            parts.append(part)
            if part.existing:
                seen[part.existing.id] = part.existing
            if not part.status.succeeded:
                return self._compensate(change, planned, step, parts, seen)
        status = min((part.status for part in parts), key=list(ResultStatus).index)
        return _outcome(status, parts, None)

    def _in_mode(self, change: Change, part: StepResult) -> StepResult:
        """The first answer tells the mode where nothing else could; a mismatch ends the run."""
        if part.existing is None or part.existing.livemode == self.run.livemode:
            return part
        self.wrong_mode = True
        message = f"the answer for {change.event_name!r} is of the other mode than configured"
        diagnostic = guards.WRONG_MODE(message, change.location, event_name=change.event_name)
        return replace(part, status=ResultStatus.FAILED, error=diagnostic)

    def _compensate(
        self,
        change: Change,
        planned: tuple[Step, ...],
        at: Step,
        parts: list[StepResult],
        seen: dict[str, ExistingMeter],
    ) -> ChangeResult:
        """A request was not settled: wake what this line had stopped, if nothing follows it.

        What somebody else was seen to have stopped is theirs to wake; the report is as loud.
        """
        failure = parts[-1]
        why = failure.error.message if failure.error else str(failure.status)
        undo = next((step for step in planned if step.undoes in (at.n, at.n - 1)), None)
        known = failure.status is not ResultStatus.UNKNOWN
        begun = len(parts) > 1 or not known or (failure.existing and not failure.existing.active)
        if undo is None or not begun or self._counts(failure.existing):
            return _outcome(failure.status, parts, failure.error)
        ours = any(sent.wrote for sent in parts[0].sent)
        if known and not ours:
            why = f"{why}; {undo.meter_id} was stopped by somebody else, and left so"
        elif known:
            woken = execute_step(undo, seen.get(undo.meter_id or ""), self.run.ignoring_stop())
            parts.append(woken)
            if woken.status.succeeded:
                message = f"{why}; {undo.meter_id} is active again"
                return _outcome(failure.status, parts, _problem(rules.COMPENSATED, change, message))
        return _outcome(failure.status, parts, self._half_replaced(change, why))

    def _counts(self, existing: ExistingMeter | None) -> bool:
        """Whether a meter counts usage of this account, whoever brought that about."""
        return existing is not None and existing.active and existing.livemode == self.run.livemode

    def _half_replaced(self, change: Change, why: str) -> Diagnostic:
        """The old meter may be stopped, and nothing be there in its place."""
        old = change.existing.id if change.existing else ""
        message = f"{change.event_name!r} may have NO active meter, usage is being lost: {why}"
        by_hand = self.run.recovery_command.replace("{id}", old)
        hint = "run apply again at once"
        if by_hand:
            hint += f", or wake the old meter: `{by_hand}`"
        return rules.HALF_REPLACED(message, change.location, hint, change.event_name)


def _outcome(
    status: ResultStatus, parts: list[StepResult], error: Diagnostic | None
) -> ChangeResult:
    requests = tuple(sent for part in parts for sent in part.sent)
    last = next((part.existing for part in reversed(parts) if part.existing), None)
    return ChangeResult(status, requests, error, last.id if last else None)


def _problem(rule: Rule, change: Change, message: str) -> Diagnostic:
    return rule(message, change.location, event_name=change.event_name)
