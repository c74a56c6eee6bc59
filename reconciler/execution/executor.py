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
from ..diagnostics.diagnostic import Problem, Rule
from ..model.change import Action, Change
from ..model.meter import Live
from ..report.report import Line, Outcome, OutcomeStatus
from .execute_step import Run, Settled, settle
from .protocol import SIDE_BY_SIDE
from .steps import Step, steps

_GIVE_UP = SIDE_BY_SIDE  # lines in a row that could not be checked
_GRACE = 10.0  # seconds that requests in flight are waited for after the run was told to stop


def apply(run: Run) -> tuple[Line, ...]:
    """Every line of the plan with its outcome, in the plan's order; writes only what is planned.

    Lines that are blocked or refused are skipped. Nothing is raised for what the API answers.
    """
    numbered = steps(run.plan)
    progress = _Progress(run)
    for action, kind in groupby(run.changes, key=lambda line: line.action):
        if action.writes:
            alone = action is Action.REPLACE or run.plan.account.livemode is None
            at_once = 1 if alone else min(SIDE_BY_SIDE, run.workers)
            progress.through(tuple(kind), numbered, at_once)
    ended = progress.outcomes
    return tuple(Line(line, ended.get(line.event_name) or blocked(line)) for line in run.changes)


def blocked(line: Change) -> Outcome | None:
    """What becomes of a line that no request brings about; None where there is nothing to do."""
    if line.action is not Action.BLOCKED:
        return None
    message = f"{line.event_name!r} was not touched: it is blocked"
    return Outcome(OutcomeStatus.SKIPPED, error=_problem(rules.LINE_REFUSED, line, message))


