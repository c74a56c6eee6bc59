"""`drift`: what differs in an account, how bad, since when, and who did it. Read-only."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from ...config import load
from ...history import journal
from ...model.change import Severity
from ...model.project import Account
from ...operations.detect_drift import audit
from ...render import Document
from ...report.report import AccountReport, Report
from ..accounts import chosen, each, failed
from ..arguments import Parser, ScopedWords, project_words, scope_words
from ..context import Stage, Verb
from ..reach import narrowed, reach


@dataclass(frozen=True, slots=True, kw_only=True)
class DriftWords(ScopedWords):
    """From which severity on a finding is told by the exit code."""

    fail_on: str = Severity.LOW


def _options(parser: Parser) -> None:
    project_words(parser)
    scope_words(parser)
    parser.add_argument(
        "--fail-on",
        choices=[str(severity) for severity in reversed(Severity) if severity != Severity.NONE],
        default=str(Severity.LOW),
        help="exit 2 only for findings this bad, or worse (default: low)",
    )


def _drift(words: DriftWords, stage: Stage) -> Document:
    project = load(words.path)
    accounts = chosen(project, words.account)
    scope, jobs = narrowed(accounts, words.only), _jobs(project.root)

    def audited(account: Account) -> AccountReport:
        with reach(account, stage) as session:
            return audit(
                project,
                session,
                scope,
                fail_on=Severity(words.fail_on),
                jobs=jobs,
                path=words.path,
            )

    return Report(
        verb="drift",
        accounts=each(accounts, stage, audited, failed),
        problems=project.problems,
    )


def _jobs(root: str) -> dict[str, str]:
    """Who ran each plan, a CI job or a person, as far as the journal of this folder knows."""
    entries, _ = journal.read(Path(root) / ".reconciler")
    runs = [entry for entry in entries if entry.get("kind") == "run"]
    who = {str(run.get("plan_id")): run.get("job") or run.get("user") for run in runs}
    return {plan_id: str(name) for plan_id, name in who.items() if name}


VERB = Verb(
    DriftWords,
    "Compare the account with the files and say what differs, how bad it is, since when, and\n"
    "who did it. Reads only: it works with a read-only key and sends no POST.",
    _options,
    _drift,
)
