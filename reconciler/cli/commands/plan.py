"""`plan`: show what apply would do; write nothing to Stripe."""

from __future__ import annotations

import os
from dataclasses import dataclass
from functools import partial

from ...config import load
from ...diagnostics.codes import usage
from ...diagnostics.errors import UsageError
from ...fleet import work
from ...history import ci
from ...model.project import Account
from ...operations.make_plan import Planned
from ...render import Document
from ...report.report import Report
from ..accounts import build_scope, select_accounts
from ..arguments import PRIVATE, flag, option
from ..context import Command, Context
from ..fleet.dask import place_work
from ..fleet.parts import FleetOptions, begin_ahead, take_part
from ..fleet.run import FleetRun
from ..fleet.saved_plans import PlanFile, PlanFolder, SavedPlans, is_folder


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanOptions(FleetOptions):
    """Where to save the plan, whether changes have an exit code of their own, and what to show."""

    save: str | None = option(
        "save the plan for `apply --plan FILE`; with several accounts, or where it is a folder or "
        "ends in a slash, to a folder with a file for each",
        metavar="FILE",
    )
    detailed_exitcode: bool = flag("exit 2 instead of 0 if there are changes")
    prices: bool = flag("show the prices in use of all meters, not only of those that change")

    def writes(self) -> tuple[tuple[str, int], ...]:
        """Return the saved plan as well; what is saved to a folder is checked later."""
        saved = [(self.save, PRIVATE)] if self.save and not is_folder(self.save) else []
        return (*FleetOptions.writes(self), *saved)

    def reads(self) -> tuple[tuple[str, str], ...]:
        """Return the folder of saved plans as well, which takes no report."""
        saved = [(self.save, "saved plans")] if self.save and is_folder(self.save) else []
        return (*FleetOptions.reads(self), *saved)


def _plan(options: PlanOptions, context: Context) -> Document:
    project = load(options.path, begin_ahead(options, context, options.account))
    accounts = select_accounts(project, options.account, context)
    scope = build_scope(accounts, options.only)
    saved = _open_saved(options, accounts, context)
    part = take_part(
        options,
        "plan",
        project,
        accounts,
        context,
        lambda each: saved is None or saved.holds(each.account.name, each.plan_id),
    )
    if saved:
        saved.prepare(part.carried_over)
    commit, unknown = ci.find_commit(project.root, context.environ)
    planning = work.PlanOptions(
        scope=scope,
        commit=commit,
        prices=options.prices,
        marks_changes=options.detailed_exitcode,
    )
    plan = partial(work.plan_account, planning)
    where = (project, part.accounts, options.concurrency, context)
    with place_work(options.dask, plan, *where, keeps_plans=saved is not None) as placed:
        run = _Run(context, project, part, placed, options.concurrency)
        run.saved = saved
        reports = run.run()
    diagnostics = (*project.diagnostics, *unknown)
    report = Report(command="plan", accounts=reports, diagnostics=diagnostics)
    return part.complete(
        report, lambda each: work.mark_changes(each, detailed=options.detailed_exitcode)
    )


class _Run(FleetRun):
    """Saves the plans, if that is wanted."""

    saved: SavedPlans | None = None

    def keep_plan(self, planned: Planned) -> None:
        """Save the plan of an account."""
        if self.saved:
            self.saved.save(planned.report.account.name, planned.plan)


def _open_saved(
    options: PlanOptions, accounts: tuple[Account, ...], context: Context
) -> SavedPlans | None:
    """Return where plans are saved: in one file, or in a folder; raise UsageError."""
    if options.save is None:
        return None
    if not is_folder(options.save):
        if len(accounts) == 1:
            return PlanFile(context.output.targets[options.save])
        if os.path.lexists(options.save):
            message = f"--save takes a folder where there are several accounts: {options.save} is "
            hint = "give a new folder, or select one account with --account"
            raise UsageError(usage.BAD_OPTIONS(f"{message}a file", hint=hint))
    names = (each.name for each in accounts)
    return PlanFolder(options.save, names, context.clock, options.resume)


COMMAND = Command(
    PlanOptions,
    "Compare the files with the account and show what apply would do. Writes nothing to Stripe.",
    _plan,
)
