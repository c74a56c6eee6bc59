"""`drift`: what differs in an account, how bad, since when, and who did it. Read-only."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from ...config import load
from ...history import journal
from ...model.finding import Severity
from ...model.project import Account
from ...operations.detect_drift import detect_drift
from ...render import Document
from ...report.report import AccountReport, Report
from ..accounts import chosen, each, failed
from ..arguments import Parser, ScopedOptions, add_project_options, add_scope_options
from ..context import Command, Context
from ..reach import narrowed, open_session


@dataclass(frozen=True, slots=True, kw_only=True)
class DriftOptions(ScopedOptions):
    """From which severity on a finding is told by the exit code."""

    fail_on: str = Severity.LOW


def _options(parser: Parser) -> None:
    add_project_options(parser)
    add_scope_options(parser)
    parser.add_argument(
        "--fail-on",
        choices=[str(severity) for severity in reversed(Severity)],
        default=str(Severity.LOW),
        help="exit 2 only for findings this bad, or worse (default: low)",
    )


def _drift(options: DriftOptions, context: Context) -> Document:
    project = load(options.path)
    accounts = chosen(project, options.account)
    scope, jobs = narrowed(accounts, options.only), _jobs(project.root)

    def audited(account: Account) -> AccountReport:
        with open_session(account, context) as session:
            return detect_drift(
                project,
                session,
                scope,
                fail_on=Severity(options.fail_on),
                jobs=jobs,
                path=options.path,
            )

    return Report(
        command="drift",
        accounts=each(accounts, context, audited, failed),
        diagnostics=project.diagnostics,
    )


def _jobs(root: str) -> dict[str, str]:
    """Who ran each plan, a CI job or a person, as far as the journal of this folder knows."""
    entries, _ = journal.read(Path(root) / ".reconciler")
    runs = [entry for entry in entries if entry.get("kind") == "run"]
    who = {str(run.get("plan_id")): run.get("job") or run.get("user") for run in runs}
    return {plan_id: str(name) for plan_id, name in who.items() if name}


COMMAND = Command(
    DriftOptions,
    "Compare the account with the files and say what differs, how bad it is, since when, and\n"
    "who did it. Reads only: it works with a read-only key and sends no POST.",
    _options,
    _drift,
)
