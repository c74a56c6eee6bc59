"""`validate`: the files alone, offline, without a key."""

from __future__ import annotations

from ...config import load
from ...diagnostics.errors import Exit
from ...model.pattern import fits
from ...model.project import Account, AccountRef
from ...planning.warnings import partial
from ...render import Document
from ...report.report import AccountReport, Report
from ..accounts import chosen, no_slip
from ..arguments import Parser, ScopedWords, project_words, scope_words
from ..context import Stage, Verb


def _options(parser: Parser) -> None:
    project_words(parser)
    scope_words(parser)


def _validate(words: ScopedWords, _: Stage) -> Document:
    project = load(words.path)
    accounts = chosen(project, words.account) if words.account else project.accounts
    no_slip(accounts, words.only)
    part = project.narrowed or bool(words.only)
    reports = tuple(_valid(account, words.only, part=part) for account in accounts)
    return Report(
        verb="validate",
        accounts=reports,
        problems=project.problems,
        declared=len({want.where for report in reports for want in report.valid}),
    )


def _valid(account: Account, only: tuple[str, ...], *, part: bool) -> AccountReport:
    fitting = (want for want in account.declared if fits(want.event_name, only))
    return AccountReport(
        account=AccountRef(account.name),
        exit_code=Exit.DONE,
        problems=(partial("the files"),) if part else (),
        complete=not part,
        valid=tuple(fitting),
    )


VERB = Verb(
    ScopedWords,
    "Check the project file and all meter files, offline and without a key. Every mistake is\n"
    "reported at once, with its place and what to do, whatever --only leaves out.",
    _options,
    _validate,
)