class _Progress:
    """The outcomes so far, and whether something has failed."""

    def __init__(self, run: Run) -> None:
        self.run = run
        self.outcomes: dict[str, Outcome] = {}
        self.unchecked: list[bool] = []
        self.failed = False
        self.wrong_mode = False

    def through(
        self, lines: tuple[Change, ...], numbered: dict[str, tuple[Step, ...]], at_once: int
    ) -> None:
        """Run the lines of one kind of action, and hear of each as it ends."""
        pool = ThreadPoolExecutor(max_workers=at_once)
        try:
            pending = {
                pool.submit(self._one, line, numbered[line.event_name]): line for line in lines
            }
            for future, line in self._as_they_end(pending):
                self._note(line, future)
        finally:
            pool.shutdown(wait=False, cancel_futures=True)

    def _as_they_end(
        self, pending: dict[Future[Outcome], Change]
    ) -> Iterator[tuple[Future[Outcome], Change]]:
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

    def _note(self, line: Change, future: Future[Outcome]) -> None:
        if future.cancel():
            outcome = Outcome(OutcomeStatus.SKIPPED, error=self._skip(line))
        elif not future.done():
            message = f"{line.event_name!r} was in flight when the run stopped"
            outcome = self._in_doubt(line, rules.NOT_CONFIRMED, message)
        elif failure := future.exception():
            message = f"{line.event_name!r}: {type(failure).__name__}"
            outcome = self._in_doubt(line, rules.UNEXPECTED, message)
        else:
            outcome = future.result()
        self.outcomes[line.event_name] = outcome
        with suppress(Exception):  # whoever listens must not be able to end an apply half-way
            self.run.told(Line(line, outcome))

    def _in_doubt(self, line: Change, rule: Rule, message: str) -> Outcome:
        """A line of which nobody knows how far it came; a replacement may be half-way."""
        if line.action is Action.REPLACE:
            return Outcome(OutcomeStatus.UNKNOWN, error=self._half_replaced(line, message))
        return Outcome(OutcomeStatus.UNKNOWN, error=_problem(rule, line, message))

    def _one(self, line: Change, planned: tuple[Step, ...]) -> Outcome:
        if line.event_name in self.run.already:
            found = self.run.already[line.event_name]
            return Outcome(OutcomeStatus.ALREADY, meter_id=found)
        if skipped := self._skip(line):
            return Outcome(OutcomeStatus.SKIPPED, error=skipped)
        try:
            outcome = self._perform(line, planned)
        except BaseException:
            self.failed = True
            raise
        self.failed = self.failed or not outcome.status.settled
        code = outcome.error.code if outcome.error else None
        self.unchecked.append(code == rules.NOT_CONFIRMED.code)
        return outcome

    def _skip(self, line: Change) -> Problem | None:
        if line.refused_by:
            codes = ", ".join(line.refused_by)
            message = f"{line.event_name!r} was not touched: refused by {codes}"
            return _problem(rules.LINE_REFUSED, line, message)
        if self.run.stopped():
            message = f"{line.event_name!r} was not touched: the run was told to stop"
            return _problem(rules.STOPPED, line, message)
        if self.wrong_mode or (self.failed and line.action.stops):
            message = f"{line.event_name!r} was not touched, since an earlier line failed"
            return _problem(rules.AFTER_FAILURE, line, message)
        if self.unchecked[-_GIVE_UP:] == [True] * _GIVE_UP:
            message = f"{line.event_name!r} was not touched, since the account answers nothing"
            return _problem(rules.AFTER_FAILURE, line, message)
        return None

    def _perform(self, line: Change, planned: tuple[Step, ...]) -> Outcome:
        """The requests of one line, one after another; stops at the first that is not settled."""
        seen = {live.id: live for live in line.live}
        parts: list[Settled] = []
        for step in planned:
            if step.undoes is not None:
                break
            base = seen.get(step.meter_id or "")
            part = settle(step, base, self.run.to_the_end() if parts else self.run)
            part = self._in_mode(line, part)
            parts.append(part)
            if part.live:
                seen[part.live.id] = part.live
            if not part.status.settled:
                return self._fallen(line, planned, step, parts, seen)
        status = min((part.status for part in parts), key=list(OutcomeStatus).index)
        return _outcome(status, parts, None)

    def _in_mode(self, line: Change, part: Settled) -> Settled:
        """The first answer tells the mode where nothing else could; a mismatch ends the run."""
        if part.live is None or part.live.livemode == self.run.livemode:
            return part
        self.wrong_mode = True
        message = f"the answer for {line.event_name!r} is of the other mode than configured"
        problem = guards.WRONG_MODE(message, line.where, event_name=line.event_name)
        return replace(part, status=OutcomeStatus.FAILED, error=problem)

    def _fallen(
        self,
        line: Change,
        planned: tuple[Step, ...],
        at: Step,
        parts: list[Settled],
        seen: dict[str, Live],
    ) -> Outcome:
        """A request was not settled: wake what this line had stopped, if nothing follows it.

        What somebody else was seen to have stopped is theirs to wake; the report is as loud.
        """
        failure = parts[-1]
        why = failure.error.message if failure.error else str(failure.status)
        undo = next((step for step in planned if step.undoes in (at.n, at.n - 1)), None)
        known = failure.status is not OutcomeStatus.UNKNOWN
        begun = len(parts) > 1 or not known or (failure.live and not failure.live.active)
        if undo is None or not begun or self._counts(failure.live):
            return _outcome(failure.status, parts, failure.error)
        ours = any(sent.wrote for sent in parts[0].sent)
        if known and not ours:
            why = f"{why}; {undo.meter_id} was stopped by somebody else, and left so"
        elif known:
            woken = settle(undo, seen.get(undo.meter_id or ""), self.run.to_the_end())
            parts.append(woken)
            if woken.status.settled:
                message = f"{why}; {undo.meter_id} is active again"
                return _outcome(failure.status, parts, _problem(rules.COMPENSATED, line, message))
        return _outcome(failure.status, parts, self._half_replaced(line, why))

    def _counts(self, live: Live | None) -> bool:
        """Whether a meter counts usage of this account, whoever brought that about."""
        return live is not None and live.active and live.livemode == self.run.livemode

    def _half_replaced(self, line: Change, why: str) -> Problem:
        """The old meter may be stopped, and nothing be there in its place."""
        old = line.have.id if line.have else ""
        message = f"{line.event_name!r} may have NO active meter, usage is being lost: {why}"
        by_hand = self.run.repair.replace("{id}", old)
        hint = "run apply again at once"
        if by_hand:
            hint += f", or wake the old meter: `{by_hand}`"
        return rules.HALF_REPLACED(message, line.where, hint, line.event_name)


def _outcome(status: OutcomeStatus, parts: list[Settled], error: Problem | None) -> Outcome:
    requests = tuple(sent for part in parts for sent in part.sent)
    last = next((part.live for part in reversed(parts) if part.live), None)
    return Outcome(status, requests, error, last.id if last else None)


def _problem(rule: Rule, line: Change, message: str) -> Problem:
    return rule(message, line.where, event_name=line.event_name)
