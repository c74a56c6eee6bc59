"""`list`: list the existing meters of an account."""

from __future__ import annotations

from dataclasses import dataclass

from ...config import load_accounts
from ...model.meter import ExistingMeter, Status
from ...model.pattern import fits
from ...model.project import Account
from ...operations.snapshot import check_account, take_snapshot
from ...planning.warnings import note_partial, warn_of_unknown_fields
from ...render import Document
from ...report.documents import AccountInventory, Inventory
from ..accounts import run_on_accounts, select_accounts
from ..arguments import ScopedOptions, option
from ..context import PLAIN, Command, Context, open_session


@dataclass(frozen=True, slots=True, kw_only=True)
class ListOptions(ScopedOptions):
    """Which meters: `status` None is both, `only` matches existing event_names."""

    status: str | None = option(
        "only meters of this status (default: all)", choices=[str(status) for status in Status]
    )


def _list(options: ListOptions, context: Context) -> Document:
    project = load_accounts(options.path)

    def read(account: Account) -> AccountInventory:
        with open_session(account, context) as session:
            existing = session.meters.list_all()
            snapshot = take_snapshot(session, (), existing)
            diagnostics = (
                *check_account(account, snapshot),
                *session.report_rate(),
                *([note_partial()] if options.only else []),
            )
        meters = sorted((meter for meter in existing if _matches(meter, options)), key=_order)
        for meter in meters:
            diagnostics += tuple(warn_of_unknown_fields(meter.event_name, [meter]))
        return AccountInventory(
            account=snapshot.account,
            meters=tuple(meters),
            total=len(existing),
            diagnostics=diagnostics,
        )

    accounts = run_on_accounts(
        select_accounts(project, options.account), context, read, AccountInventory
    )
    return Inventory(
        accounts=accounts, diagnostics=project.diagnostics, narrowed=bool(options.only)
    )


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
