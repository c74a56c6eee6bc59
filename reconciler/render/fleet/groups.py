"""Which accounts have the same result, and a matrix of their meters."""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from functools import cached_property

from msgspec import Struct

from ...diagnostics.diagnostic import Level
from ...diagnostics.errors import Exit, rank_exit
from ..view import AccountView, Item, Status, View

MANY = 5
"""Up to so many accounts are shown one by one."""

EXAMPLES = 3


def has_many(view: View) -> bool:
    """Whether a report has too many accounts to show each."""
    return len(view.accounts) > MANY


class AccountGroup(Struct, frozen=True, dict=True):
    """Accounts with the same result: the same verdict, counts, changes and errors."""

    accounts: tuple[AccountView, ...]

    @property
    def first(self) -> AccountView:
        """The account that is shown for all of them."""
        return self.accounts[0]

    @property
    def names(self) -> list[str]:
        """The names of the accounts."""
        return [account.name for account in self.accounts]

    @property
    def failed(self) -> bool:
        """Whether the accounts could not be read or changed."""
        return self.first.report.exit_code not in (Exit.DONE, Exit.CHANGES)

    @cached_property
    def shown(self) -> dict[str, Item]:
        """The items with more to show than that they are as declared, by event_name."""
        return {item.event_name: item for item in self.first.items if item.shown}


class Matrix(Struct, frozen=True, dict=True):
    """Rows of event_names by columns of account groups: those in which anything is to be shown.

    `left_out` are the groups without a column, and `more` the event_names without a row.
    """

    columns: tuple[AccountGroup, ...]
    rows: tuple[str, ...]
    left_out: tuple[AccountGroup, ...]
    more: int

    @property
    def is_useful(self) -> bool:
        """Whether it shows more than a list would: accounts differ."""
        return len(self.columns) > 1


def group_accounts(view: View) -> list[AccountGroup]:
    """Return the accounts by result: failed ones first, then by risk, the largest groups first."""
    same: dict[Hashable, list[AccountView]] = {}
    for account in view.accounts:
        same.setdefault(_describe_result(account), []).append(account)
    groups = [AccountGroup(tuple(some)) for some in same.values()]
    return sorted(groups, key=_rank_group)


def _rank_group(group: AccountGroup) -> tuple[object, ...]:
    worst = min((item.rank[:2] for item in group.first.items if item.shown), default=(True, 0))
    ended = rank_exit(group.first.report.exit_code) if group.failed else 0
    return (not group.failed, ended, *worst, not group.shown, -len(group.accounts))


def _describe_result(account: AccountView) -> Hashable:
    """Return what accounts with the same result have in common."""
    report = account.report
    return (
        report.exit_code,
        report.complete,
        str(account.headline),
        tuple(sorted({said.code for said in account.unattached if said.level is Level.ERROR})),
        tuple((item.event_name, describe_outcome(item)) for item in account.items if item.shown),
    )


def describe_outcome(item: Item) -> Hashable:
    """Return what is to happen to a meter, what became of it, and what was found."""
    action = item.change.action if item.change else None
    return action, item.status, item.degree, tuple(found.kind for found in item.findings)


def build_matrix(groups: Iterable[AccountGroup], columns: int, rows: int) -> Matrix:
    """Return the matrix of at most so many columns and rows, the first groups and worst rows."""
    showing = [group for group in groups if group.shown]
    chosen = showing[:columns]
    ranks: dict[str, tuple[bool, int, int, str]] = {}
    for group in chosen:
        for name, item in group.shown.items():
            ranks[name] = min(item.rank, ranks.get(name, item.rank))
    names = sorted(ranks, key=ranks.__getitem__)
    return Matrix(tuple(chosen), tuple(names[:rows]), tuple(showing[columns:]), len(names) - rows)


def describe_cell(item: Item) -> str:
    """Return what is to happen to a meter, what became of it, or what was found, in words."""
    if item.change is None:
        return str(item.status) if item.status is not Status.DRIFTED else str(item.degree)
    if item.status in (Status.TO_CHANGE, Status.DONE, Status.UNMANAGED, Status.IN_SYNC):
        return str(item.change.action)
    return str(item.status)
