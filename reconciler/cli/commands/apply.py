"""`apply`: plan, show, ask, do it, and look whether it is so."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from ...config import load
from ...diagnostics.codes import usage
from ...diagnostics.errors import UsageError
from ...history import ci as origin
from ...operations.apply_plan import OnRefused
from ...planning import plan_file as planfile
from ...render import Document
from ...report.report import Report
from .. import files
from ..accounts import chosen, each, failed
from ..arguments import Parser, ScopedOptions, add_project_options, add_scope_options
from ..context import Command, Context
from ..reach import narrowed
from .apply_job import Job


@dataclass(frozen=True, slots=True, kw_only=True)
class ApplyOptions(ScopedOptions):
    """Which plan, and whether and how far it is done without asking."""

    yes: bool = False
    plan: str | None = None
    expect: str | None = None
    skip_refused: bool = False
    no_journal: bool = False

    def reads(self) -> Collection[str]:
        """The saved plan as well."""
        return (*ScopedOptions.reads(self), *([self.plan] if self.plan else []))


def _options(parser: Parser) -> None:
    add_project_options(parser)
    add_scope_options(parser)
    add = parser.add_argument
    add("--yes", action="store_true", help="do not ask")
    add("--plan", metavar="FILE", help="apply exactly this saved plan; does not ask")
    add("--expect", metavar="HASH", help="only if planning gives this plan_hash")
    add("--skip-refused", action="store_true", help="do the other lines; still exits 3")
    add("--no-journal", action="store_true", help="keep no journal in .reconciler/")


def _apply(options: ApplyOptions, context: Context) -> Document:
    if not (options.yes or options.plan or context.console.interactive):
        raise UsageError(usage.NOBODY_TO_ASK("apply needs a terminal, --yes or --plan FILE"))
    if options.plan and options.only:
        raise UsageError(usage.BAD_WORDS("--only cannot narrow a saved plan"))
    project = load(options.path)
    accounts = chosen(project, options.account)
    if len(accounts) > 1 and (options.plan or options.expect):
        raise UsageError(usage.BAD_WORDS("--plan and --expect are for one account"))
    known = origin.commit(project.root, context.environ) if not options.plan else (None, ())
    job = Job(
        context=context,
        project=project,
        commit=known[0],
        scope=narrowed(accounts, options.only),
        saved=planfile.loads(files.read(options.plan), options.plan) if options.plan else None,
        expected=options.expect,
        on_refused=OnRefused.SKIP if options.skip_refused else OnRefused.ABORT,
        asks=not (options.yes or options.plan),
        keeps_journal=not options.no_journal,
    )
    return Report(
        command="apply",
        accounts=each(accounts, context, job.on, failed),
        diagnostics=(*project.diagnostics, *known[1]),
    )


COMMAND = Command(
    ApplyOptions,
    "Plan, show the plan, ask, carry it out and look whether the account is as declared.\n"
    "A plan with a blocked or refused line writes nothing, unless --skip-refused is given.",
    _options,
    _apply,
)
