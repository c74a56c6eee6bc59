"""`validate`: check the files alone, offline and without a key."""

from __future__ import annotations

from ...config import load
from ...model.project import Account, AccountRef
from ...planning.scope import Scope
from ...planning.warnings import note_partial
from ...render import Document
from ...report.report import AccountReport, Report
from ..accounts import build_scope, select_accounts
from ..arguments import ScopedOptions
from ..context import Command, Context


def _validate(options: ScopedOptions, _: Context) -> Document:
    project = load(options.path)
    accounts = select_accounts(project, options.account) if options.account else project.accounts
    scope = build_scope(accounts, options.only).narrow_to(project)
    reports = tuple(_report(account, scope) for account in accounts)
    return Report(
        command="validate",
        accounts=reports,
        diagnostics=project.diagnostics,
        declared=len({desired.location for report in reports for desired in report.valid}),
    )


def _report(account: Account, scope: Scope) -> AccountReport:
    selected = (desired for desired in account.declared if scope.includes(desired))
    return AccountReport(
        account=AccountRef(account.name),
        diagnostics=(note_partial("the files"),) if scope.narrowed else (),
        complete=not scope.narrowed,
        valid=tuple(selected),
    )


COMMAND = Command(
    ScopedOptions,
    "Check the project file and all meter files, offline and without a key. All errors are "
    "reported at once, each with its location and a hint, also those outside --only.",
    _validate,
)
