"""`plan`, once the files are read: imported then, while the account may be read already."""

from __future__ import annotations

import os
from functools import partial

from ...diagnostics.codes import usage
from ...diagnostics.errors import UsageError
from ...fleet import work
from ...history import ci
from ...model.project import Account, Project
from ...operations.make_plan import Planned
from ...report.report import Report
from ..accounts import build_scope, select_accounts
from ..context import Context
from .dask import place_work
from .options import PlanOptions, is_folder
from .parts import take_part
from .run import FleetRun
from .saved_plans import PlanFile, PlanFolder, SavedPlans


def plan(options: PlanOptions, context: Context, project: Project) -> Report:
    """Plan the selected accounts of a project."""
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
    planned = partial(work.plan_account, planning)
    where = (project, part.accounts, options.concurrency, context)
    with place_work(options.dask, planned, *where, keeps_plans=saved is not None) as placed:
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
