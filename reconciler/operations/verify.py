"""List the account again after an apply, and compare it with the plan."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from ..diagnostics.codes import applying as rules
from ..diagnostics.diagnostic import Problem
from ..diagnostics.errors import Exit, ReconcilerError
from ..model.change import Action, Change
from ..model.match import Namesakes, namesakes
from ..model.meter import Live, Status
from ..report.exit_code import after_look
from ..report.report import Line
from .session import Session

_LOOK_AGAIN = (0.0, 0.5, 1.0, 2.0, 4.0)  # seconds before each look at a listing that may lag


def verify(
    lines: tuple[Line, ...], session: Session, what: str
) -> tuple[tuple[Problem, ...], Exit]:
    """List the account again until it shows what was written, for a few seconds at most.

    What the list does not show by then is read by id, which does not lag.
    """
    written = [line for line in lines if line.outcome and line.outcome.status.settled]
    if not written:
        return (), Exit.DONE  # nothing to see again, and so nothing to say
    unmet: tuple[Line, ...] = ()
    live: tuple[Live, ...] = ()
    try:
        for wait in _LOOK_AGAIN:
            session.clock.sleep(wait)
            live = session.meters.live()
            unmet = _unmet(written, live)
            if not unmet:
                break
        if unmet:
            unmet = _unmet(written, (*live, *_by_id(unmet, session)))
    except ReconcilerError as error:
        why = "; ".join(problem.message for problem in error.problems)
        unseen = rules.UNVERIFIABLE(f"the account could not be looked at again: {why}")
        return (unseen,), after_look(lines, written)
    said = verified(lines, tuple(line.change for line in unmet), what)
    return (said,) if said else (), after_look(lines, unmet)


def _by_id(lines: Iterable[Line], session: Session) -> Iterator[Live]:
    """Every meter that these lines knew or made, as it is now."""
    made = {line.outcome.meter_id for line in lines if line.outcome and line.outcome.meter_id}
    for meter_id in sorted(made | {live.id for line in lines for live in line.change.live}):
        if now := session.meters.read(meter_id):
            yield now


def _unmet(written: Iterable[Line], live: Iterable[Live]) -> tuple[Line, ...]:
    """The lines that an account does not show to be done; of two readings the last counts."""
    wants = [line.change.want for line in written if line.change.want]
    latest = {meter.id: meter for meter in live}
    now = {each.event_name: each for each in namesakes(wants, latest.values())}
    return tuple(
        line for line in written if not fulfilled(line.change, now.get(line.change.event_name))
    )


def fulfilled(line: Change, now: Namesakes | None) -> bool:
    """Whether a name stands as its line wants it, whoever brought that about."""
    active = now.active if now else ()
    if line.want is not None and line.want.status == Status.ACTIVE:
        return len(active) == 1 and active[0].meter == line.want.meter
    return not active


def verified(
    lines: tuple[Line, ...], unmet: tuple[Change, ...], what: str = "the account"
) -> Problem | None:
    """What the closing look at `what` found; None where it has nothing to say."""
    every = [line for line in lines if line.change.action.writes]
    settled = [line for line in every if line.outcome and line.outcome.status.settled]
    if unmet:
        names = ", ".join(repr(line.event_name) for line in unmet)
        return rules.NOT_VERIFIED(f"not verified: the account still differs in {names}")
    blocked = any(line.change.action is Action.BLOCKED for line in lines)
    if len(settled) == len(every) and not blocked:
        return rules.VERIFIED(f"verified: {what} matches")
    return rules.VERIFIED(f"verified: {len(settled)} of {len(every)} lines") if settled else None
