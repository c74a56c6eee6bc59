"""Read the prices and the identity of an account for a plan."""

from __future__ import annotations

from collections.abc import Sequence

from ..diagnostics.diagnostic import Diagnostic, Level
from ..diagnostics.errors import Exit
from ..model.match import MeterMatch
from ..model.meter import ExistingMeter, Unreadable
from ..model.price import group_by_meter
from ..model.project import Account, AccountRef
from ..model.snapshot import Snapshot
from ..planning.diff import list_price_dependencies
from ..planning.guards import check
from .session import Session


def take_snapshot(
    session: Session, names: Sequence[MeterMatch], existing: tuple[ExistingMeter, ...]
) -> Snapshot:
    """Read what the actions for these event_names depend on, and nothing else.

    The mode is that of the listed objects, else the one of the key's prefix. Any object of the
    other mode than the configured one counts: nothing is written where modes are mixed.
    """
    wanted = {
        each.event_name: list_price_dependencies(each, session.account.policy) for each in names
    }
    ids = tuple(id_ for some in wanted.values() for id_ in some)
    found = session.prices.in_use(ids) if ids else ()
    deactivated = tuple(
        meter.id for each in names for meter in each.active if meter.id in wanted[each.event_name]
    )
    alerts = session.alerts.active_on(deactivated) if deactivated else ()
    configured = session.account.livemode
    foreign = tuple(meter.id for meter in existing if meter.livemode is not configured)
    of_one_mode = configured if not foreign else not configured
    livemode = of_one_mode if existing else session.key_livemode
    return Snapshot(
        prices={} if isinstance(found, Unreadable) else group_by_meter(found),
        needs_prices=frozenset(name for name, some in wanted.items() if some),
        unreadable=found if isinstance(found, Unreadable) else None,
        foreign=foreign,
        priced=frozenset(ids),
        alerts={} if isinstance(alerts, Unreadable) else group_by_meter(alerts),
        alerts_unreadable=alerts if isinstance(alerts, Unreadable) else None,
        account=AccountRef(session.account.name, session.find_account_id(), livemode),
        own_id=session.read_own_id(),
        taken_at=int(session.clock.now()),
    )


def check_account(account: Account, snapshot: Snapshot) -> tuple[Exit, tuple[Diagnostic, ...]]:
    """Return REFUSED and an error where the key reaches another account or mode than configured.

    Where the key may not tell, DONE and a warning: these commands write nothing to Stripe.
    """
    _, found = check((), account, snapshot)
    refused = any(diagnostic.level is Level.ERROR for diagnostic in found)
    return Exit.REFUSED if refused else Exit.DONE, found
