"""`ready`: check that meters are ready to receive usage."""

from __future__ import annotations

from typing import Annotated

from ...config import load
from ...model.project import Account
from ...operations.check_ready import check_ready, select_meters
from ...render import Document
from ...report.documents import AccountReadiness, Readiness
from ..accounts import run_on_accounts, select_accounts
from ..arguments import AccountOptions, positional
from ..context import PLAIN, Command, Context, open_session


class ReadyOptions(AccountOptions, frozen=True, kw_only=True):
    """Which meters: all that are declared active where none is named."""

    event_names: Annotated[
        tuple[str, ...],
        positional("a declared event_name (default: all that are declared active)", "EVENT_NAME"),
    ] = ()


def _ready(options: ReadyOptions, context: Context) -> Document:
    project = load(".")

    def check(account: Account) -> AccountReadiness:
        desired = select_meters(account, options.event_names)
        with open_session(account, context) as session:
            return check_ready(desired, session)

    accounts = select_accounts(project, options.account, context)
    return Readiness(
        accounts=run_on_accounts(accounts, context, check, AccountReadiness),
        diagnostics=project.diagnostics,
    )


COMMAND = Command(
    ReadyOptions,
    "Check that meters are ready to receive usage, before an application is deployed: active in "
    "the account, with the declared payload keys. Exits with 2 if one is not. Reads the active "
    "meters once; a read-only key is enough. Another project folder: -C DIR.",
    _ready,
    PLAIN,
)
