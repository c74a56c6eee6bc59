"""`plan`: show what apply would do; write nothing to Stripe."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

from ...config import load
from ...diagnostics.codes import usage
from ...diagnostics.errors import UsageError
from ...fleet import work
from ...history import ci
from ...operations.make_plan import Planned
from ...planning import plan_file
from ...render import Document
from ...report.report import Report
from ..accounts import build_scope, select_accounts
from ..arguments import PRIVATE, FleetOptions, flag, option
from ..context import Command, Context
from ..fleet import FleetRun


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanOptions(FleetOptions):
    """Where to save the plan, whether changes have an exit code of their own, and what to show."""

    save: str | None = option("save the plan for `apply --plan FILE`", metavar="FILE")
    detailed_exitcode: bool = flag("exit 2 instead of 0 if there are changes")
    prices: bool = flag("show the prices in use of all meters, not only of those that change")

    def writes(self) -> tuple[tuple[str, int], ...]:
        """Return the saved plan as well."""
        return (*FleetOptions.writes(self), *([(self.save, PRIVATE)] if self.save else []))


def _plan(options: PlanOptions, context: Context) -> Document:
    project = load(options.path)
    accounts = select_accounts(project, options.account, context)
    if options.save and len(accounts) > 1:
        hint = "see `reconciler plan --help`"
        raise UsageError(usage.BAD_OPTIONS("--save takes one account", hint=hint))
    scope = build_scope(accounts, options.only)
    commit, unknown = ci.find_commit(project.root, context.environ)
    planning = work.PlanOptions(
        scope=scope,
        commit=commit,
        prices=options.prices,
        mark_changes=options.detailed_exitcode,
    )
    run = _Run(
        context, project, accounts, partial(work.plan_account, planning), options.concurrency
    )
    run.save = options.save
    return Report(command="plan", accounts=run.run(), diagnostics=(*project.diagnostics, *unknown))


class _Run(FleetRun):
    """Saves the plan, if that is wanted."""

    save: str | None = None

    def keep_plan(self, planned: Planned) -> None:
        """Save the plan."""
        if self.save:
            self.context.output.targets[self.save].write(plan_file.dump_plan(planned.plan))


COMMAND = Command(
    PlanOptions,
    "Compare the files with the account and show what apply would do. Writes nothing to Stripe.",
    _plan,
)
