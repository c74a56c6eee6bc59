"""`doctor`: check the machine, the project, the keys and what they may read."""

from __future__ import annotations

from collections.abc import Iterator

from msgspec.structs import replace

from ...config import load_accounts
from ...diagnostics.errors import ConfigError, Exit, ReconcilerError, select_worst
from ...model.project import Account, AccountRef
from ...operations.check_access import check_access, check_key, skip_access
from ...operations.check_setup import check_files, check_folder, check_versions
from ...render import Document
from ...report.checkup import AccountCheckup, Check, CheckStatus, Checkup, report_failure
from ..accounts import run_on_accounts, select_accounts
from ..arguments import ProjectOptions
from ..context import PLAIN, Command, Context, open_session


class DoctorOptions(ProjectOptions, frozen=True, kw_only=True):
    """Which accounts: all of the project, unless some are named."""


def _doctor(options: DoctorOptions, context: Context) -> Document:
    try:
        project = load_accounts(options.path)
    except ConfigError as error:
        return Checkup(
            checks=tuple(check_versions()), diagnostics=error.diagnostics, own_exit=error.exit_code
        )
    # Of an entry with connected accounts, the account of the key.
    accounts = tuple(replace(each, connected=None) for each in project.accounts)
    if options.account:
        accounts = select_accounts(project, options.account, context)
    checks = (*check_versions(), *check_files(project), check_folder(project.root))
    return Checkup(
        checks=checks,
        own_exit=_find_worst(checks),
        diagnostics=project.diagnostics,
        accounts=run_on_accounts(
            accounts, context, lambda account: _examine(account, context), AccountCheckup
        ),
    )


def _examine(account: Account, context: Context) -> AccountCheckup:
    ref = AccountRef(account.name)
    kind, checks = check_key(account, context.environ)
    if any(check.status is CheckStatus.ERROR for check in checks):
        checks += skip_access()
    else:
        try:
            with open_session(account, context) as session:
                ref, more = check_access(session, kind)
        except ReconcilerError as error:  # on connecting: nothing was sent
            more = tuple(_report_unopened(error))
        checks += more
    return AccountCheckup(account=ref, exit_code=_find_worst(checks), checks=checks)


def _report_unopened(error: ReconcilerError) -> Iterator[Check]:
    yield from report_failure("connection", error)
    yield from (check for check in skip_access() if check.name != "connection")


def _find_worst(checks: tuple[Check, ...]) -> Exit:
    return select_worst(check.exit_code for check in checks)


COMMAND = Command(
    DoctorOptions,
    "Check this machine, the files of a project, and for each account the key, the connection "
    "and what the key may read. Sends a few requests that read one entry each, and never prints "
    "a key.",
    _doctor,
    PLAIN,
)
