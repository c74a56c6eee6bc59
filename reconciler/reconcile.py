"""The story on one screen: read both sides, compare, judge; write, look again, say so."""

from __future__ import annotations

import secrets
import shlex
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from enum import Enum
from types import MappingProxyType

from . import __version__
from .apply import apply, blocked
from .codes import applying as rules
from .diff import decide, namesakes
from .guard import check
from .look import EVERYTHING, Looked, Scope, in_scope, look, situation
from .model import Account, Change, Live, Project
from .plan import Plan, Target, in_order, seal
from .problem import Exit, Problem, ReconcilerError
from .remarks import partial, remarks
from .report import AccountReport, Line, Outcome, OutcomeStatus
from .session import Session
from .settle import UNWRITTEN, Notebook, Run
from .stripe.transport import API_VERSION
from .verdict import after_apply, after_look, after_plan, fulfilled, verified

_LOOK_AGAIN = (0.0, 0.5, 1.0, 2.0, 4.0)  # seconds before each look at a listing that may lag


@dataclass(frozen=True, slots=True)
class Planned:
    """A plan, what is said about it, and which of its lines were found done already.

    `already` has their event_names, each with the id of the meter that stands as wanted, if one
    is to stand.
    """

    plan: Plan
    report: AccountReport
    already: Mapping[str, str | None] = field(default_factory=dict)


class Refusals(Enum):
    """What an apply does about a plan with blocked or refused lines."""

    HALT = "write nothing"
    SKIP = "do the other lines"


def make_plan(
    project: Project, session: Session, scope: Scope = EVERYTHING, commit: str | None = None
) -> Planned:
    """Read both sides, compare them, judge the difference. Writes nothing.

    Raises AuthError when the key is missing or refused, ServiceError when the account cannot
    be read, StoppedError after a stop signal.
    """
    live = session.meters.live()
    scope = scope.within(project)
    names = in_scope(namesakes(session.account.declared, live), scope)
    seen = look(session, names, live)
    decided = (decide(each, seen.prices, session.account.policy) for each in names)
    changes, refusals = check(in_order(decided), situation(session.account, seen))
    plan = Plan(
        account=seen.account,
        target=Target.of(session.account),
        changes=changes,
        listed=tuple(sorted(meter.id for meter in live)),
        configuration=project.digest,
        commit=commit,
        created_at=int(session.clock.now()),
        nonce=secrets.token_hex(16),
        tool_version=__version__,
        complete=not scope.narrowed,
    )
    return reviewed(seal(plan), changes, refusals, seen)


def reviewed(
    plan: Plan,
    changes: tuple[Change, ...],
    refusals: tuple[Problem, ...],
    seen: Looked,
    already: Mapping[str, str | None] = MappingProxyType({}),
) -> Planned:
    """A plan with the lines that guards have marked, and the report that says so."""
    said = remarks(changes, seen.unreadable)
    problems = (*refusals, *said, *(() if plan.complete else (partial(),)))
    report = AccountReport(
        account=plan.account,
        exit_code=after_plan(changes, problems),
        lines=tuple(Line(change) for change in changes),
        problems=problems,
        complete=plan.complete,
        plan_id=plan.plan_id,
        plan_hash=plan.plan_hash,
    )
    return Planned(plan, report, already)


def carry_out(
    planned: Planned,
    session: Session,
    *,
    refusals: Refusals = Refusals.HALT,
    notebook: Notebook = UNWRITTEN,
    told: Callable[[Line], None] = lambda _: None,
) -> AccountReport:
    """Do what was planned and nothing else, then look at the account again.

    A plan with a blocked or refused line writes nothing unless `refusals` is SKIP. `told`
    hears of every line as it ends. The exit code is the one of the command line.
    """
    report = planned.report
    if report.exit_code is not Exit.DONE and refusals is Refusals.HALT:
        return replace(report, lines=tuple(_untouched(line) for line in report.lines))
    lines = apply(_run(planned, session, notebook, told))
    what = "the account" if report.complete else "the part that was looked at"
    seen, also = ((), Exit.DONE) if session.stopped() else _verify(lines, session, what)
    interrupted = Exit.INTERRUPTED if session.stopped() else Exit.DONE
    exit_code = after_apply(lines, report.exit_code, interrupted, also)
    return replace(report, lines=lines, exit_code=exit_code, problems=(*report.problems, *seen))


def _run(
    planned: Planned, session: Session, notebook: Notebook, told: Callable[[Line], None]
) -> Run:
    return Run(
        plan=planned.plan,
        changes=tuple(line.change for line in planned.report.lines),
        meters=session.meters,
        notebook=notebook,
        clock=session.clock,
        livemode=session.account.livemode,
        stopped=session.stopped,
        told=told,
        repair=_by_hand(session.account),
        already=planned.already,
        billing=lambda meter_id: session.prices.for_meters((meter_id,)),
    )


def _untouched(line: Line) -> Line:
    if not line.change.action.writes:
        return replace(line, outcome=blocked(line.change))
    message = f"{line.change.event_name!r} was not touched: the plan has refused lines"
    where, name = line.change.where, line.change.event_name
    error = rules.LINE_REFUSED(message, where, event_name=name)
    return replace(line, outcome=Outcome(OutcomeStatus.SKIPPED, error=error))


def _by_hand(account: Account) -> str:
    """The command that wakes a meter without this tool; `{id}` stands for the meter's id.

    Empty where the emulator stands in this process: nothing else reaches it.
    """
    if account.emulator:
        return ""
    named = {
        "Stripe-Version": API_VERSION,  # an organisation's key must name one
        "Stripe-Account": account.stripe_account,
        "Stripe-Context": account.stripe_context,
    }
    headers = "".join(f' -H "{name}: {value}"' for name, value in named.items() if value)
    url = f"{shlex.quote(account.api_base)}/v1/billing/meters/{{id}}/reactivate"
    return f'curl -X POST {url} -u "${account.api_key_env or "STRIPE_API_KEY"}:"{headers}'


def _verify(
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
