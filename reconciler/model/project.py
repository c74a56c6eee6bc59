"""What the files of a project declare: meters, accounts, policy, exemptions."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from ..diagnostics.diagnostic import Diagnostic, Location
from .meter import Meter, Status


@dataclass(frozen=True, slots=True, kw_only=True)
class MeterConfig:
    """One entry of a meter file: the meter, whether it should run, and the consent given in it."""

    meter: Meter
    location: Location
    status: Status = Status.ACTIVE
    protect: bool = False
    retires: tuple[str, ...] = ()
    accepted_prices: tuple[str, ...] = ()

    @property
    def event_name(self) -> str:
        """The key by which declared and live meters are matched."""
        return self.meter.event_name


class Undeclared(StrEnum):
    """What becomes of an active live meter that no file declares."""

    REPORT = "report"
    DEACTIVATE = "deactivate"


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """What a project allows a plan to do; patterns are shell-style globs of event_names."""

    undeclared: Undeclared = Undeclared.REPORT
    owns: tuple[str, ...] = ()
    protect: tuple[str, ...] = ()
    max_deactivations: int = 1
    max_plan_age: int = 24 * 3600  # seconds


@dataclass(frozen=True, slots=True)
class AccountRef:
    """Which account a plan or a report speaks of; `id` and `livemode` where they could be read."""

    name: str
    id: str | None = None
    livemode: bool | None = None


@dataclass(frozen=True, slots=True)
class Account:
    """An entry of the project file: which account, how it is reached, which files speak of it.

    `api_key_env` names the variable that holds the key; the key itself is never kept here.
    `emulator` and `seed` are paths; `rate_limit` is requests a second, None for no limit.
    """

    name: str
    api_key_env: str | None = None
    livemode: bool = False
    account_id: str | None = None
    stripe_account: str | None = None
    stripe_context: str | None = None
    api_base: str = "https://api.stripe.com"
    rate_limit: float | None = 20.0
    emulator: str | None = None
    seed: str | None = None
    policy: Policy = Policy()
    declared: tuple[MeterConfig, ...] = ()
    ignore: tuple[Ignore, ...] = ()


@dataclass(frozen=True, slots=True)
class Project:
    """A project folder, read and checked: its accounts, each with what is declared for it.

    `root` is an absolute path. `narrowed` says that only a part of the declarations was
    read (one file), so that absence means nothing.
    """

    root: str
    accounts: tuple[Account, ...]
    diagnostics: tuple[Diagnostic, ...] = ()
    narrowed: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Ignore:
    """A rule of the project file: findings of one kind that do not count until a date.

    `event_name` is a shell-style pattern, `kind` a word of `drift.Kind`, `until` the last day
    (UTC) on which the rule holds, as YYYY-MM-DD.
    """

    event_name: str
    kind: str
    reason: str
    until: str
    owner: str | None = None
    location: Location | None = None
