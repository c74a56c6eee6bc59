"""`list`: list the existing meters of an account."""

from __future__ import annotations

from typing import Annotated

from ...config import load_accounts
from ...diagnostics.codes import drift
from ...diagnostics.diagnostic import Diagnostic
from ...diagnostics.errors import Exit
from ...model.meter import ExistingMeter, Status, Unreadable
from ...model.pattern import fits
from ...model.price import PricesByMeter, group_by_meter
from ...model.project import Account
from ...operations.session import Session
from ...operations.snapshot import check_account, take_snapshot
from ...planning.diagnose import report_unreadable
from ...planning.scope import note_partial
from ...planning.warnings import warn_of_unknown_fields
from ...render import Document
from ...report.documents import AccountInventory, Inventory
from ..accounts import run_on_accounts, select_accounts
from ..arguments import ScopedOptions, flag, option
from ..context import PLAIN, Command, Context, open_session


class ListOptions(ScopedOptions, frozen=True, kw_only=True):
    """Which meters: `status` None is both, `only` matches existing event_names."""

    status: Annotated[
        str | None,
        option(
            "only meters of this status (default: all)", choices=[str(status) for status in Status]
        ),
    ] = None
    prices: Annotated[bool, flag("also show which prices in use bill on each meter")] = False


def _list(options: ListOptions, context: Context) -> Document:
    project = load_accounts(options.path)

    def read(account: Account) -> AccountInventory:
        with open_session(account, context) as session:
            return _read_account(session, options)

    accounts = run_on_accounts(
        select_accounts(project, options.account, context), context, read, AccountInventory
    )
    return Inventory(
        accounts=accounts, diagnostics=project.diagnostics, narrowed=bool(options.only)
    )


def _read_account(session: Session, options: ListOptions) -> AccountInventory:
    existing = session.meters.list_all()
    snapshot = take_snapshot(session, (), existing)
    exit_code, diagnostics = check_account(session.account, snapshot)
    meters = tuple(sorted((meter for meter in existing if _matches(meter, options)), key=_order))
    prices, unreadable = _read_prices(session, meters, options) if options.prices else (None, ())
    diagnostics += (
        *unreadable,
        *session.report_rate(),
        *([note_partial()] if options.only else []),
        *(said for each in meters for said in warn_of_unknown_fields(each.event_name, [each])),
    )
    return AccountInventory(
        account=snapshot.account,
        exit_code=Exit.DENIED if unreadable else exit_code,
        meters=meters,
        total=len(existing),
        prices=prices,
        diagnostics=diagnostics,
    )


def _read_prices(
    session: Session, meters: tuple[ExistingMeter, ...], options: ListOptions
) -> tuple[PricesByMeter | None, tuple[Diagnostic, ...]]:
    """Return the prices in use on the meters, or None and why they are unreadable."""
    ids = tuple(meter.id for meter in meters)
    read = session.prices.in_use if options.only else session.prices.all_in_use
    found = read(ids)
    if isinstance(found, Unreadable):
        return None, (report_unreadable(drift.PRICES_UNREADABLE, found),)
    return group_by_meter(found), ()


def _matches(meter: ExistingMeter, options: ListOptions) -> bool:
    return fits(meter.event_name, options.only) and options.status in (None, meter.status)


def _order(meter: ExistingMeter) -> tuple[str, bool, str]:
    return meter.event_name, not meter.active, meter.id


COMMAND = Command(
    ListOptions,
    "List the existing meters of an account, active and inactive.",
    _list,
    PLAIN,
)
