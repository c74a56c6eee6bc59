"""`plan`: show what apply would do; write nothing to Stripe."""

from __future__ import annotations

from dataclasses import dataclass, replace

from ...config import load
from ...diagnostics.codes import usage
from ...diagnostics.errors import Exit, UsageError
from ...history import ci
from ...model.project import Account
from ...operations.make_plan import make_plan
from ...operations.read_dependants import show_prices
from ...planning import plan_file
from ...render import Document
from ...report.report import AccountReport
from ..accounts import build_report, build_scope, select_accounts
from ..arguments import PRIVATE, ScopedOptions, flag, option
from ..context import Command, Context, open_session


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanOptions(ScopedOptions):
    """Where to save the plan, whether changes have an exit code of their own, and what to show."""

    save: str | None = option("save the plan for `apply --plan FILE`", metavar="FILE")
    detailed_exitcode: bool = flag("exit 2 instead of 0 if there are changes")
    prices: bool = flag("show the prices in use of all meters, not only of those that change")

    def writes(self) -> tuple[tuple[str, int], ...]:
        """Return the saved plan as well."""
        return (*ScopedOptions.writes(self), *([(self.save, PRIVATE)] if self.save else []))


def _plan(options: PlanOptions, context: Context) -> Document:
    project = load(options.path)
    accounts = select_accounts(project, options.account)
    if options.save and len(accounts) > 1:
        hint = "see `reconciler plan --help`"
        raise UsageError(usage.BAD_OPTIONS("--save takes one account", hint=hint))
    scope = build_scope(accounts, options.only)
    commit, unknown = ci.find_commit(project.root, context.environ)

    def make(account: Account) -> AccountReport:
        with open_session(account, context) as session:
            made = make_plan(project, session, scope, commit)
            report = show_prices(made, session, every=options.prices)
        if options.save:
            context.output.targets[options.save].write(plan_file.dump_plan(made.plan))
        return _mark_changes(report) if options.detailed_exitcode else report

    return build_report("plan", project, accounts, context, make, unknown)


def _mark_changes(report: AccountReport) -> AccountReport:
    """Return the report with exit code CHANGES where it has changes and nothing worse."""
    if report.exit_code is Exit.DONE and any(it.change.action.writes for it in report.changes):
        return replace(report, exit_code=Exit.CHANGES)
    return report


COMMAND = Command(
    PlanOptions,
    "Compare the files with the account and show what apply would do. Writes nothing to Stripe.",
    _plan,
)
