"""Check that a saved plan still holds, with the current account, policy, prices and guards.

The changes are those that were approved; everything else is current, consent and protection in
the meter files included.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from msgspec.structs import replace

from ..diagnostics.codes import applying as rules
from ..diagnostics.codes import guards as guard_rules
from ..diagnostics.diagnostic import Diagnostic
from ..diagnostics.errors import Exit, RefusedError, StaleError
from ..diagnostics.lookalikes import tell_apart
from ..execution.executor import explain_blocked
from ..model.change import Change
from ..model.match import MeterMatch, match_meters
from ..model.meter import ExistingMeter
from ..model.project import Account, AccountRef
from ..model.snapshot import Snapshot
from ..planning.consent import check_consent, is_same_decision, renew_consent
from ..planning.diagnose import diagnose
from ..planning.diff import compare_fields, decide
from ..planning.guards import check
from ..planning.plan import Plan, Target
from ..report.report import AccountReport, ChangeResult, ReportedChange, ResultStatus
from ..timestamps import format_duration, format_time
from .make_plan import Planned, add_alerts, report_plan
from .session import Session
from .snapshot import take_snapshot
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
        raise _refuse_foreign(f"it was made for {_describe_difference(plan.target, here)}")
    existing = _list_meters(plan, session)
    wants = tuple(change.desired for change in plan.changes if change.desired)
    planned_names = {change.event_name for change in plan.changes}
    names = tuple(
        each for each in match_meters(wants, existing) if each.event_name in planned_names
    )
    snapshot = take_snapshot(session, names, existing)
    made_for, current = plan.account, snapshot.account
    if _differs(current.id, made_for.id) or _differs(current.livemode, made_for.livemode):
        raise _refuse_foreign(
            f"it was made for {_describe(made_for)}, this is {_describe(current)}"
        )
    by_name = {each.event_name: each for each in names}
    results = dict(_check_changes(plan, by_name, snapshot, account))
    if any(result.status is ResultStatus.STALE for result in results.values()):
        raise StalePlanError(_report_stale(plan, snapshot.account, results))
    already = {name: result.meter_id for name, result in results.items()}
    current_changes = add_alerts(_update_prices(plan, snapshot), snapshot)
    pending = tuple(each for each in current_changes if each.event_name not in already)
    checked, refusals = _check_pending(pending, by_name, snapshot, account)
    latest = {change.event_name: change for change in checked}
    changes = tuple(
        latest.get(change.event_name, replace(change, refused_by=()))  # then, not of what is left
        for change in plan.changes
    )
    return report_plan(replace(plan, changes=changes), refusals, snapshot, already)


def _check_pending(
    pending: tuple[Change, ...],
    names: Mapping[str, MeterMatch],
    snapshot: Snapshot,
    account: Account,
) -> tuple[tuple[Change, ...], tuple[Diagnostic, ...]]:
    """Apply the guards to what is left to do, with the consent of the meter files of now."""
    declared = {each.event_name: each for each in account.declared}
    renewed = tuple(renew_consent(change, declared) for change in pending)
    changes, refusals = check(renewed, account, snapshot)
    withdrawn: dict[str, Diagnostic] = {}
    for saved, change in zip(pending, changes, strict=True):
        name = saved.event_name
        if not _is_undecided(name, snapshot) and name in names:
            known = (names[name], snapshot.prices, account.policy)
            if diagnostic := check_consent(saved, change, *known):
                withdrawn[name] = diagnostic
    return (
        tuple(
            replace(change, refused_by=(*change.refused_by, withdrawn[change.event_name].code))
            if change.event_name in withdrawn
            else change
            for change in changes
        ),
        (*refusals, *withdrawn.values()),
    )


def _is_undecided(event_name: str, snapshot: Snapshot) -> bool:
    """Whether the action depends on unreadable prices: a guard refuses the change."""
    return snapshot.unreadable is not None and event_name in snapshot.needs_prices


def _update_prices(plan: Plan, snapshot: Snapshot) -> Iterator[Change]:
    """Yield the changes with the current prices of the meters to deactivate."""
    for change in plan.changes:
        deactivated = change.existing if change.action.deactivates else None
        prices = snapshot.prices.get(deactivated.id, ()) if deactivated else change.prices
        yield replace(change, prices=prices)


def _check_age(plan: Plan, session: Session) -> None:
    age = int(session.clock.now()) - plan.created_at
    allowed = session.account.policy.max_plan_age
    why = ""
    if age > allowed:
        why = f"{format_duration(age)} old; policy.max_plan_age allows {format_duration(allowed)}"
    elif age < -_CLOCK_SKEW:  # with such a date it would never be too old
        why = f"dated {format_time(plan.created_at)}, {format_duration(-age)} from now"
    if why:
        raise StaleError(rules.STALE_PLAN(f"the plan is {why}"))


def _list_meters(plan: Plan, session: Session) -> tuple[ExistingMeter, ...]:
    """Return every meter; one of the plan that a lagging list does not show is read by id."""
    existing = session.list_meters()
    missing = []
    for meter_id in sorted(set(plan.listed) - {meter.id for meter in existing}):
        if not (meter := session.meters.read(meter_id)):
            raise _refuse_foreign(f"this account has no meter {meter_id}")
        missing.append(meter)
    return (*existing, *missing)


def _differs(one: object, other: object) -> bool:
    """Whether both are known and differ; two keys may have different permissions."""
    return one is not None and other is not None and one != other


def _refuse_foreign(message: str) -> RefusedError:
    return RefusedError(guard_rules.FOREIGN_PLAN(f"the plan is for another account: {message}"))


def _describe(account: AccountRef) -> str:
    return f"{account.id or account.name} ({'live' if account.livemode else 'test'} mode)"


def _describe_difference(then: Target, here: Target) -> str:
    """Return the settings of the account that differ, with both values."""
    pairs = [(f, getattr(then, f), getattr(here, f)) for f in Target.__struct_fields__]
    differing = [pair for pair in pairs if pair[1] != pair[2]]
    made_for = ", ".join(f"{name} {value!r}" for name, value, _ in differing)
    current = ", ".join(f"{name} {value!r}" for name, _, value in differing)
    return f"{made_for}, this is {current}"


def _check_changes(
    plan: Plan, names: Mapping[str, MeterMatch], snapshot: Snapshot, account: Account
) -> Iterator[tuple[str, ChangeResult]]:
    """Yield the results of the changes that are already applied, or out of date."""
    for change in plan.changes:
        name = change.event_name
        now = names.get(name) or MeterMatch(name, change.desired, (), ())
        if not change.action.writes:
            continue
        if is_fulfilled(change, now):
            active = now.active[0].id if now.active else None
            yield name, ChangeResult(ResultStatus.ALREADY, meter_id=active)
        elif why := _explain_stale(change, now, snapshot, account):
            error = diagnose(change, rules.STALE_PLAN, f"{name!r} {why}")
            yield name, ChangeResult(ResultStatus.STALE, error=error)


def _explain_stale(change: Change, now: MeterMatch, snapshot: Snapshot, account: Account) -> str:
    """Return why a change is out of date; empty if its meters and its action are the same."""
    if differences := _describe_changes(change, now):
        return f"changed in Stripe after the plan was made: {differences}"
    if _is_undecided(change.event_name, snapshot):
        return ""
    again = decide(now, snapshot.prices, account.policy)
    if is_same_decision(again, change):
        return ""
    meter = f" of {again.existing.id}" if again.existing else ""
    return f"would be planned differently now: {again.action}{meter}"


def _describe_changes(change: Change, now: MeterMatch) -> str:
    """Return how the meters of an event_name differ from those that were read for the plan."""
    then = {meter.id: meter for meter in change.existing_meters}
    here = {meter.id: meter for meter in now.meters}
    differences = [f"{id_} no longer has this event_name" for id_ in then.keys() - here.keys()]
    differences += [f"{id_} is new" for id_ in here.keys() - then.keys()]
    differences += [_describe_change(then[id_], here[id_]) for id_ in then.keys() & here.keys()]
    return "; ".join(sorted(filter(None, differences)))


def _describe_change(then: ExistingMeter, now: ExistingMeter) -> str:
    differing = compare_fields(then.as_known(), now.as_known())
    shown = [field for field in differing if field.path not in _TIMESTAMPS] or differing
    listed = ", ".join(
        f"{field.path} {field.before!r}{before} -> {field.after!r}{after}"
        for field in shown
        for before, after in [tell_apart(field.before, field.after)]
    )
    return f"{now.id} changed ({listed})" if listed else ""


def _report_stale(
    plan: Plan, account: AccountRef, results: Mapping[str, ChangeResult]
) -> AccountReport:
    """Report every change of a stale plan: out of date, applied already, or not applied."""

    def find_result(change: Change) -> ChangeResult | None:
        if not change.action.writes or change.event_name in results:
            return results.get(change.event_name) or explain_blocked(change)
        name = change.event_name
        message = f"{name!r} was not applied: another change in this plan is out of date"
        error = diagnose(change, rules.STALE_PLAN, message)
        return ChangeResult(ResultStatus.SKIPPED, error=error)

    stale = (result for result in results.values() if result.status is ResultStatus.STALE)
    return AccountReport(
        account=account,
        exit_code=Exit.STALE,
        changes=tuple(ReportedChange(change, find_result(change)) for change in plan.changes),
        diagnostics=tuple(result.error for result in stale if result.error),
        complete=plan.complete,
        plan_id=plan.plan_id,
        plan_hash=plan.plan_hash,
    )
