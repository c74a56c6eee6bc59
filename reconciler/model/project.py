"""The content of a project's files: meters, accounts, policy, exemptions."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from enum import StrEnum

from ..diagnostics.diagnostic import Diagnostic, Location
from .meter import Meter, Status


@dataclass(frozen=True, slots=True, kw_only=True)
class MeterConfig:
    """One entry of a meter file: the meter, its desired status, and the consent it gives."""

    meter: Meter
    location: Location
    status: Status = Status.ACTIVE
    protect: bool = False
    retires: tuple[str, ...] = ()
    accepted_prices: tuple[str, ...] = ()

    @property
    def event_name(self) -> str:
        """The key by which declared and existing meters are matched."""
        return self.meter.event_name


class Undeclared(StrEnum):
    """What to do with an active meter that no file declares."""

    REPORT = "report"
    DEACTIVATE = "deactivate"


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """The limits of what a plan may change; `owns` and `protect` are globs of event_names."""

    undeclared: Undeclared = Undeclared.REPORT
    owns: tuple[str, ...] = ()
    protect: tuple[str, ...] = ()
    max_deactivations: int = 1
    max_plan_age: int = 24 * 3600  # seconds


@dataclass(frozen=True, slots=True)
class AccountRef:
    """The account of a plan or a report; `id` and `livemode` are None if unknown."""

    name: str
    id: str | None = None
    livemode: bool | None = None


@dataclass(frozen=True, slots=True)
class UnreadFile:
    """A file of the project that an account does not read, although it names meters."""

    file: str
    text: str = field(repr=False)

    def mentions(self, event_name: str) -> bool:
        """Whether the file has this event_name as a whole word."""
        return bool(re.search(rf"(?<![\w.-]){re.escape(event_name)}(?![\w.-])", self.text))


@dataclass(frozen=True, slots=True)
class Account:
    """An account of the project file: its identity, its connection, its policy and its meters.

    `api_key_env` is the name of the environment variable with the API key; the key itself is
    never stored here. `emulator` and `seed` are paths; `rate_limit` is in requests per second,
    None for no limit. `files` are the meter files of `declared`; `unread` is only known where
    undeclared meters are deactivated.
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
    files: tuple[str, ...] = ()
    unread: tuple[UnreadFile, ...] = ()
    ignore: tuple[Ignore, ...] = ()


@dataclass(frozen=True, slots=True)
class Project:
    """A validated project folder: its accounts, each with the meters declared for it.

    `root` is an absolute path. `selected` are the meter files of the part of the project that was
    requested, None for the whole; a part does not show which meters are undeclared.
    """

    root: str
    accounts: tuple[Account, ...]
    diagnostics: tuple[Diagnostic, ...] = ()
    selected: frozenset[str] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Ignore:
    """An exemption in the project file: findings of one kind that are ignored until a date.

    `event_name` is a glob, `kind` the value of a finding's `Kind`, `until` the last day (UTC) of
    the exemption, as YYYY-MM-DD.
    """

    event_name: str
    kind: str
    reason: str
    until: str
    owner: str | None = None
    location: Location | None = None
