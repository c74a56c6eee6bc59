"""What `list` has to say: the live meters of some accounts, as they are."""

from __future__ import annotations

from dataclasses import dataclass

from .model import AccountRef, Live
from .problem import Exit, Problem, Statement, worst


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountInventory:
    """The live meters of one account, or the problems that kept them from being read.

    `meters` are those that were asked for, of as many as `total`; None where none could be read.
    """

    account: AccountRef
    exit_code: Exit = Exit.DONE
    meters: tuple[Live, ...] = ()
    total: int | None = None
    problems: tuple[Problem, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Inventory(Statement):
    """The live meters of one run, account by account; `narrowed` where names were left out."""

    accounts: tuple[AccountInventory, ...]
    narrowed: bool = False

    @property
    def exit_code(self) -> Exit:
        """The one exit code of the run."""
        return worst([self.own_exit, *(account.exit_code for account in self.accounts)])

    @property
    def said(self) -> tuple[Problem, ...]:
        """Those of the run, and of every account."""
        return (*self.problems, *(said for each in self.accounts for said in each.problems))

    @property
    def complete(self) -> bool:
        """Whether every account could be read, and all of it is here."""
        return self.exit_code is Exit.DONE and not self.narrowed
