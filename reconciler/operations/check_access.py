"""Check for `doctor` what a key is and what it may read; sends only GETs of one entry."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping

from msgspec import Struct

from ..diagnostics.codes import drift, planning, service
from ..diagnostics.diagnostic import Rule
from ..diagnostics.errors import AuthError, Exit, ReconcilerError, RefusedError
from ..model.meter import ExistingMeter, Unreadable
from ..model.project import Account, AccountRef
from ..model.snapshot import Snapshot
from ..planning.guards import check, report_wrong_mode
from ..report.checkup import Check, report_failure, report_problem, report_unknown
from ..stripe.api_key import Key, Kind
from ..stripe.billing.alerts import ALERTS
from ..stripe.client import EVENTS, METERS, PRICES, SUBSCRIPTIONS, describe_unreadable
from ..stripe.codec import parse_meter, parse_page
from ..stripe.errors import PermissionDeniedError
from ..stripe.http.environment import find_ca_bundle, find_proxy, hide_password
from ..stripe.response import Reply
from ..stripe.transport import API_VERSION
from ..timestamps import format_duration
from .session import Session, read_key

_LISTS = {
    "meters": (METERS, service.PERMISSION_MISSING, "rak_billing_meter_read"),
    "prices": (PRICES, drift.PRICES_UNREADABLE, "rak_plan_read"),
    "subscriptions": (SUBSCRIPTIONS, drift.SUBSCRIPTIONS_UNREADABLE, "rak_subscription_read"),
    "alerts": (ALERTS, planning.ALERTS_UNREADABLE, "rak_billing_meter_read"),
    "events": (EVENTS, drift.EVENTS_UNREADABLE, "rak_event_read"),
}
"""What is read of each list: its path, the rule of a refusal, and the permission it needs."""

_AFTER_KEY = ("proxy", "connection", "clock", "api_version", "account", *_LISTS, "writing")
_MOST_SKEW = 60  # seconds
_NOT_REACHED = "not checked, because of the error above"


class _Seen(Struct):
    """What the first entries of the lists showed; `local` is the time when `first` arrived."""

    denied: dict[str, Unreadable] = {}
    meters: tuple[ExistingMeter, ...] = ()
    first: Reply | None = None
    local: float = 0.0


def check_key(
    account: Account, environ: Mapping[str, str]
) -> tuple[Kind | None, tuple[Check, ...]]:
    """Check the variable, and the kind and the mode of the key in it, without using it.

    Return the kind, None where there is no key.
    """
    if account.emulator:
        return None, (Check("key", "none needed for the built-in emulator"),)
    name = account.api_key_env or "STRIPE_API_KEY"
    try:
        key = Key(read_key(account, environ))
    except AuthError as error:
        return None, tuple(report_failure("variable", error))
    return key.kind, (Check("variable", f"{name} is set"), _check_kind(account, key, name))


def _check_kind(account: Account, key: Key, name: str) -> Check:
    if key.livemode is not None and key.livemode is not account.livemode:
        return report_problem("key", report_wrong_mode(account, ()), Exit.REFUSED)
    if key.kind is Kind.ORGANIZATION and not account.stripe_context:
        message = f"account {account.name!r}: {name} has an organization key"
        return report_problem("key", service.CONTEXT_MISSING(message))
    mode = {True: "live mode", False: "test mode", None: "the mode is not part of it"}
    return Check("key", f"{key.kind} key, {mode[key.livemode]}")


def skip_access() -> tuple[Check, ...]:
    """Return the checks that an unusable key leaves open."""
    return tuple(report_unknown(name, _NOT_REACHED) for name in _AFTER_KEY)


def check_access(session: Session, kind: Kind | None) -> tuple[AccountRef, tuple[Check, ...]]:
    """Return the account, and the checks of the connection and of what the key may read."""
    account, seen = session.account, _Seen()
    ref = AccountRef(account.name)
    checks = [_check_proxy(account)]
    try:
        _read_lists(session, seen)
        livemode = seen.meters[0].livemode if seen.meters else session.key_livemode
        ref = AccountRef(account.name, session.find_account_id(), livemode)
        own = session.read_own_id()
    except ReconcilerError as error:
        name = "account" if isinstance(error, RefusedError) else "connection"
        checks += report_failure(name, error)
        done = {check.name for check in checks}
        return ref, (*checks, *(each for each in skip_access() if each.name not in done))
    checks += [
        Check("connection", "started" if account.emulator else f"{account.api_base} responds"),
        _check_clock(account, seen),
        _check_version(seen),
        *_check_account(account, seen, ref, own, int(session.clock.now())),
        *(_check_list(name, rule, seen) for name, (_, rule, _) in _LISTS.items()),
        _check_writing(kind),
    ]
    return ref, tuple(checks)


def _read_lists(session: Session, seen: _Seen) -> None:
    """Read the first entry of each list; raise what no missing permission explains."""
    for name, (path, _, permission) in _LISTS.items():
        try:
            reply = session.read_first(path)
        except PermissionDeniedError as error:
            seen.denied[name] = describe_unreadable(error, permission)
            continue
        if seen.first is None:
            seen.first, seen.local = reply, session.clock.now()
        if name == "meters":
            seen.meters = reply.read(lambda body: parse_page(body, parse_meter, 1)).data


def _check_proxy(account: Account) -> Check:
    """Say what the connection goes through. A file of certificates was checked on connecting."""
    proxy = None if account.emulator else find_proxy(account.api_base)
    bundle = None if account.emulator else find_ca_bundle(os.environ)
    trusted = f"; certificate authorities from {bundle}" if bundle else ""
    return Check("proxy", f"{hide_password(proxy) if proxy else 'none'}{trusted}")


def _check_clock(account: Account, seen: _Seen) -> Check:
    """Compare the clock of this machine with the `Date` of a response."""
    if account.emulator:
        return Check("clock", "the emulator uses the same")
    if seen.first is None or seen.first.date is None:
        return report_unknown("clock", "no response has a date to compare with")
    ahead = round(seen.local - seen.first.date)
    if abs(ahead) <= _MOST_SKEW:
        return Check("clock", f"within {format_duration(_MOST_SKEW)} of the server's")
    where = "ahead of" if ahead > 0 else "behind"
    message = f"the clock of this machine is {format_duration(abs(ahead))} {where} the server's"
    return report_problem("clock", service.CLOCK_WRONG(message))


def _check_version(seen: _Seen) -> Check:
    """Check that responses have the version of the API that was asked for."""
    found = seen.first.version if seen.first else None
    if found is None:
        return report_unknown("api_version", f"{API_VERSION} is sent; no response names its own")
    if found == API_VERSION:
        return Check("api_version", API_VERSION)
    message = f"requests have version {API_VERSION}, responses have {found}"
    return report_problem("api_version", service.OTHER_VERSION(message))


def _check_account(
    account: Account, seen: _Seen, ref: AccountRef, own: str | Unreadable, now: int
) -> Iterator[Check]:
    """Check the account and the mode as a plan would: by its guards."""
    foreign = tuple(each.id for each in seen.meters if each.livemode is not account.livemode)
    snapshot = Snapshot(account=ref, own_id=own, taken_at=now, prices={}, foreign=foreign)
    _, refusals = check((), account, snapshot)
    if refusals:
        yield from (report_problem("account", one, Exit.REFUSED) for one in refusals)
    elif isinstance(own, Unreadable):
        message = f"the key may not read which account it belongs to ({own.permission})"
        yield report_unknown("account", message)
    else:
        told = "as configured" if account.account_id else "the project file sets no `account_id`"
        yield Check("account", f"{own} ({told})")


def _check_list(name: str, rule: Rule, seen: _Seen) -> Check:
    if name not in seen.denied:
        return Check(name, "readable")
    permission = seen.denied[name].permission
    message = f"the API key may not read {name} (permission: {permission})"
    return report_problem(name, rule(message), Exit.DENIED)


def _check_writing(kind: Kind | None) -> Check:
    """Say whether the key may write, which cannot be tried without writing."""
    if kind in (None, Kind.UNRESTRICTED):
        who = "the emulator accepts all requests" if kind is None else "a secret key may write"
        return Check("writing", who)
    message = (
        f"whether this {kind} key may write meters cannot be checked without writing; `apply` "
        "needs the permission billing_meter_write"
    )
    return report_unknown("writing", message)
