"""A saved plan against the account, the policy, the prices and the guards of now.

The plan says *what*: its lines are what was approved. Everything else is of now.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import replace

from ..diagnostics.codes import applying as rules
from ..diagnostics.codes import guards as guard_rules
from ..diagnostics.diagnostic import Problem
from ..diagnostics.errors import Exit, RefusedError, StaleError
from ..execution.executor import blocked
from ..model.change import Change
from ..model.match import Namesakes, namesakes
from ..model.meter import Live
from ..model.project import Account, AccountRef
from ..planning.diff import decide, field_changes
from ..planning.guards import check
from ..planning.plan import Plan, Target
from ..planning.risk import severity
from ..report.report import AccountReport, Line, Outcome, OutcomeStatus
from ..timestamps import lasting, utc
from .make_plan import Planned, reviewed
from .session import Session
from .snapshot import Looked, look, situation
from .verify import fulfilled

_CLOCK_SKEW = 300  # seconds by which the clocks of two machines may differ
_STAMPS = ("updated", "status_transitions.deactivated_at")


class OutdatedError(StaleError):
    """Lines of a saved plan moved; `report` is the whole plan, with what became of each line."""

    def __init__(self, report: AccountReport) -> None:
        super().__init__(*report.problems)
        self.report = report


def revive(plan: Plan, session: Session) -> Planned:
    """A saved plan against the account, the policy, the prices and the guards of now.

    Line by line: still as read, it will be done; already as wanted, it is `already`. Raises
    OutdatedError for anything else, StaleError for a plan that is too old, and RefusedError for
    a plan of another account; nothing is written.
    """
    account = session.account
    _not_too_old(plan, session)
    if (here := Target.of(account)) != plan.target:
        raise _foreign(
            f"it was made for {plan.target.name!r} of the project, this is {here.name!r}"
        )
    live = _as_listed(plan, session)
    wants = tuple(line.want for line in plan.changes if line.want)
    planned_names = {line.event_name for line in plan.changes}
    names = tuple(each for each in namesakes(wants, live) if each.event_name in planned_names)
    seen = look(session, names, live)
    if _differ(seen.account.id, plan.account.id) or _differ(
        seen.account.livemode, plan.account.livemode
    ):
        raise _foreign(f"it was made for {_called(plan.account)}, this is {_called(seen.account)}")
    by_name = {each.event_name: each for each in names}
    already = dict(_fulfilled(plan, by_name))
    moved = tuple(_moved(plan, already, by_name, seen, account))
    if moved:
        raise OutdatedError(_outdated(plan, seen.account, already, moved))
    changes, refusals = check(_as_of_now(plan, seen), situation(account, seen))
    return reviewed(plan, changes, refusals, seen, already)


def _as_of_now(plan: Plan, seen: Looked) -> Iterator[Change]:
    """The lines with the prices that bill now on what would stop."""
    for line in plan.changes:
        stopping = line.have if line.action.stops else None
        prices = seen.prices.get(stopping.id, ()) if stopping else line.prices
        now = replace(line, prices=prices)
        yield replace(now, severity=severity(now))


def _not_too_old(plan: Plan, session: Session) -> None:
    age = int(session.clock.now()) - plan.created_at
    allowed = session.account.policy.max_plan_age
    if age > allowed:
        message = f"the plan is {lasting(age)} old; the policy allows {lasting(allowed)}"
        raise StaleError(rules.STALE_PLAN(message))
    if age < -_CLOCK_SKEW:  # by such a date it would never be too old
        message = f"the plan is dated {utc(plan.created_at)}, {lasting(-age)} from now"
        raise StaleError(rules.STALE_PLAN(message))


def _as_listed(plan: Plan, session: Session) -> tuple[Live, ...]:
    """Every meter; one that the plan saw and the list does not show yet is read by its id."""
    live = session.meters.live()
    late = []
    for meter_id in sorted(set(plan.listed) - {meter.id for meter in live}):
        if not (meter := session.meters.read(meter_id)):
            raise _foreign(f"the account has no meter {meter_id}, which the plan saw")
        late.append(meter)
    return (*live, *late)


def _differ(one: object, other: object) -> bool:
    """Whether both are known and not the same; a key for reading may know less than the other."""
    return one is not None and other is not None and one != other


def _foreign(message: str) -> RefusedError:
    return RefusedError(guard_rules.FOREIGN_PLAN(f"the plan is of another account: {message}"))


def _called(account: AccountRef) -> str:
    return f"{account.id or account.name} ({'live' if account.livemode else 'test'} mode)"


def _fulfilled(plan: Plan, names: Mapping[str, Namesakes]) -> Iterator[tuple[str, str | None]]:
    """The lines that are already as wanted, whoever brought that about; and by which meter."""
    for line in plan.changes:
        now = names.get(line.event_name)
        if line.action.writes and fulfilled(line, now):
            yield line.event_name, now.active[0].id if now and now.active else None


def _moved(
    plan: Plan,
    already: Collection[str],
    names: Mapping[str, Namesakes],
    seen: Looked,
    account: Account,
) -> Iterator[Problem]:
    """A problem for every line that is neither as it was read nor as it is wanted."""
    for line in plan.changes:
        if not line.action.writes or line.event_name in already:
            continue
        now = names.get(line.event_name) or Namesakes(line.event_name, line.want, (), ())
        why = _since_read(line, now) or _decided_otherwise(line, now, seen, account)
        if why:
            message = f"{line.event_name!r} is no longer as it was read for the plan: {why}"
            yield rules.STALE_PLAN(message, line.where, event_name=line.event_name)


def _since_read(line: Change, now: Namesakes) -> str:
    """What differs between the live meters of a name as they were read and as they are."""
    then = {meter.id: meter for meter in line.live}
    here = {meter.id: meter for meter in (*now.active, *now.inactive)}
    said = [f"{id_} is not of this name any more" for id_ in then.keys() - here.keys()]
    said += [f"{id_} is new" for id_ in here.keys() - then.keys()]
    said += [_changed(then[id_], here[id_]) for id_ in then.keys() & here.keys()]
    return "; ".join(sorted(filter(None, said)))


def _changed(then: Live, now: Live) -> str:
    fields = field_changes(then.as_api(), now.as_api())
    told = [field for field in fields if field.path not in _STAMPS] or fields
    listed = ", ".join(f"{field.path} {field.before!r} -> {field.after!r}" for field in told)
    return f"{now.id} changed ({listed})" if listed else ""


def _decided_otherwise(line: Change, now: Namesakes, seen: Looked, account: Account) -> str:
    """Whether the prices or the policy of now make something else of meters that did not move."""
    if seen.unreadable and line.event_name in seen.needs_prices:
        return ""  # what the prices decide cannot be judged: a guard refuses the line
    again = decide(now, seen.prices, account.policy)
    if (again.action, again.have, again.wakes) == (line.action, line.have, line.wakes):
        return ""
    meter = f" of {again.have.id}" if again.have else ""
    return f"by the prices and the policy of now it would be {again.action}{meter}"


def _outdated(
    plan: Plan,
    account: AccountRef,
    already: Mapping[str, str | None],
    moved: tuple[Problem, ...],
) -> AccountReport:
    """The plan in full: which lines moved, which are done already; the others were not touched."""
    why = {problem.event_name: problem for problem in moved}

    def outcome(line: Change) -> Outcome | None:
        name = line.event_name
        if not line.action.writes:
            return blocked(line)
        if name in already:
            return Outcome(OutcomeStatus.ALREADY, meter_id=already[name])
        if name in why:
            return Outcome(OutcomeStatus.STALE, error=why[name])
        untouched = f"{name!r} was not touched: other lines of the plan are stale"
        error = rules.STALE_PLAN(untouched, line.where, event_name=name)
        return Outcome(OutcomeStatus.SKIPPED, error=error)

    return AccountReport(
        account=account,
        exit_code=Exit.STALE,
        lines=tuple(Line(line, outcome(line)) for line in plan.changes),
        problems=moved,
        complete=plan.complete,
        plan_id=plan.plan_id,
        plan_hash=plan.plan_hash,
    )
