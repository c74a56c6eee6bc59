"""`apply`: plan (or load a saved plan), confirm, apply, verify, and keep a journal."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Self

from msgspec.structs import replace

from ...config import load
from ...diagnostics.codes import guards, usage
from ...diagnostics.diagnostic import Diagnostic, Location
from ...diagnostics.errors import ConfigError, RefusedError, UsageError
from ...fleet import apply_account
from ...history import ci
from ...model.project import Account, AccountRef, Project
from ...operations.apply_plan import OnRefused
from ...operations.make_plan import Planned
from ...planning.plan import Plan
from ...render import Document
from ...render.escape import clean
from ...report.report import AccountReport, Report
from .. import files
from ..accounts import build_scope, find_accounts, select_accounts
from ..arguments import flag, option
from ..context import Command, Context
from ..fleet.dask import place_work
from ..fleet.expected_hashes import check_expected, is_file, read_expected
from ..fleet.parts import FleetOptions, begin_ahead, take_part
from ..fleet.run import FleetRun
from ..fleet.saved_plans import load_plans
from ..output import show_preview


@dataclass(frozen=True, slots=True, kw_only=True)
class ApplyOptions(FleetOptions):
    """Which plan to apply, whether to ask first, and what to do about refused changes."""

    yes: bool = flag("apply without asking for confirmation")
    plan: str | None = option(
        "apply exactly this saved plan, or each plan in this folder, without asking",
        metavar="FILE",
    )
    expect: str | None = option(
        "apply only if the new plan has this plan_hash; with several accounts a FILE.json: "
        '{"account": "plan_hash", …}',
        metavar="HASH",
    )
    approved: str | None = option(
        "with --expect: the saved plan, or folder of plans, that was approved, to show what "
        "differs; never applied",
        metavar="FILE",
    )
    skip_refused: bool = flag("apply the remaining changes; still exits 3")
    no_journal: bool = flag("do not keep a journal in .reconciler/")

    def reads(self) -> tuple[tuple[str, str], ...]:
        """Return the plans and the file of hashes as well."""
        hashes = self.expect if self.expect and is_file(self.expect) else None
        own = (
            (self.plan, "plan to apply"),
            (self.approved, "approved plan"),
            (hashes, "file of expected hashes"),
        )
        return (*FleetOptions.reads(self), *((file, what) for file, what in own if file))

    def read_environment(self, environ: Mapping[str, str]) -> Self:
        """Return the options; a saved plan says itself which account it is for."""
        return self if self.plan else FleetOptions.read_environment(self, environ)


def _check_options(options: ApplyOptions, context: Context) -> None:
    """Raise UsageError for options that cannot be combined, or need a terminal."""
    if options.dask and not (options.yes or options.plan):
        message = "--dask needs --yes or --plan FILE: the workers cannot ask"
        raise UsageError(usage.BAD_OPTIONS(message, hint=_HELP))
    if not (options.yes or options.plan or context.console.interactive):
        raise UsageError(usage.NO_TERMINAL("apply needs a terminal, --yes or --plan FILE"))
    if options.plan and options.only:
        message = "--only cannot narrow a saved plan"
        raise UsageError(usage.BAD_OPTIONS(message, hint=_HELP))
    if options.approved and options.expect is None:
        message = "--approved needs --expect: it shows what differs from the expected plan"
        raise UsageError(usage.BAD_OPTIONS(message, hint=_HELP))


def _apply(options: ApplyOptions, context: Context) -> Document:
    _check_options(options, context)
    saved = load_plans(options.plan) if options.plan else {}
    approved = _read_approved(options.approved) if options.approved else None
    project = load(options.path, begin_ahead(options, context, options.account or tuple(saved)))
    if saved:  # PATH only finds the project: the plan has its changes
        project = replace(project, selected=None)
    accounts = _select_accounts(project, options.account, context, saved)
    if len(accounts) > 1 and len(saved) == 1:
        message = "--plan FILE takes one account"
        raise UsageError(usage.BAD_OPTIONS(message, hint=_HELP))
    expected = read_expected(options.expect, [account.name for account in accounts])
    holds = partial(_still_holds, saved, expected)
    part = take_part(options, "apply", project, accounts, context, holds)
    names = [each.name for each in part.accounts if each.name not in context.unlisted]
    check_expected(options.expect, expected, names, project.may_have)
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
    apply = partial(apply_account.apply_account, applying)
    where = (project, part.accounts, concurrency, context)
    with place_work(options.dask, apply, *where, writes=True) as placed:
        run_type = _AskingRun if asks else FleetRun
        run = run_type(context, project, part, placed, concurrency)
        reports = run.run(project.groups)
    diagnostics = (*project.diagnostics, *unknown)
    return part.complete(Report(command="apply", accounts=reports, diagnostics=diagnostics))


_HELP = "see `reconciler apply --help`"


def _read_approved(path: str) -> Mapping[str, Plan] | Diagnostic:
    """Return the approved plans by account; of a file that is none, only a warning."""
    if not os.path.isdir(path):
        files.read(path, files.SAVED_PLAN)
    try:
        return load_plans(path)
    except ConfigError as error:
        return guards.NOT_COMPARED(error.diagnostics[0].message, Location(path))


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


COMMAND = Command(
    ApplyOptions,
    "Plan, show the plan, ask for confirmation, apply it and verify the account. A plan "
    "with a blocked or refused change writes nothing, unless --skip-refused is given.",
    _apply,
)
