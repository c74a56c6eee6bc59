"""`validate`: check the files alone, offline and without a key."""

from __future__ import annotations

from ...config import load
from ...diagnostics.errors import Exit
from ...model.pattern import fits
from ...model.project import Account, AccountRef
from ...planning.warnings import partial
from ...render import Document
from ...report.report import AccountReport, Report
from ..accounts import check_only_patterns, select_accounts
from ..arguments import ScopedOptions
from ..context import Command, Context


def _validate(options: ScopedOptions, _: Context) -> Document:
    project = load(options.path)
    accounts = select_accounts(project, options.account) if options.account else project.accounts
    check_only_patterns(accounts, options.only)
    part = project.narrowed or bool(options.only)
    reports = tuple(_report(account, options.only, part=part) for account in accounts)
    return Report(
        command="validate",
        accounts=reports,
        diagnostics=project.diagnostics,
        declared=len({desired.location for report in reports for desired in report.valid}),
    )


def _report(account: Account, only: tuple[str, ...], *, part: bool) -> AccountReport:
    fitting = (desired for desired in account.declared if fits(desired.event_name, only))
    return AccountReport(
        account=AccountRef(account.name),
        exit_code=Exit.DONE,
        diagnostics=(partial("the files"),) if part else (),
        complete=not part,
        valid=tuple(fitting),
    )


COMMAND = Command(
    ScopedOptions,
    "Check the project file and all meter files, offline and without a key. All errors are "
    "reported at once, each with its location and a hint, also those outside --only.",
    _validate,
)
