"""The documents of the commands that have no report: list, emulate, explain."""

from __future__ import annotations

from dataclasses import dataclass

from ..diagnostics.diagnostic import Diagnostic, Rule
from ..diagnostics.errors import Exit, select_worst
from ..model.meter import ExistingMeter
from ..model.project import AccountRef


@dataclass(frozen=True, slots=True, kw_only=True)
class CommandResult:
    """What a run has to say, whatever it is about: the one document, before it has a format."""

    diagnostics: tuple[Diagnostic, ...] = ()
    own_exit: Exit = Exit.DONE

    @property
    def exit_code(self) -> Exit:
        """The one exit code of the run."""
        return self.own_exit

    @property
    def said(self) -> tuple[Diagnostic, ...]:
        """Every problem, wherever it stands."""
        return self.diagnostics

    @property
    def losses(self) -> tuple[Diagnostic, ...]:
        """What tells that usage is being lost right now: nothing is louder."""
        return ()


@dataclass(frozen=True, slots=True, kw_only=True)
class EmulatorInfo(CommandResult):
    """Where an emulator is reached, and a key that it accepts, which is no secret."""

    url: str
    api_key: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DiagnosticList(CommandResult):
    """What diagnostic codes mean."""

    rules: tuple[Rule, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountInventory:
    """The live meters of one account, or the problems that kept them from being read.

    `meters` are those that were asked for, of as many as `total`; None where none could be read.
    """

    account: AccountRef
    exit_code: Exit = Exit.DONE
    meters: tuple[ExistingMeter, ...] = ()
    total: int | None = None
    diagnostics: tuple[Diagnostic, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Inventory(CommandResult):
    """The live meters of one run, account by account; `narrowed` where names were left out."""

    accounts: tuple[AccountInventory, ...]
    narrowed: bool = False

    @property
    def exit_code(self) -> Exit:
        """The one exit code of the run."""
        return select_worst([self.own_exit, *(account.exit_code for account in self.accounts)])

    @property
    def said(self) -> tuple[Diagnostic, ...]:
        """Those of the run, and of every account."""
        return (*self.diagnostics, *(said for each in self.accounts for said in each.diagnostics))

    @property
    def complete(self) -> bool:
        """Whether every account could be read, and all of it is here."""
        return self.exit_code is Exit.DONE and not self.narrowed
