"""`validate`: the files alone, offline, without a key."""

from __future__ import annotations

from ...config import load
from ...model import Account, AccountRef, Project
from ...problem import Exit
from ...render import Document
from ...report import AccountReport, Report
from ..accounts import chosen
from ..verb import Stage, Verb
from ..words import Parser, ProjectWords, project_words


def _options(parser: Parser) -> None:
    project_words(parser)


def _validate(words: ProjectWords, _: Stage) -> Document:
    project = load(words.path)
    accounts = chosen(project, words.account) if words.account else project.accounts
    places = {want.where for account in accounts for want in account.declared}
    return Report(
        verb="validate",
        accounts=tuple(_valid(account, project) for account in accounts),
        problems=project.problems,
        declared=len(places),
    )


def _valid(account: Account, project: Project) -> AccountReport:
    return AccountReport(
        account=AccountRef(account.name),
        exit_code=Exit.DONE,
        complete=not project.narrowed,
        valid=account.declared,
    )


VERB = Verb(
    ProjectWords,
    "Check the project file and all meter files, offline and without a key. Every mistake is\n"
    "reported at once, with its place and what to do.",
    _options,
    _validate,
)
