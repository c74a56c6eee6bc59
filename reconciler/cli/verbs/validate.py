"""`validate`: the files alone, offline, without a key."""

from __future__ import annotations

from ...config import load
from ...diff import matches
from ...look import Scope
from ...model import Account, AccountRef
from ...problem import Exit
from ...remarks import partial
from ...render import Document
from ...report import AccountReport, Report
from ..accounts import chosen
from ..reach import narrowed
from ..verb import Stage, Verb
from ..words import Parser, ScopedWords, project_words, scope_words


def _options(parser: Parser) -> None:
    project_words(parser)
    scope_words(parser)


def _validate(words: ScopedWords, _: Stage) -> Document:
    project = load(words.path)
    accounts = chosen(project, words.account) if words.account else project.accounts
    scope = narrowed(accounts, words.only).within(project)
    reports = tuple(_valid(account, scope) for account in accounts)
    return Report(
        verb="validate",
        accounts=reports,
        problems=project.problems,
        declared=len({want.where for report in reports for want in report.valid}),
    )


def _valid(account: Account, scope: Scope) -> AccountReport:
    fitting = (w for w in account.declared if not scope.only or matches(w.event_name, scope.only))
    return AccountReport(
        account=AccountRef(account.name),
        exit_code=Exit.DONE,
        problems=(partial("the files"),) if scope.narrowed else (),
        complete=not scope.narrowed,
        valid=tuple(fitting),
    )


VERB = Verb(
    ScopedWords,
    "Check the project file and all meter files, offline and without a key. Every mistake is\n"
    "reported at once, with its place and what to do, whatever --only leaves out.",
    _options,
    _validate,
)
