"""Billing alerts on meters that a plan deactivates: show them, and warn."""

from __future__ import annotations

from collections.abc import Iterable

from ..diagnostics.codes import planning as rules
from ..diagnostics.diagnostic import Diagnostic
from ..diagnostics.shorten import list_some, shorten
from ..model.alert import BillingAlert
from ..model.change import Action, Change
from ..model.meter import ExistingMeter
from .diagnose import diagnose


def describe_alert(alert: BillingAlert) -> str:
    """Return the id of an alert, as `alrt_1 (Quota, at 1,000 for cus_1)`."""
    at = "" if alert.gte is None else f"at {alert.gte:,} "
    whose = f"for {shorten(alert.customer)}" if alert.customer else "for any customer"
    known = filter(None, (shorten(alert.title or ""), at + whose))
    return f"{shorten(alert.id)} ({', '.join(known)})"


def format_alerts(alerts: Iterable[BillingAlert]) -> str:
    """Return the alerts by id and what else is known of them, at most five."""
    return list_some(describe_alert(alert) for alert in alerts)


def warn_of_alerts(change: Change, existing: ExistingMeter) -> Diagnostic:
    """Return the warning that alerts stay on a meter that is deactivated."""
    number = len(change.alerts)
    listed = list_some(shorten(alert.id) for alert in change.alerts)
    which = f"1 billing alert stays on {existing.id} and is"
    if number > 1:
        which = f"{number:,} billing alerts stay on {existing.id} and are"
    message = f"{change.event_name!r}: {which} not triggered while it is inactive: {listed}"
    if change.action is not Action.REPLACE:
        return diagnose(change, rules.ALERTS_ON_METER, message)
    successor = change.reactivates.id if change.reactivates else "the new meter"
    hint = f"an alert cannot be moved: create it again on {successor}, and archive the old one"
    return diagnose(change, rules.ALERTS_ON_METER, message, hint)
