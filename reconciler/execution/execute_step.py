"""One request of a plan, sent until it is known what came of it.

An answer proves something only when it is fresh and shows the meter as it was asked for.
After any other, the account is looked at again (design, section 4): as wanted, it is done;
still as read, the next try; anything else, somebody else was there. Texts are never matched.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

from ..clock import Clock, Stopped, never
from ..diagnostics.codes import applying as rules
from ..diagnostics.codes import guards
from ..diagnostics.diagnostic import Diagnostic, Rule
from ..diagnostics.errors import AuthError, ReconcilerError, StoppedError
from ..model.change import Change
from ..model.meter import ExistingMeter, Meter, Unreadable
from ..model.price import Price, unaccepted_prices
from ..planning.plan import Plan
from ..report.report import ReportedChange, RequestRecord, ResultStatus
from .protocol import SIDE_BY_SIDE, Confirmed, Indeterminate, Journal, Meters, Outcome, Rejected
from .steps import Operation, Step, idempotency_key

_LOG = logging.getLogger(__name__)

TRIES = 4  # of one request that are answered anew, each with the transport's own retries inside
KEYS = 20  # of one request: an earlier run of the plan may have used some, whose answers come back
_LIST_LAG = (0.0, 0.5, 1.0, 2.0)  # seconds between looks for a meter that must be there
_DENIED = (401, 403)
_NO_EFFECT = "no effect of it can be seen; run apply again: it starts from what the account holds"


@dataclass(frozen=True, slots=True, kw_only=True)
class ApplyContext:
    """What it takes to apply a plan; every effect is reached through here.

    `changes` are the lines of the plan as the guards of now have marked them.
    `told` hears of every line as it ends; `repair` is the command that wakes a meter by hand,
    with `{id}` for its id; `already` are event_names whose lines were found as wanted before
    anything was sent, each with the id of the meter that stands so; `billing` is asked for a
    meter's active prices right before it is stopped; `begun` says that a request of the line
    has had its effect, or may have had it; `begins` is called before each request.
    """

    plan: Plan
    changes: tuple[Change, ...]
    meters: Meters
    journal: Journal
    clock: Clock
    livemode: bool
    stopped: Stopped = never
    on_result: Callable[[ReportedChange], None] = lambda _: None
    recovery_command: str = "reactivate {id}"
    already: Mapping[str, str | None] = field(default_factory=dict)
    billing: Callable[[str], tuple[Price, ...] | Unreadable] = lambda _: ()
    workers: int = SIDE_BY_SIDE
    begun: bool = False
    begins: Callable[[], None] = lambda: None

    def ignoring_stop(self) -> ApplyContext:
        """The same for the rest of a line, which no signal cuts off or hurries, nor a full disk."""
        clock, meters = self.clock.ignoring_stop(), self.meters.ignoring_stop()
        return replace(self, begun=True, stopped=never, clock=clock, meters=meters)

    def after(self, answer: Outcome) -> ApplyContext:
        """The same, to the end if anything may have been done: a rate limit comes before that."""
        return (
            self
            if isinstance(answer, Indeterminate) and not answer.doubts
            else self.ignoring_stop()
        )


@dataclass(frozen=True, slots=True)
class StepResult:
    """What is known of one request in the end; `live` is the meter as it was last seen."""

    status: ResultStatus
    existing: ExistingMeter | None = None
    sent: tuple[RequestRecord, ...] = ()
    error: Diagnostic | None = None


def execute_step(step: Step, base: ExistingMeter | None, run: ApplyContext) -> StepResult:
    """Send a request until its effect is known; `base` is its meter as it was last read.

    Whatever fails on the way becomes a part of the answer: a line that is half done must still
    be reported, and mended where it can be.
    """
    sent: list[RequestRecord] = []
    try:
        if step.operation in (Operation.DEACTIVATE, Operation.REACTIVATE) and (
            lost := preflight(step, base, run)
        ):
            return lost
        return _send(step, base, run, sent)
    except StoppedError:
        why = f"the run was told to stop before {_what(step)} was settled"
        return StepResult(
            ResultStatus.SKIPPED, None, tuple(sent), _problem(rules.STOPPED, step, why)
        )
    except ReconcilerError as error:
        why = "; ".join(diagnostic.message for diagnostic in error.diagnostics)
        rule = rules.NOT_ALLOWED if isinstance(error, AuthError) else rules.NOT_CONFIRMED
        status = ResultStatus.UNKNOWN if _wrote(sent) else ResultStatus.FAILED
        message = f"{_what(step)} could not be checked: {why}"
        return StepResult(status, None, tuple(sent), _problem(rule, step, message))
    except Exception as error:
        _LOG.debug("while settling %s", _what(step), exc_info=True)
        message = f"{_what(step)}: {type(error).__name__} inside the tool"
        diagnostic = _problem(rules.UNEXPECTED, step, message)
        return StepResult(ResultStatus.UNKNOWN, None, tuple(sent), diagnostic)


def preflight(step: Step, base: ExistingMeter | None, run: ApplyContext) -> StepResult | None:
    """A last look before stopping or waking a meter: has somebody been there first?"""
    if run.stopped():
        raise StoppedError
    billed = check_new_prices(step, run)
    now = run.meters.read(step.meter_id) if step.meter_id else None
    if now and _as_wanted(step, now, base):
        return StepResult(ResultStatus.ALREADY, now)
    return _stale(step, now, ()) if now != base else billed


def check_new_prices(step: Step, run: ApplyContext) -> StepResult | None:
    """Whether a price that nobody has consented to came to bill on a meter that would stop."""
    if step.operation is not Operation.DEACTIVATE or not step.meter_id:
        return None
    found = run.billing(step.meter_id)
    if isinstance(found, Unreadable):
        message = f"{step.meter_id} was not stopped: its prices cannot be read any more"
        message += f" (permission: {found.permission})"
        return StepResult(
            ResultStatus.FAILED, error=_problem(guards.PRICES_UNREADABLE, step, message)
        )
    new = sorted(price.id for price in unaccepted_prices(found, step.change.desired))
    if not new:
        return None
    message = f"{step.meter_id} was not stopped: since the plan {', '.join(new)} bills on it"
    return StepResult(ResultStatus.STALE, error=_problem(rules.PRICE_CAME, step, message))


def _send(
    step: Step, base: ExistingMeter | None, run: ApplyContext, sent: list[RequestRecord]
) -> StepResult:
    attempt, tries = 1, 0
    while True:
        answer = _request(step, idempotency_key(run.plan, step, attempt), run, sent)
        if (
            isinstance(answer, Confirmed)
            and not answer.replayed
            and _as_wanted(step, answer.existing, base)
        ):
            return StepResult(ResultStatus.DONE, answer.existing, tuple(sent))
        if _denied(answer):
            break
        run = run.after(answer)
        now = _look(step, answer, run)
        if now and _as_wanted(step, now, base):
            return StepResult(_whose(sent), now, tuple(sent))
        if now != (None if step.operation is Operation.CREATE else base):
            return _stale(step, now, tuple(sent))
        tries += not answer.replayed or answer.attempts > 1  # else all of it is of an earlier run
        if tries == TRIES or attempt == KEYS or _final(answer):
            break
        if isinstance(answer, Confirmed) or answer.replayed:
            attempt += 1  # the stored answer would only come again
        else:
            run.clock.sleep(2.0**tries)
    return StepResult(ResultStatus.FAILED, None, tuple(sent), _failure(step, answer, sent))


def _final(answer: Outcome) -> bool:
    """Whether another try can only be refused again."""
    return isinstance(answer, Rejected) and not answer.replayed


def _denied(answer: Outcome) -> bool:
    """A no to the key, which is looked at before anything else; an earlier try may have passed."""
    denied = isinstance(answer, Rejected) and answer.status in _DENIED
    return denied and not answer.doubts and not answer.replayed


def _request(step: Step, key: str, run: ApplyContext, sent: list[RequestRecord]) -> Outcome:
    if run.stopped():
        raise StoppedError
    run.begins()
    run.journal.before_request(step, key, begun=run.begun)
    try:
        answer = run.meters.send(step, key)
    except StoppedError:
        run.journal.not_sent(step, key)
        raise
    run.journal.after_response(step, key, answer)
    sent.append(_record(step, answer))
    return answer


def _record(step: Step, answer: Outcome) -> RequestRecord:
    result = type(answer).__name__.lower()
    fresh = isinstance(answer, Confirmed) and not answer.replayed
    wrote = fresh or answer.doubts > 0
    return RequestRecord(str(step.operation), answer.request_id, answer.attempts, result, wrote)


def _look(step: Step, answer: Outcome, run: ApplyContext) -> ExistingMeter | None:
    """The meter of a step as it is now; for a create, the one that has come into being."""
    if step.operation is not Operation.CREATE:
        return run.meters.read(step.meter_id) if step.meter_id else None
    if isinstance(answer, Confirmed) and _meant(step, answer.existing):
        return run.meters.read(answer.existing.id)
    known = frozenset(run.plan.listed)
    for wait in _LIST_LAG if isinstance(answer, Rejected) else (0.0,):
        run.clock.sleep(wait)
        found = run.meters.find(step.change.event_name, known)
        if new := [existing for existing in found if existing.active]:
            return new[0]
    return None


def _meant(step: Step, existing: ExistingMeter) -> bool:
    """Whether an answer shows the very meter that a request is about."""
    if step.meter_id:
        return existing.id == step.meter_id
    return existing.event_name == step.change.event_name


def _as_wanted(step: Step, existing: ExistingMeter, base: ExistingMeter | None) -> bool:
    """Whether a meter is as a request leaves it; a woken one may have its new name already."""
    if not _meant(step, existing):
        return False
    match step.operation:
        case Operation.CREATE | Operation.UPDATE:
            return existing.active and existing.meter == _wanted(step)
        case Operation.REACTIVATE:
            known = (_wanted(step), base and base.meter)
            return existing.active and (step.undoes is not None or existing.meter in known)
        case Operation.DEACTIVATE:
            return not existing.active


def _wanted(step: Step) -> Meter | None:
    return step.change.desired.meter if step.change.desired else None


def _whose(sent: list[RequestRecord]) -> ResultStatus:
    """As wanted: by us, unless all that we sent was refused or had been done before."""
    return ResultStatus.DONE if _wrote(sent) else ResultStatus.ALREADY


def _wrote(sent: list[RequestRecord]) -> bool:
    """Whether any of the requests had, or may have had, an effect of its own."""
    return any(request.wrote for request in sent)


def _stale(step: Step, now: ExistingMeter | None, sent: tuple[RequestRecord, ...]) -> StepResult:
    what = f"is now {now.status}, {now.display_name!r}" if now else "is gone"
    message = f"{step.change.event_name!r} ({step.meter_id or (now and now.id)}) moved: it {what}"
    return StepResult(ResultStatus.STALE, now, sent, _problem(rules.STALE_LINE, step, message))


def _failure(step: Step, answer: Outcome, sent: list[RequestRecord]) -> Diagnostic:
    ids = ", ".join(request.request_id for request in sent if request.request_id)
    old = "old answers came back, and the meter did not change"
    why = old if isinstance(answer, Confirmed) else answer.diagnostic.message
    message = f"{_what(step)} failed: {why}"
    denied = isinstance(answer, Rejected) and answer.status in _DENIED
    rule = rules.NOT_ALLOWED if denied else rules.REFUSED_BY_API
    hint = _NO_EFFECT if isinstance(answer, Indeterminate) else ""
    on_result = f"{message} ({ids})" if ids and ids not in message else message
    return rule(on_result, step.change.location, hint, step.change.event_name)


def _what(step: Step) -> str:
    return f"{step.operation} of {step.change.event_name!r}"


def _problem(rule: Rule, step: Step, message: str) -> Diagnostic:
    return rule(message, step.change.location, event_name=step.change.event_name)
