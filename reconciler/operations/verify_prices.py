"""Read the prices of deactivated meters once more after an apply.

A price can be attached between the last check and the deactivation: nothing that Stripe offers
prevents it, so it is detected afterwards.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from ..diagnostics.codes import applying as rules
from ..diagnostics.codes import guards
from ..diagnostics.diagnostic import Diagnostic
from ..diagnostics.errors import AuthError
from ..model.change import Action, Change
from ..model.meter import Unreadable
from ..model.price import Price, group_by_meter, select_unaccepted
from ..planning.diagnose import diagnose
from ..planning.prices import name_prices
from ..report.report import ReportedChange
from .session import Session


def find_new_prices(
    written: Iterable[ReportedChange], session: Session
) -> Mapping[str, tuple[Price, ...]]:
    """Return the prices in use that no consent covers, by the event_name of a deactivated meter.

    Raises AuthError if the prices can no longer be read, StripeError if Stripe does not respond.
    """
    changes = [each.change for each in written if each.change.action.deactivates]
    deactivated = {change.existing.id: change for change in changes if change.existing}
    if not deactivated:
        return {}
    found = session.prices.in_use(tuple(deactivated))
    if isinstance(found, Unreadable):
        message = f"the prices of {', '.join(deactivated)} can no longer be read"
        raise AuthError(guards.PRICES_UNREADABLE(f"{message} (permission: {found.permission})"))
    by_meter = group_by_meter(found)
    open_ = {
        change.event_name: select_unaccepted(by_meter.get(id_, ()), change.desired)
        for id_, change in deactivated.items()
    }
    return {name: prices for name, prices in open_.items() if prices}


def report_new_prices(change: Change, prices: Iterable[Price]) -> Diagnostic:
    """Return the error that prices came into use while their meter was deactivated."""
    listed = list(prices)
    came = "a price came" if len(listed) == 1 else "prices came"
    message = f"{change.event_name!r}: {came} into use on {listed[0].meter} while it was "
    message += f"deactivated, and their usage is not recorded: {name_prices(listed)}"
    hint = ""
    if change.action is Action.DEACTIVATE:
        hint = f"to record it again, declare {change.event_name!r} `status: active` and run "
        hint += "`reconciler apply`; or move the subscriptions and list the price under `accepts`"
    return diagnose(change, rules.PRICE_MEANWHILE, message, hint)
