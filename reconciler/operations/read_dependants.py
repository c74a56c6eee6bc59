"""Read what findings of drift depend on, and the prices that a plan shows."""

from __future__ import annotations

from collections.abc import Iterable

from msgspec.structs import replace

from ..diagnostics.diagnostic import Effect
from ..drift.deadlines import add_invoices, list_billed_prices
from ..drift.expected_prices import list_expected, list_unpriced
from ..drift.findings import list_archived_dependencies
from ..model.alert import AlertsByMeter
from ..model.change import Action
from ..model.finding import DriftEntry
from ..model.match import MeterMatch
from ..model.meter import Status, Unreadable
from ..model.price import (
    Price,
    PricesByLookupKey,
    PricesByMeter,
    group_by_lookup_key,
    group_by_meter,
)
from ..report.report import AccountReport, ReportedChange
from .make_plan import Planned
from .session import Session


def read_prices(
    session: Session, names: tuple[MeterMatch, ...]
) -> tuple[PricesByMeter, PricesByLookupKey] | Unreadable:
    """Return the prices in use by meter, and the expected ones by lookup key.

    Beside the active metered prices of the account, listed once, it reads archived ones where they
    matter, and expected prices that are not among these.
    """
    policy = session.account.policy
    archived_on = (id_ for each in names for id_ in list_archived_dependencies(each, policy))
    prices = session.prices.all_in_use(tuple(archived_on))
    if isinstance(prices, Unreadable):
        return prices
    bare = list_unpriced(names, group_by_meter(prices))
    more = session.prices.in_use(bare) if bare else ()
    expected = _find_expected(session, names, prices)
    if isinstance(more, Unreadable):
        return more
    if isinstance(expected, Unreadable):
        return expected
    return group_by_meter((*prices, *more)), expected


def read_alerts(session: Session, names: Iterable[MeterMatch]) -> AlertsByMeter | Unreadable:
    """Return the active billing alerts on meters that are inactive, and declared active.

    Nothing is read where every declared meter is active.
    """
    meters = tuple(
        meter.id
        for each in names
        if each.desired and each.desired.status == Status.ACTIVE
        if not (each.active or each.unclear)
        for meter in each.inactive
    )
    found = session.alerts.active_on(meters) if meters else ()
    return found if isinstance(found, Unreadable) else group_by_meter(found)


def read_deadlines(
    session: Session, entries: tuple[DriftEntry, ...], prices: PricesByMeter, now: int
) -> tuple[DriftEntry, ...]:
    """Add when the invoices for lost usage are finalized, if subscriptions may be read.

    One request for each price that bills lost usage, at most 50.
    """
    billed = list_billed_prices(entries, prices)
    periods = session.periods.of_prices(billed) if billed else {}
    if isinstance(periods, Unreadable):
        return entries
    return add_invoices(entries, prices, periods, now)


def show_prices(planned: Planned, session: Session, *, every: bool) -> AccountReport:
    """Add the prices in use to the changes of a plan that write or are blocked, or to all.

    Those that decided the plan are not read again, and nothing is read of an account that is not
    the configured one. Without the permission, the changes say so.
    """
    report, known = planned.report, {} if every else planned.prices
    shown = {
        each.change.event_name: [meter.id for meter in each.change.existing_meters]
        for each in report.changes
        if each.change.event_name not in known
        and (every or each.change.action.writes or each.change.action is Action.BLOCKED)
    }
    ids = tuple(id_ for some in shown.values() for id_ in some)
    if any(each.effect is Effect.ACCOUNT for each in report.diagnostics):
        return report
    found = _read_on(ids, session, every=every)
    by_meter = {} if isinstance(found, Unreadable) else group_by_meter(found)

    def add(each: ReportedChange) -> ReportedChange:
        if each.change.event_name in known:
            return replace(each, prices=known[each.change.event_name])
        on = shown.get(each.change.event_name)
        if not on:
            return each
        prices = tuple(price for id_ in on for price in by_meter.get(id_, ()))
        return replace(each, prices=found if isinstance(found, Unreadable) else prices)

    return replace(report, changes=tuple(map(add, report.changes)))


def _read_on(
    ids: tuple[str, ...], session: Session, *, every: bool
) -> tuple[Price, ...] | Unreadable:
    if not ids:
        return ()
    return session.prices.all_in_use(ids) if every else session.prices.in_use(ids)


def _find_expected(
    session: Session, names: tuple[MeterMatch, ...], prices: tuple[Price, ...]
) -> PricesByLookupKey | Unreadable:
    """Return the expected prices; those that are not active metered ones are read by their keys."""
    known = group_by_lookup_key(price for price in prices if price.active)
    unknown = [key for key in list_expected(names) if key not in known]
    found = session.prices.find(unknown) if unknown else ()
    return found if isinstance(found, Unreadable) else known | group_by_lookup_key(found)
