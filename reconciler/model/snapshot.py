"""What a run has read of an account, besides its meters."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct

from .alert import AlertsByMeter
from .meter import Unreadable
from .price import Price
from .project import AccountRef


class Snapshot(Struct, frozen=True, kw_only=True):
    """What was read of an account, and when (Unix seconds).

    `account` is the account that the key acts on, `own_id` the key's own account (`account` may
    be a connected one). `prices` are the prices in use by meter id, for the meters whose prices a
    change depends on: `priced` are the ids of those meters, `needs_prices` their event_names.
    `alerts` are the active billing alerts on those meters that a change would deactivate, by meter
    id. `foreign` are the ids of the meters that are not of the configured mode.
    """

    account: AccountRef
    own_id: str | Unreadable
    taken_at: int
    prices: Mapping[str, tuple[Price, ...]]
    needs_prices: frozenset[str] = frozenset()
    unreadable: Unreadable | None = None
    foreign: tuple[str, ...] = ()
    priced: frozenset[str] = frozenset()
    alerts: AlertsByMeter = {}
    alerts_unreadable: Unreadable | None = None
