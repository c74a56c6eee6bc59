"""`validate`: check the files alone, offline and without a key."""

from __future__ import annotations

from typing import Annotated

from ...config import load_all
from ...model.project import Account, AccountRef, Project
from ...planning.scope import Scope, note_partial
from ...render import Document
from ...report.report import AccountReport, Report
from ..accounts import build_scope, select_entries
from ..arguments import AccountOptions, only_option, positional
from ..context import Command, Context


class ValidateOptions(AccountOptions, frozen=True, kw_only=True):
    """Which files: those of several projects too, as pre-commit passes them."""

    paths: Annotated[
        tuple[str, ...],
        positional(
            "project folders, or folders or meter files of projects (default: the current folder)",
            "PATH",
        ),
    ] = ()
    only: Annotated[tuple[str, ...], only_option()] = ()

    @property
    def first_path(self) -> str:
        """The first project, or a part of it."""
        return self.paths[0] if self.paths else "."


def _validate(options: ValidateOptions, _: Context) -> Document:
    projects = load_all(options.paths or (".",))
    every = tuple(account for project in projects for account in project.accounts)
    named = select_entries(Project("", every), options.account) if options.account else every
    names = {account.name for account in named}
    accounts = [(each, p) for p in projects for each in p.accounts if each.name in names]
    scope = build_scope(tuple(account for account, _ in accounts), options.only)
    reports = tuple(_report(account, scope.narrow_to(project)) for account, project in accounts)
    return Report(
        command="validate",
        accounts=reports,
        diagnostics=tuple(said for project in projects for said in project.diagnostics),
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
    ValidateOptions,
    "Check the project file and all meter files, offline and without a key. All errors are "
    "reported at once, each with its location and a hint, also those outside --only.",
    _validate,
)
