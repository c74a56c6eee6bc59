"""The content of a project's files: meters, accounts, policy, exemptions."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from enum import StrEnum

from msgspec import Struct
from msgspec.structs import replace

from ..diagnostics.diagnostic import Diagnostic, Location
from .meter import Meter, Status
from .pattern import matches


class SettingSource(StrEnum):
    """Which part of a meter file sets a value."""

    DECLARATION = "declaration"
    DEFAULTS = "defaults"
    OVERRIDE = "override"


class SettingOrigin(Struct, frozen=True):
    """Where the value of one setting comes from; `path` is its dotted path in the declaration."""

    path: str
    source: SettingSource
    location: Location


class PriceExpectation(StrEnum):
    """Whether prices are expected to use a meter."""

    REQUIRED = "required"
    NONE = "none"


class MeterConfig(Struct, frozen=True, kw_only=True):
    """One entry of a meter file: the meter, its desired status, and the consent it gives.

    `location` is that of the entry; `origins` are those of the settings that are not from the
    entry itself, but from `defaults` or `overrides`. `ignore_changes` are the fields of an existing
    meter that are left as they are. `prices` and `lookup_keys` are the prices expected on the
    active meter, at most one of the two: any or none, or one for each lookup key.
    """

    meter: Meter
    location: Location
    status: Status = Status.ACTIVE
    protect: bool = False
    retires: tuple[str, ...] = ()
    accepted_prices: tuple[str, ...] = ()
    ignore_changes: tuple[str, ...] = ()
    prices: PriceExpectation | None = None
    lookup_keys: tuple[str, ...] = ()
    origins: tuple[SettingOrigin, ...] = ()

    @property
    def event_name(self) -> str:
        """The key by which declared and existing meters are matched."""
        return self.meter.event_name

    @property
    def files(self) -> frozenset[str]:
        """The files that declare the meter or override a setting of it."""
        others = (
            each.location.file for each in self.origins if each.source is SettingSource.OVERRIDE
        )
        return frozenset((self.location.file, *others))

    def meter_for(self, existing: Meter) -> Meter:
        """Return the meter that an existing one should become."""
        kept = {name: getattr(existing, name) for name in self.ignore_changes}
        return replace(self.meter, **kept) if kept else self.meter

    def find_origin(self, path: str) -> SettingOrigin:
        """Return where a setting comes from; of one that is left to its default, the entry."""
        inner = f"{path}."
        for each in self.origins:
            if each.path == path or each.path.startswith(inner):
                return each
        return SettingOrigin(path, SettingSource.DECLARATION, self.location)

    def find_override(self, *paths: str) -> Location | None:
        """Return where one of these settings is overridden, if any is."""
        origins = map(self.find_origin, paths)
        return next(
            (each.location for each in origins if each.source is SettingSource.OVERRIDE), None
        )


class Undeclared(StrEnum):
    """What to do with an active meter that no file declares."""

    REPORT = "report"
    DEACTIVATE = "deactivate"


class Policy(Struct, frozen=True, kw_only=True):
    """The limits of what a plan may change; `owns` and `protect` are globs of event_names."""

    undeclared: Undeclared = Undeclared.REPORT
    owns: tuple[str, ...] = ()
    protect: tuple[str, ...] = ()
    max_deactivations: int = 1
    max_plan_age: int = 24 * 3600  # seconds
    usage_window: int = 24 * 3600  # seconds; 0 if rejected usage is not read


class AccountRef(Struct, frozen=True):
    """The account of a plan or a report; `id` and `livemode` are None if unknown."""

    name: str
    id: str | None = None
    livemode: bool | None = None


class UnreadFile(Struct, frozen=True):
    """A file of the project that an account does not read, although it names meters."""

    file: str
    text: str

    def __repr__(self) -> str:  # without the text, which may be long, and hold a key
        return f"UnreadFile({self.file})"

    def mentions(self, event_name: str) -> bool:
        """Whether the file has this event_name as a whole word."""
        return bool(re.search(rf"(?<![\w.-]){re.escape(event_name)}(?![\w.-])", self.text))


class Platform(Struct, frozen=True):
    """The entry of the project file that an account is one of many connected accounts of.

    `rate_limit` is in requests per second over all of them, None for no limit.
    """

    name: str
    rate_limit: float | None = None


class ConnectedAccounts(Struct, frozen=True):
    """The connected accounts that an entry of the project file covers; `ids` is None for all.

    `rate_limit` is that of their platform.
    """

    ids: tuple[str, ...] | None
    rate_limit: float | None = None


class Account(Struct, frozen=True):
    """An account of the project file: its identity, its connection, its policy and its meters.

    With `connected` it covers many, which `expand` returns; each of them has a `platform`.

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
    connected: ConnectedAccounts | None = None
    platform: Platform | None = None

    @property
    def entry(self) -> str:
        """The name of the account's entry in the project file."""
        return self.platform.name if self.platform else self.name

    def matches(self, patterns: Iterable[str]) -> bool:
        """Whether a glob matches the name of the account, or that of its entry."""
        listed = tuple(patterns)
        return matches(self.name, listed) or matches(self.entry, listed)

    def expand(self, ids: Iterable[str]) -> tuple[Account, ...]:
        """Return the connected accounts of these ids, which share everything but their id."""
        limit = self.connected.rate_limit if self.connected else None
        shared = replace(self, connected=None, platform=Platform(self.name, limit))
        return tuple(replace(shared, name=f"{self.name}/{id_}", stripe_account=id_) for id_ in ids)

    @property
    def key_source(self) -> tuple[str, str]:
        """Where the key is sent, and its variable: accounts with the same are of one platform."""
        return self.api_base, self.api_key_env or "STRIPE_API_KEY"

    @property
    def is_identified(self) -> bool:
        """Whether the configuration, and so a plan_hash, says which account is meant."""
        named = self.account_id or self.stripe_account or self.stripe_context
        return bool(named or self.emulator)


class Project(Struct, frozen=True):
    """A validated project folder: its accounts, each with the meters declared for it.

    `root` is an absolute path. `selected` are the meter files of the part of the project that was
    requested, None for the whole; a part does not show which meters are undeclared. `same_meters`
    are the event_names of one thing in different accounts, by the name of the account. `groups` are
    patterns of the accounts to which a plan is applied one group after another.
    """

    root: str
    accounts: tuple[Account, ...]
    diagnostics: tuple[Diagnostic, ...] = ()
    selected: frozenset[str] | None = None
    same_meters: tuple[Mapping[str, str], ...] = ()
    groups: tuple[tuple[str, ...], ...] = ()

    def find_known(self, names: Iterable[str]) -> set[str]:
        """Return which names are those of accounts of the project, or may be among all connected.

        What is needed to look one up is built once: a fleet has thousands.
        """
        entries = {entry.name: entry.connected for entry in self.accounts}
        listed = {name: frozenset(each.ids or ()) for name, each in entries.items() if each}

        def is_known(name: str) -> bool:
            entry, slash, id_ = name.partition("/")
            if not slash:
                return entry in entries and entries[entry] is None
            connected = entries.get(entry)
            return connected is not None and (connected.ids is None or id_ in listed[entry])

        return set(filter(is_known, names))

    def map_event_names(self, a: str, b: str) -> dict[str, str]:
        """Return the event_names of account `a` that have another one in account `b`."""
        pairs = ((names.get(a), names.get(b)) for names in self.same_meters)
        return {one: other for one, other in pairs if one and other}


class Ignore(Struct, frozen=True, kw_only=True):
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
