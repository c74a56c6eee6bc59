"""What every command returns: the part that all documents share."""

from __future__ import annotations

from msgspec import Struct

from ..diagnostics.diagnostic import Diagnostic
from ..diagnostics.errors import Exit, select_worst
from ..model.project import AccountRef


class AccountResult(Struct, frozen=True, kw_only=True):
    """The part of a document about one account."""

    account: AccountRef
    exit_code: Exit = Exit.DONE
    diagnostics: tuple[Diagnostic, ...] = ()


class CommandResult(Struct, frozen=True, kw_only=True):
    """The one document of a run, before it has a format."""

    diagnostics: tuple[Diagnostic, ...] = ()
    own_exit: Exit = Exit.DONE
    accounts: tuple[AccountResult, ...] = ()

    @property
    def exit_code(self) -> Exit:
        """The one exit code of the run."""
        return select_worst([self.own_exit, *(account.exit_code for account in self.accounts)])

    @property
    def said(self) -> tuple[Diagnostic, ...]:
        """Every diagnostic: of the run, and of each account."""
        return (*self.diagnostics, *(said for each in self.accounts for said in each.diagnostics))

    @property
    def losses(self) -> tuple[Diagnostic, ...]:
        """The errors that say that usage is being lost now."""
        return ()

    @property
    def is_data(self) -> bool:
        """Whether text output is for a file, so that messages belong on standard error."""
        return False


class PlainText(CommandResult, frozen=True, kw_only=True):
    """A text that is printed as it is in every format: a JSON Schema, or a script."""

    text: str
