"""Errors, warnings and notes on the changes of a plan."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Sequence

from msgspec.structs import replace

from ..diagnostics.codes import planning as rules
from ..diagnostics.codes.config import UNUSUAL_EVENT_NAME
from ..diagnostics.diagnostic import Diagnostic, Level, Location
from ..diagnostics.lookalikes import tell_apart
from ..diagnostics.shorten import list_some
from ..model.change import Action, Change, Reason
from ..model.event import RESEND
from ..model.meter import ExistingMeter, Status, Unreadable
from ..model.price import Price
from ..model.project import MeterConfig
from ..timestamps import format_duration, format_time
from .adoption import format_ids
from .alerts import warn_of_alerts
from .diagnose import diagnose, note_override
from .lookalikes import warn_of_lookalike_changes
from .prices import format_prices, name_price

_USUAL_NAME = re.compile(r"[A-Za-z0-9_.-]+")
_SHOWN = 5  # fields that a message lists
_LONGEST = 60  # characters of a value that a message shows
_UNCLEAR = (Reason.TWO_ACTIVE, Reason.UNKNOWN_STATUS)


def plan_warnings(
    changes: tuple[Change, ...], now: int, unreadable: Unreadable | None = None
) -> tuple[Diagnostic, ...]:
    """Return errors for blocked changes and warnings for risky ones, in the order of the changes.

    `now` is in Unix seconds; `unreadable` is given where the prices could not be read.
    """
    explained = tuple(
        diagnostic for change in changes for diagnostic in _warn_of_change(change, now, unreadable)
    )
    return (*explained, *warn_of_lookalike_changes(changes))


def _warn_of_change(
    change: Change, now: int, unreadable: Unreadable | None
) -> Iterator[Diagnostic]:
    if change.action is not Action.UNCHANGED:
        yield from _explain_change(change, now, unreadable)
    meters = [meter for meter in change.existing_meters if meter.extra]
    if meters:
        yield from warn_of_unknown_fields(change.event_name, meters, change.location)


def warn_of_unknown_fields(
    event_name: str, meters: Iterable[ExistingMeter], location: Location | None = None
) -> Iterator[Diagnostic]:
    """Yield a warning for each meter with fields that this version does not know."""
    for meter in meters:
        unknown = [
            f"{_shorten(path)}: {_shorten(json.dumps(value))}"
            for path, value in meter.list_unknown_fields()
        ]
        if unknown:
            message = f"{meter.id} has fields that this version does not know: "
            message += list_some(unknown, _SHOWN)
            yield rules.UNKNOWN_FIELDS(message, location, event_name=event_name)


def _explain_change(
    change: Change, now: int, unreadable: Unreadable | None
) -> Iterator[Diagnostic]:
    if change.reason == Reason.DIFFERS and change.existing and change.desired:
        yield _explain_difference(change, change.existing, change.desired, unreadable)
    elif change.action is Action.BLOCKED or change.reason in _UNCLEAR:
        yield _explain_blocked(change)
    elif change.action is Action.REPLACE:
        successor = change.reactivates.id if change.reactivates else "the new meter"
        message = (
            f"usage of {change.event_name!r} is not recorded between deactivating "
            f"{_list_ids(filter(None, [change.existing]))} and activating {successor}"
        )
        yield diagnose(change, rules.GAP, message, _advise_replacement(change))
    elif change.action is Action.REACTIVATE and change.existing:
        yield _explain_reactivation(change, change.existing, now)
        yield from warn_of_rename(change)
    elif change.action is Action.CREATE:
        yield from _check_event_name(change)
        yield from _check_new_meter(change)
    if change.action.deactivates and change.existing and not change.prices and not unreadable:
        on = f" on {change.existing.id}" if change.others else ""  # the others may have some
        message = f"{change.event_name!r}: No prices found{on}. Inline prices cannot be listed and "
        message += "may still use this meter."
        yield diagnose(change, rules.NO_PRICES, message)
    if change.action.deactivates and change.existing and change.alerts:
        yield warn_of_alerts(change, change.existing)


def _advise_replacement(change: Change) -> str:
    """Return the hint where the successor has been there before, perhaps with prices."""
    if change.reactivates is None:
        return ""
    move = f"; move the subscriptions to prices of {change.reactivates.id}"
    return f"pause usage senders or re-send rejected usage{move if change.prices else ''}"


def _shorten(text: str) -> str:
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"


def _check_event_name(change: Change) -> Iterator[Diagnostic]:
    if not _USUAL_NAME.fullmatch(change.event_name):
        message = f"{change.event_name!r} contains characters other than A-Z, a-z, 0-9, _, - and ."
        yield diagnose(change, UNUSUAL_EVENT_NAME, message)


def _explain_reactivation(change: Change, existing: ExistingMeter, now: int) -> Diagnostic:
    since = existing.inactive_since
    if now < since + RESEND:
        resend = f"lost usage can be re-sent until {format_time(since + RESEND)}"
    else:
        resend = "lost usage of the last 35 days can be re-sent"
    message = (
        f"{change.event_name!r} ({existing.id}) has been inactive since {format_time(since)} "
        f"({format_duration(now - since)}); {resend}, unless its invoice is finalized earlier"
    )
    return diagnose(change, rules.INACTIVE_SINCE, message)


def _check_new_meter(change: Change) -> Iterator[Diagnostic]:
    if change.others:
        message = f"a new meter is created for {change.event_name!r}; inactive meters of this "
        message += f"event_name: {_list_ids(change.others)}"
        yield diagnose(change, rules.INACTIVE_METERS, message)
    yield from warn_of_rename(change)


def warn_of_rename(change: Change) -> Iterator[Diagnostic]:
    """Yield a warning for a change that seems to rename an undeclared meter."""
    if former := change.renamed_from:
        new, old = tell_apart(change.event_name, former.event_name)
        message = f"{change.event_name!r}{new} looks like a rename of the undeclared meter "
        message += f"{former.event_name!r}{old} ({former.id})"
        yield diagnose(change, rules.LOOKS_LIKE_RENAME, message)


def _explain_blocked(change: Change) -> Diagnostic:
    hint = ""
    match change.reason:
        case Reason.TWO_ACTIVE:
            rule = rules.TWO_ACTIVE
            active = [other for other in change.others if other.active]
            message = f"{change.event_name!r} has {len(active)} active meters: {_list_ids(active)}"
        case Reason.UNKNOWN_STATUS:
            rule = rules.UNKNOWN_STATUS
            unclear = [meter for meter in change.existing_meters if not meter.has_known_status]
            message = f"{change.event_name!r} is not changed: " + ", ".join(
                f"the status of {meter.id} is {meter.status!r}" for meter in unclear
            )
        case Reason.PRICES_ON_SEVERAL_METERS:
            rule = rules.PRICES_ON_SEVERAL_METERS
            message = f"prices in use of {change.event_name!r} are on several inactive meters"
        case _:
            rule = rules.PRICES_ON_OTHER_METER
            meter = change.prices[0].meter
            message = f"prices in use of {change.event_name!r} are on {meter}, which differs"
            hint = f"declare the settings of {meter}, or retire it with "
            hint += f"`retires: {format_ids([meter])}`"
    listed = ", ".join(f"{name_price(price)} on {price.meter}" for price in change.prices)
    diagnostic = diagnose(change, rule, f"{message} ({listed})" if listed else message, hint)
    return diagnostic if change.desired else replace(diagnostic, level=Level.WARNING)


def _explain_difference(
    change: Change, existing: ExistingMeter, desired: MeterConfig, unreadable: Unreadable | None
) -> Diagnostic:
    fields = "; ".join(
        f"{f.path}: {f.before!r}{before} -> {f.after!r}{after}{note_override(desired, f.path)}"
        for f in change.fields
        for before, after in [tell_apart(f.before, f.after)]
        if f.path != "display_name"
    )
    prices = _describe_prices([price for price in change.prices if price.meter == existing.id])
    if unreadable:
        prices = f"; prices of {existing.id} could not be read"
        prices += f" (permission: {unreadable.permission})"
    message = f"{change.event_name!r} differs in an immutable field: {fields}{prices}"
    consent = _describe_consent(change, existing, desired, unreadable)
    if desired.status != Status.ACTIVE:
        hint = f"declare the settings of {existing.id}, or consent to deactivating it: {consent}"
        return diagnose(change, rules.RETIRED_DIFFERS, message, hint)
    then = (
        f"reactivating {change.reactivates.id}, which has the declared settings"
        if change.reactivates
        else "creating a new meter, which no existing price uses"
    )
    hint = f"declare the settings of {existing.id}, or consent to deactivating it and {then}: "
    return diagnose(change, rules.DIFFERS, message, hint + consent)


def _describe_consent(
    change: Change, existing: ExistingMeter, desired: MeterConfig, unreadable: Unreadable | None
) -> str:
    """Return everything that the declaration has to list, so that one review is enough."""
    others = dict.fromkeys(price.meter for price in change.prices if price.meter != existing.id)
    consent = f"`retires: {format_ids([*desired.retires, existing.id, *others])}`"
    consent += note_override(desired, "retires")
    if len(others) > 1:
        consent += " (without the inactive meter to be reactivated)"
    stranded = [price.id for price in change.prices if price.meter == existing.id]
    if unreadable:
        consent += ", and `accepts: {prices: [...]}` with the prices in use on it"
    elif set(stranded) - set(desired.accepted_prices):
        accepted = format_ids([*desired.accepted_prices, *stranded])
        consent += f" and `accepts: {{prices: {accepted}}}`{note_override(desired, 'accepts')}"
    return consent


def _describe_prices(prices: Sequence[Price]) -> str:
    """Return which prices use a meter, after a semicolon; an empty text without prices."""
    if not prices:
        return ""
    count = "1 price in use on" if len(prices) == 1 else f"{len(prices)} prices in use on"
    return f"; {count} {prices[0].meter}: {format_prices(prices)}"


def _list_ids(meters: Iterable[ExistingMeter]) -> str:
    return ", ".join(meter.id for meter in meters)
