"""Billing alerts on meters that a plan deactivates: show them, and warn."""

from __future__ import annotations

from collections.abc import Iterable

from ..diagnostics.codes import planning as rules
from ..diagnostics.diagnostic import Diagnostic
from ..diagnostics.shorten import shorten
from ..model.alert import BillingAlert
from ..model.change import Action, Change
from ..model.meter import ExistingMeter, Unreadable
from .diagnose import diagnose

_SHOWN = 5  # alerts that are listed


def describe_alert(alert: BillingAlert) -> str:
    """Return the id of an alert, as `alrt_1 (Quota, at 1,000 for cus_1)`."""
    at = "" if alert.gte is None else f"at {alert.gte:,} "
    whose = f"for {shorten(alert.customer)}" if alert.customer else "for any customer"
    known = filter(None, (shorten(alert.title or ""), at + whose))
    return f"{shorten(alert.id)} ({', '.join(known)})"


def format_alerts(alerts: Iterable[BillingAlert]) -> str:
    """Return the alerts by id and what else is known of them, at most five."""
    return _list_few(describe_alert(alert) for alert in alerts)


def warn_of_alerts(change: Change, existing: ExistingMeter) -> Diagnostic:
    """Return the warning that alerts stay on a meter that is deactivated."""
    number = len(change.alerts)
    listed = _list_few(shorten(alert.id) for alert in change.alerts)
    which = f"1 billing alert stays on {existing.id} and is"
    if number > 1:
        which = f"{number:,} billing alerts stay on {existing.id} and are"
    message = f"{change.event_name!r}: {which} not triggered while it is inactive: {listed}"
    if change.action is not Action.REPLACE:
        return diagnose(change, rules.ALERTS_ON_METER, message)
    successor = change.reactivates.id if change.reactivates else "the new meter"
    hint = f"an alert cannot be moved: create it again on {successor}, and archive the old one"
    return diagnose(change, rules.ALERTS_ON_METER, message, hint)


def report_unreadable_alerts(unreadable: Unreadable) -> Diagnostic:
    """Return the warning that the key may not read alerts."""
    rule = rules.ALERTS_UNREADABLE
    return rule(f"{rule.title} (permission: {unreadable.permission})")


def _list_few(texts: Iterable[str]) -> str:
    every = list(texts)
    more = f" and {len(every) - _SHOWN:,} more" if len(every) > _SHOWN else ""
    return ", ".join(every[:_SHOWN]) + more
