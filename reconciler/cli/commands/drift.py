"""`drift`: report what differs in an account, how bad, since when and who did it; read-only."""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from msgspec.structs import replace

from ...config import load
from ...fleet import work
from ...history import journal
from ...model.finding import Severity
from ...render import Document
from ...report.exit_code import exit_code_for_drift
from ...report.report import AccountReport, Report
from ..accounts import build_scope, select_accounts
from ..arguments import option
from ..context import Command, Context
from ..fleet.dask import place_work
from ..fleet.parts import FleetOptions, begin_ahead, take_part
from ..fleet.run import FleetRun

_MOST = 100  # customers of a sample


def _parse_sample(word: str) -> int:
    number = int(word) if word.isascii() and word.isdigit() and len(word) < 4 else 0
    if 1 <= number <= _MOST:
        return number
    raise argparse.ArgumentTypeError(f"{word!r} is not a whole number from 1 to {_MOST}")


@dataclass(frozen=True, slots=True, kw_only=True)
class DriftOptions(FleetOptions):
    """The lowest severity of a finding that makes the exit code 2, and the size of samples."""

    fail_on: str = option(
        "exit 2 only for findings of this severity or worse (default: low)",
        choices=[str(severity) for severity in reversed(Severity)],
        default=str(Severity.LOW),
    )
    sample_usage: int = option(
        f"also read what up to N customers of each meter used in the last 7 days (1 to {_MOST}); "
        "costs about N + 2 more requests for each meter, fewer where usage is found",
        metavar="N",
        type=_parse_sample,
        default=0,
    )


def _detect(options: DriftOptions, context: Context) -> Document:
    project = load(options.path, begin_ahead(options, context, options.account))
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


COMMAND = Command(
    DriftOptions,
    "Compare the account with the files: what differs, how bad it is, since when, and "
    "who changed it. Read-only: works with a read-only key and sends no POST.",
    _detect,
)
