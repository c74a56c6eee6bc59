"""`apply`, once the files are read: imported then, while the account may be read already."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

from msgspec.structs import replace

from ...diagnostics.codes import guards, usage
from ...diagnostics.diagnostic import Diagnostic
from ...diagnostics.errors import RefusedError, UsageError
from ...fleet import apply_account
from ...history import ci
from ...model.project import Account, AccountRef, Project
from ...operations.apply_plan import OnRefused
from ...operations.make_plan import Planned
from ...planning.plan import Plan
from ...render.escape import clean
from ...report.report import AccountReport, Report
from ..accounts import build_scope, find_accounts, select_accounts
from ..context import Context
from ..output import show_preview
from .dask import place_work
from .expected_hashes import check_expected, read_expected
from .options import APPLY_HELP, ApplyOptions
from .parts import take_part
from .run import FleetRun


def apply(
    options: ApplyOptions,
    context: Context,
    project: Project,
    saved: Mapping[str, Plan],
    approved: Mapping[str, Plan] | Diagnostic | None,
) -> Report:
    """Apply to the selected accounts of a project, or to those of the saved plans."""
    if saved:  # PATH only finds the project: the plan has its changes
        project = replace(project, selected=None)
    accounts = _select_accounts(project, options.account, context, saved)
    if len(accounts) > 1 and len(saved) == 1:
        message = "--plan FILE takes one account"
        raise UsageError(usage.BAD_OPTIONS(message, hint=APPLY_HELP))
    expected = read_expected(options.expect, [account.name for account in accounts])
    holds = partial(_still_holds, saved, expected)
    part = take_part(options, "apply", project, accounts, context, holds)
    names = [each.name for each in part.accounts if each.name not in context.unlisted]
    check_expected(options.expect, expected, names, project.find_known)
    commit, unknown = (None, ()) if options.plan else ci.find_commit(project.root, context.environ)
    applying = apply_account.ApplyOptions(
        scope=build_scope(accounts, options.only),
        commit=commit,
        saved=saved,
        expected=expected,
        approved=approved,
        approved_file=options.approved or "",
        on_refused=OnRefused.SKIP if options.skip_refused else OnRefused.ABORT,
        keeps_journal=not options.no_journal,
    )
    asks = not (options.yes or saved)
    concurrency = 1 if asks else options.concurrency
    applied = partial(apply_account.apply_account, applying)
    where = (project, part.accounts, concurrency, context)
    with place_work(options.dask, applied, *where, writes=True) as placed:
        run_type = _AskingRun if asks else FleetRun
        run = run_type(context, project, part, placed, concurrency)
        reports = run.run(project.groups)
    diagnostics = (*project.diagnostics, *unknown)
    return part.complete(Report(command="apply", accounts=reports, diagnostics=diagnostics))


def _select_accounts(
    project: Project, patterns: tuple[str, ...], context: Context, saved: Mapping[str, Plan]
) -> tuple[Account, ...]:
    """Return the accounts of the run: those of the saved plans; raise RefusedError without them."""
    if not saved:
        return select_accounts(project, patterns, context)
    found = find_accounts(project, saved, context)
    for name in saved:
        if name not in found:
            message = f"the plan is for another account: the project has no account {name!r}"
            raise RefusedError(guards.FOREIGN_PLAN(message))
    known = {account.name: account for account in found.values()}
    if not patterns:
        return tuple(known.values())
    chosen = select_accounts(project, patterns, context)
    return tuple(account for account in chosen if account.name in known) or chosen


def _still_holds(
    saved: Mapping[str, Plan], expected: Mapping[str, str] | None, earlier: AccountReport
) -> bool:
    """Whether an earlier result is of the plan that this run would apply."""
    name = earlier.account.name
    if saved and (name not in saved or saved[name].plan_id != earlier.plan_id):
        return False
    return expected is None or earlier.plan_hash == expected.get(name)


class _AskingRun(FleetRun):
    """Shows every plan with changes, and asks whether to apply it; one account after another."""

    def confirm(self, planned: Planned) -> bool:
        """Ask for a yes; a `y` is probably meant as one, and is asked once more."""
        console = self.context.console
        show_preview(planned.report, self.context.output, console)
        answer = console.ask(_format_question(planned.report.account))
        if answer.lower() == "y":
            answer = console.ask("Please type 'yes' in full to apply: ")
        return answer == "yes"


def _format_question(account: AccountRef) -> str:
    modes = {True: "LIVE mode", False: "test mode", None: "mode unknown"}
    mode = modes[account.livemode]
    return f"\nApply this plan to {clean(account.name)} ({mode})? Only 'yes' will be accepted: "
