"""`drift`, once the files are read: imported then, while the account may be read already."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from msgspec.structs import replace

from ...fleet import work
from ...history import journal
from ...model.finding import Severity
from ...model.project import Project
from ...report.exit_code import exit_code_for_drift
from ...report.report import AccountReport, Report
from ..accounts import build_scope, select_accounts
from ..context import Context
from .dask import place_work
from .options import DriftOptions
from .parts import take_part
from .run import FleetRun


def detect(options: DriftOptions, context: Context, project: Project) -> Report:
    """Detect drift in the selected accounts of a project."""
    accounts = select_accounts(project, options.account, context)
    part = take_part(options, "drift", project, accounts, context)
    fail_on = Severity(options.fail_on)
    checking = work.DriftOptions(
        scope=build_scope(accounts, options.only),
        fail_on=fail_on,
        sample_usage=options.sample_usage,
        jobs=_read_jobs(project.root),
        path=options.path_from_start,
    )
    check = partial(work.check_account, checking)
    where = (project, part.accounts, options.concurrency, context)
    with place_work(options.dask, check, *where) as placed:
        run = FleetRun(context, project, part, placed, options.concurrency)
        reports = run.run()
    report = Report(command="drift", accounts=reports, diagnostics=project.diagnostics)
    return part.complete(report, lambda account: _judge(account, fail_on))


def _judge(account: AccountReport, fail_on: Severity) -> AccountReport:
    """Return a result that is carried over with the exit code of this run's --fail-on."""
    exit_code = exit_code_for_drift(account.entries, account.diagnostics, fail_on)
    return replace(account, exit_code=exit_code)


def _read_jobs(root: str) -> dict[str, str]:
    """Return who ran each plan, a CI job or a user, as far as the journal of the project has it."""
    entries, _ = journal.read(Path(root) / ".reconciler")
    runs = [entry for entry in entries if entry.get("kind") == "run"]
    who = {str(run.get("plan_id")): run.get("job") or run.get("user") for run in runs}
    return {plan_id: str(name) for plan_id, name in who.items() if name}
