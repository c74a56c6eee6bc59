"""Send one request of a plan until its effect is known.

A response is proof only if it is fresh and shows the requested state of the meter. After any
other response the meter is read again. In the requested state, the step is done; unchanged, it
is tried again; in any other state, another client has changed it. Error texts are never parsed.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping

from msgspec import Struct
from msgspec.structs import replace

from ..clock import Clock, Stopped, never
from ..diagnostics.codes import applying as rules
from ..diagnostics.codes import guards
from ..diagnostics.diagnostic import Diagnostic
from ..diagnostics.errors import AuthError, ReconcilerError, StoppedError
from ..model.change import Change
from ..model.meter import ExistingMeter, Meter, Status, Unreadable
from ..model.price import select_unaccepted
from ..model.request import Outcome, RequestRecord
from ..planning.adoption import keep_active
from ..planning.diagnose import diagnose
from ..planning.plan import Plan
from ..planning.prices import name_prices
from ..report.report import ReportedChange, ResultStatus
from .protocol import SIDE_BY_SIDE, Answer, Journal, Meters
from .steps import Operation, Step, build_key

_LOG = logging.getLogger(__name__)

TRIES = 4  # fresh responses to one request; the transport's own retries are not counted
KEYS = 20  # idempotency keys of one request: an earlier run of the plan may have used some
_LAG = (0.0, 0.5, 1.0, 2.0)  # seconds before each look for what must be there: readings may lag
_NAME_REFUSED = (400, 409)  # statuses of a create whose event_name is taken
_NO_EFFECT = "no effect is visible; run `reconciler apply` again: it starts from the current state"


class ApplyContext(Struct, frozen=True, kw_only=True):
    """Everything that applying a plan depends on, side effects included.

    `on_result` is called as each change ends; `recovery_command` reactivates a meter manually,
    with `{id}` for its id; `already` maps the event_names that were found in the desired state
    before anything was sent to the id of the active meter, if any; `begun` is set once a request
    of the change has had an effect, or may have had one; `begins` is called before each request,
    and `on_replacement` before a replacement, with what to report if the process ends amid it.
    """

    plan: Plan
    meters: Meters
    journal: Journal
    clock: Clock
    livemode: bool
    stopped: Stopped = never
    on_result: Callable[[ReportedChange], None] = lambda _: None
    recovery_command: str = "reactivate {id}"
    already: Mapping[str, str | None] = {}
    workers: int = SIDE_BY_SIDE
    begun: bool = False
    begins: Callable[[], None] = lambda: None
    on_replacement: Callable[[Diagnostic], None] = lambda _: None

    def ignoring_stop(self) -> ApplyContext:
        """Return the context for the rest of a change: no signal interrupts or shortens it."""
        clock, meters = self.clock.ignoring_stop(), self.meters.ignoring_stop()
        return replace(self, begun=True, stopped=never, clock=clock, meters=meters)


class StepResult(Struct, frozen=True):
    """The result of one request; `existing` is the meter as it was last read."""

    status: ResultStatus
    existing: ExistingMeter | None = None
    sent: tuple[RequestRecord, ...] = ()
    error: Diagnostic | None = None


def execute_step(step: Step, base: ExistingMeter | None, run: ApplyContext) -> StepResult:
    """Send a request until its effect is known; `base` is its meter as it was last read.

    Errors are returned and not raised: an incomplete change must be reported, and compensated.
    """
    sent: list[RequestRecord] = []
    try:
        return _send(step, base, run, sent)
    except StoppedError:
        message = f"{_describe(step)}: interrupted before its effect was known"
        stopped = diagnose(step.change, rules.STOPPED, message)
        return StepResult(ResultStatus.SKIPPED, None, tuple(sent), stopped)
    except ReconcilerError as error:
        why = "; ".join(diagnostic.message for diagnostic in error.diagnostics)
        rule = rules.NOT_ALLOWED if isinstance(error, AuthError) else rules.NOT_CONFIRMED
        status = ResultStatus.UNKNOWN if _wrote(sent) else ResultStatus.FAILED
        message = f"{_describe(step)} could not be confirmed: {why}"
        return StepResult(status, None, tuple(sent), diagnose(step.change, rule, message))
    except Exception as error:
        _LOG.debug("%s failed", _describe(step), exc_info=True)
        message = f"{_describe(step)}: internal error ({type(error).__name__})"
        diagnostic = diagnose(step.change, rules.UNEXPECTED, message)
        return StepResult(ResultStatus.UNKNOWN, None, tuple(sent), diagnostic)


def preflight(step: Step, base: ExistingMeter | None, run: ApplyContext) -> StepResult | None:
    """Return a result if the meter has changed since it was read, or must not be deactivated."""
    if run.stopped():
        raise StoppedError
    now = _read_existing(step.meter_id, base, run) if step.meter_id else None
    if now and _is_in_requested_state(step, now, base):
        return StepResult(ResultStatus.ALREADY, now)
    if now != base:
        return _report_stale(step, now, ())
    return check_new_prices(step, run)  # last: a price may be attached at any moment


def check_new_prices(step: Step, run: ApplyContext) -> StepResult | None:
    """Return a result if a new price, not accepted, is in use on the meter to deactivate."""
    if step.operation is not Operation.DEACTIVATE or not step.meter_id:
        return None
    found = run.meters.read_prices(step.meter_id)
    if isinstance(found, Unreadable):
        message = f"{step.meter_id} was not deactivated: its prices can no longer be read"
        message += f" (permission: {found.permission})"
        return StepResult(
            ResultStatus.FAILED, error=diagnose(step.change, guards.PRICES_UNREADABLE, message)
        )
    new = sorted(select_unaccepted(found, step.change.desired), key=lambda price: price.id)
    if not new:
        return None
    what = "a new price is" if len(new) == 1 else "new prices are"
    message = f"{step.meter_id} was not deactivated: {what} in use on it: {name_prices(new)}"
    return StepResult(ResultStatus.STALE, error=diagnose(step.change, rules.NEW_PRICE, message))


def _send(
    step: Step, base: ExistingMeter | None, run: ApplyContext, sent: list[RequestRecord]
) -> StepResult:
    attempt, tries = 1, 0
    while True:
        if ended := _check_before_sending(step, base, run, sent):
            return ended
        answer = _request(step, build_key(run.plan, step, attempt), base, run, sent)
        record = answer.record
        if shown := _find_proof(step, answer, base):
            return StepResult(ResultStatus.DONE, shown, tuple(sent))
        if ended := _check_created(step, answer, run.plan, tuple(sent)):
            return ended
        run = run.ignoring_stop() if record.may_be_in_effect() else run
        if ended := _check_effect(step, answer, base, run, sent):
            return ended
        tries += not record.replayed or record.attempts > 1  # else only an earlier run's response
        if tries == TRIES or attempt == KEYS or record.is_final():
            break
        if record.result is Outcome.CONFIRMED or record.replayed:
            attempt += 1  # the same key would only replay the stored response
        else:
            run.clock.sleep(2.0**tries)
    return StepResult(ResultStatus.FAILED, None, tuple(sent), _describe_failure(step, answer, sent))


def _check_before_sending(
    step: Step, base: ExistingMeter | None, run: ApplyContext, sent: list[RequestRecord]
) -> StepResult | None:
    """Return a result if the request must not be sent; that of an undo is sent in any case."""
    if step.undoes or not (ended := preflight(step, base, run)):
        return None
    status = _choose_status(sent) if ended.status is ResultStatus.ALREADY else ended.status
    return replace(ended, status=status, sent=tuple(sent))


def _request(
    step: Step,
    key: str,
    base: ExistingMeter | None,
    run: ApplyContext,
    sent: list[RequestRecord],
) -> Answer:
    def may_retry(so_far: RequestRecord) -> bool:
        """Whether the meter is still as planned; also after a signal if it may be changed."""
        patient = run.ignoring_stop() if so_far.doubts else run
        try:
            return _check_before_sending(step, base, patient, sent) is None
        except ReconcilerError:
            return False

    if run.stopped():
        raise StoppedError
    run.begins()
    run.journal.before_request(step, key, begun=run.begun)
    try:
        answer = run.meters.send(step, key, may_retry)
    except StoppedError:
        run.journal.not_sent(step, key)
        raise
    run.journal.after_response(step, key, answer)
    sent.append(replace(answer.record, operation=str(step.operation)))
    return answer


def _find_proof(step: Step, answer: Answer, base: ExistingMeter | None) -> ExistingMeter | None:
    """Return the meter of a fresh answer that shows the requested state."""
    shown = answer.existing
    if shown and answer.record.is_fresh() and _is_in_requested_state(step, shown, base):
        return shown
    return None


def _check_effect(
    step: Step,
    answer: Answer,
    base: ExistingMeter | None,
    run: ApplyContext,
    sent: list[RequestRecord],
) -> StepResult | None:
    """Return a result if the meter, read again, shows the effect or another change."""
    record = answer.record
    now = _read_meter(step, answer, base, run)
    if now and _is_in_requested_state(step, now, base):
        return StepResult(_choose_status(sent), now, tuple(sent))
    if not step.undoes and now != (None if step.operation is Operation.CREATE else base):
        return _report_stale(step, now, tuple(sent))
    if record.is_denied() and not record.replayed:  # else an earlier delivery had its effect
        sent[-1] = sent[-1].without_effect()
    return None


def _read_existing(
    meter_id: str, base: ExistingMeter | None, run: ApplyContext
) -> ExistingMeter | None:
    """Read a meter; a reading older than `base`, what is known of it already, proves nothing."""
    for wait in _LAG:
        run.clock.sleep(wait)
        now = run.meters.read(meter_id)
        if now is None or base is None or now.updated >= base.updated:
            return now
    return base


def _read_meter(
    step: Step, answer: Answer, base: ExistingMeter | None, run: ApplyContext
) -> ExistingMeter | None:
    """Read the meter of a step; for a create, search the created one."""
    if step.operation is not Operation.CREATE:
        return _read_existing(step.meter_id, base, run) if step.meter_id else None
    if answer.existing and _is_target(step, answer.existing):
        return run.meters.read(answer.existing.id)
    known = frozenset(run.plan.listed)
    for wait in _LAG if answer.record.is_final() else (0.0,):
        run.clock.sleep(wait)
        found = run.meters.find(step.change.event_name, known)
        if new := [existing for existing in found if existing.active]:
            return new[0]
    return None


def _is_target(step: Step, existing: ExistingMeter) -> bool:
    """Whether a meter is the one that a request is for."""
    if step.meter_id:
        return existing.id == step.meter_id
    return existing.event_name == step.change.event_name


def _is_in_requested_state(step: Step, existing: ExistingMeter, base: ExistingMeter | None) -> bool:
    """Whether a meter is in the requested state; a reactivated one may be renamed already."""
    if not _is_target(step, existing):
        return False
    match step.operation:
        case Operation.CREATE | Operation.UPDATE:
            return existing.active and existing.meter == _get_desired(step, existing)
        case Operation.REACTIVATE:
            known = (_get_desired(step, existing), base and base.meter)
            return existing.active and (step.undoes is not None or existing.meter in known)
        case Operation.DEACTIVATE:
            return existing.status == Status.INACTIVE


def _get_desired(step: Step, existing: ExistingMeter) -> Meter | None:
    return step.change.desired.meter_for(existing) if step.change.desired else None


def _choose_status(sent: list[RequestRecord]) -> ResultStatus:
    """Return DONE if a request of this run may have had an effect, else ALREADY."""
    return ResultStatus.DONE if _wrote(sent) else ResultStatus.ALREADY


def _wrote(sent: list[RequestRecord]) -> bool:
    """Whether any of the requests had, or may have had, an effect."""
    return any(request.wrote for request in sent)


def _report_stale(
    step: Step, now: ExistingMeter | None, sent: tuple[RequestRecord, ...]
) -> StepResult:
    what = f"now {now.status}, display_name {now.display_name!r}" if now else "not found"
    meter = step.meter_id or (now and now.id)
    message = f"{step.change.event_name!r} ({meter}) was changed by another client: {what}"
    return StepResult(
        ResultStatus.STALE, now, sent, diagnose(step.change, rules.STALE_CHANGE, message)
    )


def _check_created(
    step: Step, answer: Answer, plan: Plan, sent: tuple[RequestRecord, ...]
) -> StepResult | None:
    """Return a result if a create made a meter of another event_name: another would be too many.

    Also if a stored response says so: that of an earlier run of the plan, or of a lost response.
    """
    made = answer.existing if answer.record.result is Outcome.CONFIRMED else None
    if step.operation is not Operation.CREATE or made is None:
        return None
    if _is_target(step, made) or made.id in plan.listed:
        return None
    message = f"{_describe(step)}: Stripe created {made.id} with event_name {made.event_name!r}"
    return StepResult(
        ResultStatus.FAILED, None, sent, diagnose(step.change, rules.OTHER_NAME, message)
    )


def _describe_failure(step: Step, answer: Answer, sent: list[RequestRecord]) -> Diagnostic:
    ids = ", ".join(request.request_id for request in sent if request.request_id)
    why = "Stripe accepted the request, but the meter did not change"
    if answer.record.replayed:
        why = "only stored responses were returned, and the meter did not change"
    if answer.error:
        why = answer.error.message
    message = f"{_describe(step)} failed: {why}"
    rule = rules.NOT_ALLOWED if answer.record.is_denied() else rules.REJECTED_BY_API
    is_open = answer.record.result is Outcome.INDETERMINATE and not answer.record.is_denied()
    hint = _NO_EFFECT if is_open else ""
    text = f"{message} ({ids})" if ids and ids not in message else message
    if step.operation is Operation.CREATE and answer.record.status in _NAME_REFUSED:
        return _explain_held_name(step.change, text) or diagnose(step.change, rule, text, hint)
    return diagnose(step.change, rule, text, hint)


def _explain_held_name(change: Change, message: str) -> Diagnostic | None:
    """Return that an inactive meter seems to hold the event_name; None where there is none."""
    inactive = change.existing_meters  # where one was active, it was deactivated before a create
    if not inactive or not change.desired:
        return None
    kept, *others = inactive
    ids = ", ".join(meter.id for meter in inactive)
    which = f"one of the inactive meters {ids}" if others else f"{kept.id}, which is inactive,"
    edit = keep_active(kept, change.desired)
    return diagnose(
        change,
        rules.NAME_HELD,
        f"{message}; {which} seems to hold the event_name",
        f"declare the settings of {kept.id}, so that it is the active meter: `{edit}`",
    )


def _describe(step: Step) -> str:
    return f"{step.operation} of {step.change.event_name!r}"
