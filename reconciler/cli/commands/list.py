"""`list`: the live meters of an account, as they are."""

from __future__ import annotations

from dataclasses import dataclass

from ...config import load
from ...diagnostics.diagnostic import Problem
from ...diagnostics.errors import Exit
from ...model.meter import Live, Status
from ...model.pattern import fits
from ...model.project import Account, AccountRef
from ...operations.snapshot import look
from ...planning.warnings import partial
from ...render import Document
from ...report.documents import AccountInventory, Inventory
from ..accounts import chosen, each
from ..arguments import Parser, ScopedWords, project_words, scope_words
from ..context import PLAIN, Stage, Verb
from ..reach import astray, reach


@dataclass(frozen=True, slots=True, kw_only=True)
class ListWords(ScopedWords):
    """Which meters; None for active and inactive ones. `only` are patterns of live names."""

    status: str | None = None


def _options(parser: Parser) -> None:
    project_words(parser)
    scope_words(parser)
    parser.add_argument(
        "--status", choices=[str(status) for status in Status], help="only these (default: all)"
    )


def _list(words: ListWords, stage: Stage) -> Document:
    project = load(words.path)

    def listed(account: Account) -> AccountInventory:
        with reach(account, stage) as session:
            live = session.meters.live()
            seen = look(session, (), live)
            problems = (*astray(account, seen), *([partial()] if words.only else []))
        meters = sorted((meter for meter in live if _wanted(meter, words)), key=_order)
        return AccountInventory(
            account=seen.account, meters=tuple(meters), total=len(live), problems=problems
        )

    accounts = each(chosen(project, words.account), stage, listed, _failed)
    return Inventory(accounts=accounts, problems=project.problems, narrowed=bool(words.only))


def _wanted(meter: Live, words: ListWords) -> bool:
    return fits(meter.event_name, words.only) and words.status in (None, meter.status)


def _order(meter: Live) -> tuple[str, bool, str]:
    return meter.event_name, not meter.active, meter.id


def _failed(
    account: AccountRef, problems: tuple[Problem, ...], exit_code: Exit
) -> AccountInventory:
    return AccountInventory(account=account, exit_code=exit_code, problems=problems)


VERB = Verb(
    ListWords,
    "List the live meters of an account, active and inactive ones, as they are.",
    _options,
    _list,
    PLAIN,
)
