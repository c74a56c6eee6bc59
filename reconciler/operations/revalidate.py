"""Check that a saved plan still holds, with the current account, policy, prices and guards.

The changes are those that were approved; everything else is current.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import fields, replace

from ..diagnostics.codes import applying as rules
from ..diagnostics.codes import guards as guard_rules
from ..diagnostics.diagnostic import Diagnostic
from ..diagnostics.errors import Exit, RefusedError, StaleError
from ..execution.executor import blocked
from ..model.change import Change
from ..model.match import MeterMatch, match_meters
from ..model.meter import ExistingMeter
from ..model.project import Account, AccountRef
from ..planning.diagnose import diagnose
from ..planning.diff import decide, field_changes
from ..planning.guards import check
from ..planning.plan import Plan, Target
from ..planning.risk import risk
from ..report.report import AccountReport, ChangeResult, ReportedChange, ResultStatus
from ..timestamps import format_duration, format_time
from .make_plan import Planned, report_plan
from .session import Session
from .snapshot import Snapshot, guard_input, take_snapshot
from .verify import is_fulfilled

_CLOCK_SKEW = 300  # seconds by which the clocks of two machines may differ
_TIMESTAMPS = ("updated", "status_transitions.deactivated_at")


class StalePlanError(StaleError):
    """Changes of a saved plan are out of date; `report` has the whole plan with every result."""

    def __init__(self, report: AccountReport) -> None:
        super().__init__(*report.diagnostics)
        self.report = report


def revalidate(plan: Plan, session: Session) -> Planned:
    """Check a saved plan against the current account, policy, prices and guards. Write nothing.

    A change whose meters are as they were read will be applied; one whose meters are in the
    desired state is `already` applied. Raises StalePlanError if there is any other change,
    StaleError if the plan is too old, and RefusedError if it is for another account.
    """
    account = session.account
    _check_age(plan, session)
    if (here := Target.of(account)) != plan.target:
        raise _foreign(f"it was made for {_describe_difference(plan.target, here)}")
    existing = _list_meters(plan, session)
    wants = tuple(change.desired for change in plan.changes if change.desired)
    planned_names = {change.event_name for change in plan.changes}
    names = tuple(
        each for each in match_meters(wants, existing) if each.event_name in planned_names
    )
    snapshot = take_snapshot(session, names, existing)
    made_for, current = plan.account, snapshot.account
    if _is_other(current.id, made_for.id) or _is_other(current.livemode, made_for.livemode):
        raise _foreign(f"it was made for {_describe(made_for)}, this is {_describe(current)}")
    by_name = {each.event_name: each for each in names}
    already = dict(_find_fulfilled(plan, by_name))
    stale = tuple(_find_stale(plan, already, by_name, snapshot, account))
    if stale:
        raise StalePlanError(_report_stale(plan, snapshot.account, already, stale))
    changes, refusals = check(_update_prices(plan, snapshot), guard_input(account, snapshot))
    return report_plan(plan, changes, refusals, snapshot, already)


def _update_prices(plan: Plan, snapshot: Snapshot) -> Iterator[Change]:
    """Yield the changes with the current prices of the meters to deactivate."""
    for change in plan.changes:
        stopping = change.existing if change.action.deactivates else None
        prices = snapshot.prices.get(stopping.id, ()) if stopping else change.prices
        now = replace(change, prices=prices)
        yield replace(now, risk=risk(now)) if stopping else now


def _check_age(plan: Plan, session: Session) -> None:
    age = int(session.clock.now()) - plan.created_at
    allowed = session.account.policy.max_plan_age
    if age > allowed:
        message = (
            f"the plan is {format_duration(age)} old; policy.max_plan_age allows "
            f"{format_duration(allowed)}"
        )
        raise StaleError(rules.STALE_PLAN(message))
    if age < -_CLOCK_SKEW:  # with such a date it would never be too old
        message = (
            f"the plan is dated {format_time(plan.created_at)}, {format_duration(-age)} from now"
        )
        raise StaleError(rules.STALE_PLAN(message))


def _list_meters(plan: Plan, session: Session) -> tuple[ExistingMeter, ...]:
    """Return every meter; one of the plan that a lagging list does not show is read by id."""
    existing = session.meters.list_all()
    missing = []
    for meter_id in sorted(set(plan.listed) - {meter.id for meter in existing}):
        if not (meter := session.meters.read(meter_id)):
            raise _foreign(f"this account has no meter {meter_id}")
        missing.append(meter)
    return (*existing, *missing)


def _is_other(one: object, other: object) -> bool:
    """Whether both are known and differ; two keys may have different permissions."""
    return one is not None and other is not None and one != other


def _foreign(message: str) -> RefusedError:
    return RefusedError(guard_rules.FOREIGN_PLAN(f"the plan is for another account: {message}"))


def _describe(account: AccountRef) -> str:
    return f"{account.id or account.name} ({'live' if account.livemode else 'test'} mode)"


def _describe_difference(then: Target, here: Target) -> str:
    """Return the settings of the account that differ, with both values."""
    pairs = [(f.name, getattr(then, f.name), getattr(here, f.name)) for f in fields(Target)]
    differing = [pair for pair in pairs if pair[1] != pair[2]]
    made_for = ", ".join(f"{name} {value!r}" for name, value, _ in differing)
    current = ", ".join(f"{name} {value!r}" for name, _, value in differing)
    return f"{made_for}, this is {current}"


def _find_fulfilled(
    plan: Plan, names: Mapping[str, MeterMatch]
) -> Iterator[tuple[str, str | None]]:
    """Yield the changes that are applied already, each with the id of the active meter."""
    for change in plan.changes:
        now = names.get(change.event_name)
        if change.action.writes and is_fulfilled(change, now):
            yield change.event_name, now.active[0].id if now and now.active else None


def _find_stale(
    plan: Plan,
    already: Collection[str],
    names: Mapping[str, MeterMatch],
    snapshot: Snapshot,
    account: Account,
) -> Iterator[Diagnostic]:
    """Yield an error for every change whose meters are neither as read nor as desired."""
    for change in plan.changes:
        if not change.action.writes or change.event_name in already:
            continue
        now = names.get(change.event_name) or MeterMatch(change.event_name, change.desired, (), ())
        if why := _describe_changes(change, now):
            message = f"{change.event_name!r} changed in Stripe after the plan was made: {why}"
            yield diagnose(change, rules.STALE_PLAN, message)
        elif action := _decide_again(change, now, snapshot, account):
            message = f"{change.event_name!r} would be planned differently now: {action}"
            yield diagnose(change, rules.STALE_PLAN, message)


def _describe_changes(change: Change, now: MeterMatch) -> str:
    """Return how the meters of an event_name differ from those that were read for the plan."""
    then = {meter.id: meter for meter in change.existing_meters}
    here = {meter.id: meter for meter in (*now.active, *now.inactive)}
    differences = [f"{id_} no longer has this event_name" for id_ in then.keys() - here.keys()]
    differences += [f"{id_} is new" for id_ in here.keys() - then.keys()]
    differences += [_describe_change(then[id_], here[id_]) for id_ in then.keys() & here.keys()]
    return "; ".join(sorted(filter(None, differences)))


def _describe_change(then: ExistingMeter, now: ExistingMeter) -> str:
    differing = field_changes(then.as_api(), now.as_api())
    shown = [field for field in differing if field.path not in _TIMESTAMPS] or differing
    listed = ", ".join(f"{field.path} {field.before!r} -> {field.after!r}" for field in shown)
    return f"{now.id} changed ({listed})" if listed else ""


def _decide_again(change: Change, now: MeterMatch, snapshot: Snapshot, account: Account) -> str:
    """Return the action that current prices or policy lead to; empty if it is the planned one."""
    if snapshot.unreadable and change.event_name in snapshot.needs_prices:
        return ""  # the action depends on unreadable prices: a guard refuses the change
    again = decide(now, snapshot.prices, account.policy)
    if (again.action, again.existing, again.reactivates) == (
        change.action,
        change.existing,
        change.reactivates,
    ):
        return ""
    meter = f" of {again.existing.id}" if again.existing else ""
    return f"{again.action}{meter}"


def _report_stale(
    plan: Plan,
    account: AccountRef,
    already: Mapping[str, str | None],
    stale: tuple[Diagnostic, ...],
) -> AccountReport:
    """Report every change of a stale plan: out of date, applied already, or not applied."""
    why = {diagnostic.event_name: diagnostic for diagnostic in stale}

    def result(change: Change) -> ChangeResult | None:
        name = change.event_name
        if not change.action.writes:
            return blocked(change)
        if name in already:
            return ChangeResult(ResultStatus.ALREADY, meter_id=already[name])
        if name in why:
            return ChangeResult(ResultStatus.STALE, error=why[name])
        message = f"{name!r} was not applied: another change in this plan is out of date"
        error = diagnose(change, rules.STALE_PLAN, message)
        return ChangeResult(ResultStatus.SKIPPED, error=error)

    return AccountReport(
        account=account,
        exit_code=Exit.STALE,
        changes=tuple(ReportedChange(change, result(change)) for change in plan.changes),
        diagnostics=stale,
        complete=plan.complete,
        plan_id=plan.plan_id,
        plan_hash=plan.plan_hash,
    )
