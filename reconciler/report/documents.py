"""The documents of the small commands."""

from __future__ import annotations

from msgspec import Struct

from ..diagnostics.diagnostic import Diagnostic, Rule
from ..diagnostics.errors import Exit
from ..model.change import FieldChange
from ..model.meter import ExistingMeter
from ..model.price import PricesByMeter
from ..model.project import AccountRef
from .result import AccountResult, CommandResult


class MeterDeclarations(CommandResult, frozen=True, kw_only=True):
    """Existing meters that no file declared, and the YAML that declares them.

    `file` was extended by the YAML, or created with it; without one, the YAML is the document.
    """

    account: AccountRef | None = None
    meters: tuple[ExistingMeter, ...] = ()
    text: str = ""
    file: str | None = None

    @property
    def is_data(self) -> bool:
        """Whether text output is for a file, so that messages belong on standard error."""
        return True


class WrittenFile(Struct, frozen=True):
    """A file of a new project: `change` is `created` or `extended`."""

    path: str
    change: str


class NewProject(CommandResult, frozen=True, kw_only=True):
    """A project that was started: its files, how many meters it declares, and what to do next."""

    account: AccountRef
    files: tuple[WrittenFile, ...]
    declared: int
    next: tuple[str, ...]


class EmulatorInfo(CommandResult, frozen=True, kw_only=True):
    """The address of an emulator, and a key that it accepts, which is no secret."""

    url: str
    api_key: str


class DiagnosticList(CommandResult, frozen=True, kw_only=True):
    """What diagnostic codes mean."""

    rules: tuple[Rule, ...]


class AccountInventory(AccountResult, frozen=True, kw_only=True):
    """The selected meters of one account, of `total`; None where they could not be read.

    `prices` are those in use on these meters; None where they were not asked for, or could not be
    read.
    """

    meters: tuple[ExistingMeter, ...] = ()
    total: int | None = None
    prices: PricesByMeter | None = None


class Inventory(CommandResult, frozen=True, kw_only=True):
    """The existing meters of each account; `narrowed` where event_names were left out."""

    accounts: tuple[AccountInventory, ...] = ()
    narrowed: bool = False

    @property
    def complete(self) -> bool:
        """Whether every account could be read, and no event_name was left out."""
        return self.exit_code is Exit.DONE and not self.narrowed


class MeterReadiness(Struct, frozen=True, kw_only=True):
    """Whether a meter is ready to receive usage; `problem` says why not.

    `meter_id` is the active meter, `fields` are the payload keys that differ: before as in
    Stripe, after as declared.
    """

    event_name: str
    meter_id: str | None = None
    fields: tuple[FieldChange, ...] = ()
    problem: Diagnostic | None = None

    @property
    def ready(self) -> bool:
        """Whether an application may send usage."""
        return self.problem is None


class AccountReadiness(AccountResult, frozen=True, kw_only=True):
    """The checked meters of one account."""

    meters: tuple[MeterReadiness, ...] = ()


class Readiness(CommandResult, frozen=True, kw_only=True):
    """The checked meters of each account."""

    accounts: tuple[AccountReadiness, ...] = ()
