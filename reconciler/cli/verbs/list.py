"""`list`: the live meters of an account, as they are."""

from __future__ import annotations

from dataclasses import dataclass

from ...config import load
from ...inventory import AccountInventory, Inventory
from ...model import Account, AccountRef, Live, Status
from ...problem import Exit, Problem
from ...render import Document
from ..accounts import chosen, each
from ..reach import reach
from ..verb import PLAIN, Stage, Verb
from ..words import Parser, ProjectWords, project_words


@dataclass(frozen=True, slots=True, kw_only=True)
class ListWords(ProjectWords):
    """Which meters; None for active and inactive ones."""

    status: str | None = None


def _options(parser: Parser) -> None:
    project_words(parser)
    parser.add_argument(
        "--status", choices=[str(status) for status in Status], help="only these (default: all)"
    )


def _list(words: ListWords, stage: Stage) -> Document:
    project = load(words.path)

    def listed(account: Account) -> AccountInventory:
        with reach(account, stage) as session:
            meters = tuple(meter for meter in session.meters.live() if _wanted(meter, words))
            livemode = meters[0].livemode if meters else session.key_livemode
            ref = AccountRef(account.name, session.acting_on(), livemode)
        return AccountInventory(account=ref, meters=tuple(sorted(meters, key=_order)))

    accounts = each(chosen(project, words.account), stage, listed, _failed)
    return Inventory(accounts=accounts, problems=project.problems)


def _wanted(meter: Live, words: ListWords) -> bool:
    return words.status in (None, meter.status)


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
