"""List the account again after an apply, and compare it with the plan."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from msgspec import Struct
from msgspec.structs import replace

from ..diagnostics.codes import applying as rules
from ..diagnostics.diagnostic import Diagnostic, Effect
from ..diagnostics.errors import Exit, ReconcilerError
from ..execution.executor import describe_loss
from ..model.change import Action, Change
from ..model.match import MeterMatch, match_meters
from ..model.meter import ExistingMeter, Status
from ..report.exit_code import exit_code_for_verification
from ..report.report import ChangeResult, ReportedChange
from .session import Session
from .verify_prices import find_new_prices, report_new_prices

_WAITS = (0.0, 0.5, 1.0, 2.0, 4.0)  # seconds before each listing, which may lag behind writes


class Verification(Struct, frozen=True):
    """The changes of an apply with what the account shows of them, and the exit code of that."""

    changes: tuple[ReportedChange, ...]
    diagnostics: tuple[Diagnostic, ...] = ()
    exit_code: Exit = Exit.DONE


def verify(
    changes: tuple[ReportedChange, ...], session: Session, what: str, recovery_command: str
) -> Verification:
    """List the account again until it shows every change that was touched, for a few seconds.

    What the list does not show by then is read by meter id, which does not lag. A change that
    failed after it may have had an effect must not leave its event_name without an active meter.
    The prices of deactivated meters are read last.
    """
    touched = [change for change in changes if change.result and _is_touched(change.result)]
    if not touched:
        return Verification(changes)
    succeeded = [change for change in touched if _has_succeeded(change)]
    try:
        unmet = _find_unmet_in_time(touched, session)
        new_prices = find_new_prices(succeeded, session)
    except ReconcilerError as error:
        why = "; ".join(diagnostic.message for diagnostic in error.diagnostics)
        unverified = rules.UNVERIFIABLE(f"the account could not be verified: {why}")
        return Verification(changes, (unverified,), exit_code_for_verification(changes, succeeded))
    missing = tuple(change for change in unmet if _has_succeeded(change))
    lost = {change.change.event_name for change in unmet if not _has_succeeded(change)}
    priced = tuple(change for change in succeeded if change.change.event_name in new_prices)
    said = [report_new_prices(each.change, new_prices[each.change.event_name]) for each in priced]
    if missing or not priced:
        diagnostic = describe_verification(changes, tuple(each.change for each in missing), what)
        said += [diagnostic] if diagnostic else []
    return Verification(
        tuple(
            _report_loss(change, recovery_command) if change.change.event_name in lost else change
            for change in changes
        ),
        tuple(said),
        exit_code_for_verification(changes, (*missing, *priced)),
    )


def _is_touched(result: ChangeResult) -> bool:
    """Whether a change succeeded, or may have had an effect."""
    return result.status.succeeded or any(request.wrote for request in result.requests)


def _has_succeeded(change: ReportedChange) -> bool:
    return change.result is not None and change.result.status.succeeded


def _find_unmet_in_time(
    touched: Sequence[ReportedChange], session: Session
) -> tuple[ReportedChange, ...]:
    session.on_progress("verifying what was applied")
    for wait in _WAITS:
        session.clock.sleep(wait)
        existing = session.meters.list_all()
        unmet = _find_unmet(touched, existing)
        if not unmet:
            return ()
    return _find_unmet(touched, (*existing, *_read_by_id(unmet, session)))


def _report_loss(change: ReportedChange, recovery_command: str) -> ReportedChange:
    """Return a failed change with the error that its event_name has no active meter."""
    result = change.result
    if result is None or (result.error and result.error.effect is Effect.LOSS):
        return change
    why = "the account shows none after the apply"
    return replace(
        change, result=replace(result, error=describe_loss(change.change, why, recovery_command))
    )


def _read_by_id(changes: Sequence[ReportedChange], session: Session) -> Iterator[ExistingMeter]:
    """Read every meter that these changes act on or have created."""
    ids = {existing.id for change in changes for existing in change.change.existing_meters}
    created = {change.result.meter_id for change in changes if change.result}
    for meter_id in sorted(filter(None, ids | created)):
        if now := session.meters.read(meter_id):
            yield now


def _find_unmet(
    touched: Iterable[ReportedChange], existing: Iterable[ExistingMeter]
) -> tuple[ReportedChange, ...]:
    """Return the changes that an account does not show; of two readings the last counts."""
    wants = [change.change.desired for change in touched if change.change.desired]
    latest = {meter.id: meter for meter in existing}
    now = {each.event_name: each for each in match_meters(wants, latest.values())}
    return tuple(
        change for change in touched if not _is_met(change, now.get(change.change.event_name))
    )


def _is_met(change: ReportedChange, now: MeterMatch | None) -> bool:
    """Whether a change is fulfilled, or has failed without the loss of its active meter."""
    if _has_succeeded(change):
        return is_fulfilled(change.change, now)
    before, desired = change.change.existing, change.change.desired
    was_active = before is not None and before.active
    to_stay = desired is not None and desired.status == Status.ACTIVE
    return not (was_active and to_stay) or bool(now and now.active)


def is_fulfilled(change: Change, now: MeterMatch | None) -> bool:
    """Whether the meters of an event_name are in the state that its change leads to."""
    if now and now.unclear:
        return False
    active = now.active if now else ()
    if change.desired is not None and change.desired.status == Status.ACTIVE:
        return len(active) == 1 and active[0].meter == change.desired.meter_for(active[0])
    return not active


def describe_verification(
    changes: tuple[ReportedChange, ...], unmet: tuple[Change, ...], what: str = "the account"
) -> Diagnostic | None:
    """Return the result of verifying `what`; None if nothing was applied."""
    every = [change for change in changes if change.change.action.writes]
    succeeded = [change for change in every if change.result and change.result.status.succeeded]
    if unmet:
        names = ", ".join(repr(change.event_name) for change in unmet)
        return rules.NOT_VERIFIED(f"the account still differs from the plan: {names}")
    blocked = any(change.change.action is Action.BLOCKED for change in changes)
    if len(succeeded) == len(every) and not blocked:
        return rules.VERIFIED(f"verified: {what} matches the plan")
    message = f"verified: {len(succeeded)} of {len(every)} changes"
    return rules.VERIFIED(message) if succeeded else None
