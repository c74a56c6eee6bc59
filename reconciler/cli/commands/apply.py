"""`apply`: plan, show, ask, do it, and look whether it is so."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from ...config import load
from ...diagnostics.codes import usage
from ...diagnostics.errors import UsageError
from ...operations.apply_plan import Refusals
from ...planning import plan_file as planfile
from ...render import Document
from ...report.report import Report
from .. import files
from ..accounts import chosen, each, failed
from ..arguments import Parser, ScopedWords, project_words, scope_words
from ..context import Stage, Verb
from ..reach import narrowed
from .apply_job import Job


@dataclass(frozen=True, slots=True, kw_only=True)
class ApplyWords(ScopedWords):
    """Which plan, and whether and how far it is done without asking."""

    yes: bool = False
    plan: str | None = None
    expect: str | None = None
    skip_refused: bool = False
    no_journal: bool = False

    def reads(self) -> Collection[str]:
        """The saved plan as well."""
        return (*ScopedWords.reads(self), *([self.plan] if self.plan else []))


def _options(parser: Parser) -> None:
    project_words(parser)
    scope_words(parser)
    add = parser.add_argument
    add("--yes", action="store_true", help="do not ask")
    add("--plan", metavar="FILE", help="apply exactly this saved plan; does not ask")
    add("--expect", metavar="HASH", help="only if planning gives this plan_hash")
    add("--skip-refused", action="store_true", help="do the other lines; still exits 3")
    add("--no-journal", action="store_true", help="keep no journal in .reconciler/")


def _apply(words: ApplyWords, stage: Stage) -> Document:
    if not (words.yes or words.plan or stage.screen.interactive):
        raise UsageError(usage.NOBODY_TO_ASK("apply needs a terminal, --yes or --plan FILE"))
    if words.plan and words.only:
        raise UsageError(usage.BAD_WORDS("--only cannot narrow a saved plan"))
    project = load(words.path)
    accounts = chosen(project, words.account)
    if len(accounts) > 1 and (words.plan or words.expect):
        raise UsageError(usage.BAD_WORDS("--plan and --expect are for one account"))
    job = Job(
        stage=stage,
        project=project,
        scope=narrowed(accounts, words.only),
        saved=planfile.loads(files.read(words.plan), words.plan) if words.plan else None,
        expected=words.expect,
        refusals=Refusals.SKIP if words.skip_refused else Refusals.HALT,
        asks=not (words.yes or words.plan),
        keeps_journal=not words.no_journal,
    )
    return Report(
        verb="apply",
        accounts=each(accounts, stage, job.on, failed),
        problems=project.problems,
    )


VERB = Verb(
    ApplyWords,
    "Plan, show the plan, ask, carry it out and look whether the account is as declared.\n"
    "A plan with a blocked or refused line writes nothing, unless --skip-refused is given.",
    _options,
    _apply,
)
