"""List the account again after an apply, and compare it with the plan."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from ..diagnostics.codes import applying as rules
from ..diagnostics.diagnostic import Diagnostic
from ..diagnostics.errors import Exit, ReconcilerError
from ..model.change import Action, Change
from ..model.match import MeterMatch, match_meters
from ..model.meter import ExistingMeter, Status
from ..report.exit_code import exit_code_for_verification
from ..report.report import ReportedChange
from .session import Session

_WAITS = (0.0, 0.5, 1.0, 2.0, 4.0)  # seconds before each listing, which may lag behind writes


def verify(
    changes: tuple[ReportedChange, ...], session: Session, what: str
) -> tuple[tuple[Diagnostic, ...], Exit]:
    """List the account again until it shows the changes, for a few seconds at most.

    Changes that the list does not show by then are read by meter id, which does not lag.
    """
    written = [change for change in changes if change.result and change.result.status.succeeded]
    if not written:
        return (), Exit.DONE
    try:
        session.on_progress("verifying what was applied")
        for wait in _WAITS:
            session.clock.sleep(wait)
            existing = session.meters.list_all()
            unmet = _find_unmet(written, existing)
            if not unmet:
                break
        else:
            unmet = _find_unmet(written, (*existing, *_read_by_id(unmet, session)))
    except ReconcilerError as error:
        why = "; ".join(diagnostic.message for diagnostic in error.diagnostics)
        unverified = rules.UNVERIFIABLE(f"the account could not be verified: {why}")
        return (unverified,), exit_code_for_verification(changes, written)
    diagnostic = describe_verification(changes, tuple(each.change for each in unmet), what)
    return (diagnostic,) if diagnostic else (), exit_code_for_verification(changes, unmet)


def _read_by_id(changes: Sequence[ReportedChange], session: Session) -> Iterator[ExistingMeter]:
    """Read every meter that these changes act on or have created."""
    ids = {existing.id for change in changes for existing in change.change.existing_meters}
    created = {change.result.meter_id for change in changes if change.result}
    for meter_id in sorted(filter(None, ids | created)):
        if now := session.meters.read(meter_id):
            yield now


def _find_unmet(
    written: Iterable[ReportedChange], existing: Iterable[ExistingMeter]
) -> tuple[ReportedChange, ...]:
    """Return the changes that an account does not show; of two readings the last counts."""
    wants = [change.change.desired for change in written if change.change.desired]
    latest = {meter.id: meter for meter in existing}
    now = {each.event_name: each for each in match_meters(wants, latest.values())}
    return tuple(
        change
        for change in written
        if not is_fulfilled(change.change, now.get(change.change.event_name))
    )


def is_fulfilled(change: Change, now: MeterMatch | None) -> bool:
    """Whether the meters of an event_name are in the state that its change leads to."""
    if now and now.unclear:
        return False
    active = now.active if now else ()
    if change.desired is not None and change.desired.status == Status.ACTIVE:
        return len(active) == 1 and active[0].meter == change.desired.meter
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
