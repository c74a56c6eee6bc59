"""A digest of what the files say about an account, by which a change of them is found."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator

from msgspec.json import encode

from ..model.project import Account, MeterConfig, Project


def digest_accounts(accounts: Iterable[Account]) -> Iterator[str]:
    """Yield a digest of each account: its identity, policy, exemptions and declared meters.

    Where a meter is declared, and how the account is reached, is not in it. A meter that several
    accounts share is hashed once.
    """
    known: dict[int, str] = {}
    shared: dict[int, str] = {}
    for account in accounts:
        if id(account.declared) not in shared:
            meters = [_digest_once(meter, known) for meter in account.declared]
            shared[id(account.declared)] = _digest(meters)
        exemptions = [
            [each.event_name, each.kind, each.reason, each.until, each.owner]
            for each in account.ignore
        ]
        identity = [account.account_id, account.stripe_account, account.stripe_context]
        yield _digest(
            [identity, account.livemode, account.policy, exemptions, shared[id(account.declared)]]
        )


def digest_project(project: Project) -> str:
    """Return a digest of what the files say about all accounts."""
    digests = zip(project.accounts, digest_accounts(project.accounts), strict=True)
    return _digest([[one.name, one.connected and one.connected.ids, said] for one, said in digests])


def _digest_once(meter: MeterConfig, known: dict[int, str]) -> str:
    if id(meter) not in known:
        consent = [meter.protect, meter.retires, meter.accepted_prices, meter.ignore_changes]
        prices = [meter.prices, meter.lookup_keys]
        known[id(meter)] = _digest([meter.status, meter.meter, consent, prices])
    return known[id(meter)]


def _digest(value: object) -> str:
    return hashlib.sha256(encode(value, order="deterministic")).hexdigest()
