"""`plan`: what apply would do; writes nothing to Stripe."""

from __future__ import annotations

from dataclasses import dataclass, replace

from ...config import load
from ...diagnostics.codes import usage
from ...diagnostics.errors import Exit, UsageError
from ...history import ci as origin
from ...model.project import Account
from ...operations.make_plan import make_plan
from ...planning import plan_file as planfile
from ...render import Document
from ...report.report import AccountReport, Report
from .. import files
from ..accounts import chosen, each, failed
from ..arguments import Parser, ScopedOptions, add_project_options, add_scope_options
from ..context import Command, Context
from ..reach import narrowed, open_session


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanOptions(ScopedOptions):
    """Where the plan is kept, and whether changes have an exit code of their own."""

    save: str | None = None
    detailed_exitcode: bool = False

    def writes(self) -> tuple[str, ...]:
        """The saved plan as well."""
        return (*ScopedOptions.writes(self), *([self.save] if self.save else []))


def _options(parser: Parser) -> None:
    add_project_options(parser)
    add_scope_options(parser)
    parser.add_argument("--save", metavar="FILE", help="keep the plan for apply --plan FILE")
    parser.add_argument(
        "--detailed-exitcode", action="store_true", help="exit 2 instead of 0 for changes"
    )


def _plan(options: PlanOptions, context: Context) -> Document:
    project = load(options.path)
    accounts = chosen(project, options.account)
    if options.save and len(accounts) > 1:
        raise UsageError(usage.BAD_WORDS("--save keeps the plan of one account"))
    scope = narrowed(accounts, options.only)
    commit, unknown = origin.commit(project.root, context.environ)

    def planned(account: Account) -> AccountReport:
        with open_session(account, context) as session:
            made = make_plan(project, session, scope, commit)
        if options.save:
            files.write(options.save, planfile.dumps(made.plan), files.PRIVATE)
        return _with_changes(made.report) if options.detailed_exitcode else made.report

    return Report(
        command="plan",
        accounts=each(accounts, context, planned, failed),
        diagnostics=(*project.diagnostics, *unknown),
    )


def _with_changes(report: AccountReport) -> AccountReport:
    """Changes told by the exit code, where it would otherwise say that all is well."""
    if report.exit_code is Exit.DONE and any(line.change.action.writes for line in report.changes):
        return replace(report, exit_code=Exit.CHANGES)
    return report


COMMAND = Command(
    PlanOptions,
    "Compare the files with the account and show what apply would do. Writes nothing to Stripe.",
    _options,
    _plan,
)
