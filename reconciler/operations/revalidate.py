"""A saved plan against the account, the policy, the prices and the guards of now.

The plan says *what*: its lines are what was approved. Everything else is of now.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import replace

from ..diagnostics.codes import applying as rules
from ..diagnostics.codes import guards as guard_rules
from ..diagnostics.diagnostic import Diagnostic
from ..diagnostics.errors import Exit, RefusedError, StaleError
from ..execution.executor import blocked
from ..model.change import Change
from ..model.match import MeterMatch, match_meters
from ..model.meter import ExistingMeter
from ..model.project import Account, AccountRef
from ..planning.diff import decide, field_changes
from ..planning.guards import check
from ..planning.plan import Plan, Target
from ..planning.risk import risk
from ..report.report import AccountReport, ChangeResult, ReportedChange, ResultStatus
from ..timestamps import format_duration, format_time
from .make_plan import Planned, reviewed
from .session import Session
from .snapshot import Snapshot, guard_input, take_snapshot
from .verify import fulfilled

_CLOCK_SKEW = 300  # seconds by which the clocks of two machines may differ
_STAMPS = ("updated", "status_transitions.deactivated_at")


class StalePlanError(StaleError):
    """Lines of a saved plan moved; `report` is the whole plan, with what became of each line."""

    def __init__(self, report: AccountReport) -> None:
        super().__init__(*report.diagnostics)
        self.report = report


def revalidate(plan: Plan, session: Session) -> Planned:
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
    existing = _as_listed(plan, session)
    wants = tuple(change.desired for change in plan.changes if change.desired)
    planned_names = {change.event_name for change in plan.changes}
    names = tuple(
        each for each in match_meters(wants, existing) if each.event_name in planned_names
    )
    snapshot = take_snapshot(session, names, existing)
    if _differ(snapshot.account.id, plan.account.id) or _differ(
        snapshot.account.livemode, plan.account.livemode
    ):
        raise _foreign(
            f"it was made for {_called(plan.account)}, this is {_called(snapshot.account)}"
        )
    by_name = {each.event_name: each for each in names}
    already = dict(_fulfilled(plan, by_name))
    moved = tuple(_moved(plan, already, by_name, snapshot, account))
    if moved:
        raise StalePlanError(_outdated(plan, snapshot.account, already, moved))
    changes, refusals = check(_as_of_now(plan, snapshot), guard_input(account, snapshot))
    return reviewed(plan, changes, refusals, snapshot, already)


def _as_of_now(plan: Plan, snapshot: Snapshot) -> Iterator[Change]:
    """The lines with the prices that bill now on what would stop."""
    for change in plan.changes:
        stopping = change.existing if change.action.stops else None
        prices = snapshot.prices.get(stopping.id, ()) if stopping else change.prices
        now = replace(change, prices=prices)
        yield replace(now, risk=risk(now)) if stopping else now


def _not_too_old(plan: Plan, session: Session) -> None:
    age = int(session.clock.now()) - plan.created_at
    allowed = session.account.policy.max_plan_age
    if age > allowed:
        message = (
            f"the plan is {format_duration(age)} old; the policy allows {format_duration(allowed)}"
        )
        raise StaleError(rules.STALE_PLAN(message))
    if age < -_CLOCK_SKEW:  # by such a date it would never be too old
        message = (
            f"the plan is dated {format_time(plan.created_at)}, {format_duration(-age)} from now"
        )
        raise StaleError(rules.STALE_PLAN(message))


def _as_listed(plan: Plan, session: Session) -> tuple[ExistingMeter, ...]:
    """Every meter; one that the plan saw and the list does not show yet is read by its id."""
    existing = session.meters.list_all()
    late = []
    for meter_id in sorted(set(plan.listed) - {meter.id for meter in existing}):
        if not (meter := session.meters.read(meter_id)):
            raise _foreign(f"the account has no meter {meter_id}, which the plan saw")
        late.append(meter)
    return (*existing, *late)


def _differ(one: object, other: object) -> bool:
    """Whether both are known and not the same; a key for reading may know less than the other."""
    return one is not None and other is not None and one != other


def _foreign(message: str) -> RefusedError:
    return RefusedError(guard_rules.FOREIGN_PLAN(f"the plan is of another account: {message}"))


def _called(account: AccountRef) -> str:
    return f"{account.id or account.name} ({'live' if account.livemode else 'test'} mode)"


def _fulfilled(plan: Plan, names: Mapping[str, MeterMatch]) -> Iterator[tuple[str, str | None]]:
    """The lines that are already as wanted, whoever brought that about; and by which meter."""
    for change in plan.changes:
        now = names.get(change.event_name)
        if change.action.writes and fulfilled(change, now):
            yield change.event_name, now.active[0].id if now and now.active else None


def _moved(
    plan: Plan,
    already: Collection[str],
    names: Mapping[str, MeterMatch],
    snapshot: Snapshot,
    account: Account,
) -> Iterator[Diagnostic]:
    """A problem for every line that is neither as it was read nor as it is wanted."""
    for change in plan.changes:
        if not change.action.writes or change.event_name in already:
            continue
        now = names.get(change.event_name) or MeterMatch(change.event_name, change.desired, (), ())
        why = _since_read(change, now) or _decided_otherwise(change, now, snapshot, account)
        if why:
            message = f"{change.event_name!r} is no longer as it was read for the plan: {why}"
            yield rules.STALE_PLAN(message, change.location, event_name=change.event_name)


def _since_read(change: Change, now: MeterMatch) -> str:
    """What differs between the live meters of a name as they were read and as they are."""
    then = {meter.id: meter for meter in change.existing_meters}
    here = {meter.id: meter for meter in (*now.active, *now.inactive)}
    said = [f"{id_} is not of this name any more" for id_ in then.keys() - here.keys()]
    said += [f"{id_} is new" for id_ in here.keys() - then.keys()]
    said += [_changed(then[id_], here[id_]) for id_ in then.keys() & here.keys()]
    return "; ".join(sorted(filter(None, said)))


def _changed(then: ExistingMeter, now: ExistingMeter) -> str:
    fields = field_changes(then.as_api(), now.as_api())
    on_result = [field for field in fields if field.path not in _STAMPS] or fields
    listed = ", ".join(f"{field.path} {field.before!r} -> {field.after!r}" for field in on_result)
    return f"{now.id} changed ({listed})" if listed else ""


def _decided_otherwise(
    change: Change, now: MeterMatch, snapshot: Snapshot, account: Account
) -> str:
    """Whether the prices or the policy of now make something else of meters that did not move."""
    if snapshot.unreadable and change.event_name in snapshot.needs_prices:
        return ""  # what the prices decide cannot be judged: a guard refuses the line
    again = decide(now, snapshot.prices, account.policy)
    if (again.action, again.existing, again.reactivates) == (
        change.action,
        change.existing,
        change.reactivates,
    ):
        return ""
    meter = f" of {again.existing.id}" if again.existing else ""
    return f"by the prices and the policy of now it would be {again.action}{meter}"


def _outdated(
    plan: Plan,
    account: AccountRef,
    already: Mapping[str, str | None],
    moved: tuple[Diagnostic, ...],
) -> AccountReport:
    """The plan in full: which lines moved, which are done already; the others were not touched."""
    why = {diagnostic.event_name: diagnostic for diagnostic in moved}

    def result(change: Change) -> ChangeResult | None:
        name = change.event_name
        if not change.action.writes:
            return blocked(change)
        if name in already:
            return ChangeResult(ResultStatus.ALREADY, meter_id=already[name])
        if name in why:
            return ChangeResult(ResultStatus.STALE, error=why[name])
        untouched = f"{name!r} was not touched: other lines of the plan are stale"
        error = rules.STALE_PLAN(untouched, change.location, event_name=name)
        return ChangeResult(ResultStatus.SKIPPED, error=error)

    return AccountReport(
        account=account,
        exit_code=Exit.STALE,
        changes=tuple(ReportedChange(change, result(change)) for change in plan.changes),
        diagnostics=moved,
        complete=plan.complete,
        plan_id=plan.plan_id,
        plan_hash=plan.plan_hash,
    )
