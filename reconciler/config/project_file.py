"""Read the project file: accounts, each with its policy and its patterns of meter files."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator, Mapping
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from ..diagnostics.diagnostic import Diagnostic, Level, Location
from ..diagnostics.errors import ConfigError
from ..model.project import Account, ConnectedAccounts, Ignore, Policy, Undeclared
from ..timestamps import parse_duration
from ..trusted_url import is_loopback
from . import globs, project_rules, schema, secret_scan
from .connected_accounts import ListedAccounts, ReadFile, read_connected
from .discovery import Folder
from .schema import CheckedFile
from .yaml import reader
from .yaml.parsed_file import ParsedFile, Path

_PLATFORM_RATE_LIMIT = 80.0  # requests a second; Stripe allows a platform 100 in live mode
_AS_WRITTEN = ("api_key_env", "livemode", "account_id", "stripe_account", "stripe_context")


class Pattern(Struct, frozen=True):
    """A pattern of meter files, and its location; default patterns have none."""

    glob: str
    location: Location | None = None


_DEFAULT_PATTERNS = tuple(Pattern(glob) for glob in globs.DEFAULT)


class Entry(Struct, frozen=True):
    """An account whose meter files have not been read yet."""

    account: Account
    patterns: tuple[Pattern, ...]


class ProjectFile(Struct, frozen=True):
    """The accounts of a project file; of an invalid one only their names and patterns."""

    entries: tuple[Entry, ...]
    diagnostics: tuple[Diagnostic, ...] = ()
    same_meters: tuple[Mapping[str, str], ...] = ()
    groups: tuple[tuple[str, ...], ...] = ()


def build_default_project() -> ProjectFile:
    """Return the default account, used without a project file."""
    return ProjectFile((Entry(_build_default_account({}, ()), _DEFAULT_PATTERNS),))


def read_project(
    data: bytes, file: str, folder: Folder, read: ReadFile | None = None
) -> ProjectFile:
    """Read a project file as far as possible; errors become diagnostics, nothing is raised.

    `read` reads the files with account ids that it names, by default from the folder.
    """
    keys = tuple(secret_scan.find_keys(data, file))
    try:
        parsed = reader.read(data, file)
    except ConfigError as error:
        return ProjectFile((), (*keys, *error.diagnostics))
    if unmet := project_rules.find_unmet_version(parsed):
        return ProjectFile((), (unmet,))
    checked = schema.check(parsed, "project")
    diagnostics = (*keys, *parsed.diagnostics, *checked.diagnostics)
    if checked.value is None:
        return ProjectFile((), diagnostics)
    connected = read_connected(checked, read or folder.read)
    diagnostics += tuple(said for each in connected.values() for said in each.diagnostics)
    diagnostics += tuple(project_rules.check(checked, folder, connected))
    sound = not any(diagnostic.level is Level.ERROR for diagnostic in diagnostics)
    entries = (
        Entry(
            _build_account(parsed, name, folder, connected.get(name)) if sound else Account(name),
            patterns,
        )
        for name, patterns in _read_patterns(checked).items()
    )
    same_meters = parsed.value.get("compare", {}).get("event_names", ()) if sound else ()
    groups = parsed.value.get("groups", ()) if sound else ()
    shared = tuple(_share_platform_limits(tuple(entries)))
    return ProjectFile(shared, diagnostics, tuple(same_meters), tuple(map(tuple, groups)))


def _share_platform_limits(entries: tuple[Entry, ...]) -> Iterator[Entry]:
    """Yield the entries; those of one platform get the lowest of its limits."""
    lowest: dict[tuple[str, str], float] = {}
    for entry in entries:
        connected, key = entry.account.connected, entry.account.key_source
        if connected and connected.rate_limit:
            lowest[key] = min(connected.rate_limit, lowest.get(key, connected.rate_limit))
    for entry in entries:
        account, connected = entry.account, entry.account.connected
        if connected and (limit := lowest.get(account.key_source)):
            account = replace(account, connected=replace(connected, rate_limit=limit))
        yield replace(entry, account=account)


def _read_patterns(checked: CheckedFile) -> dict[str, tuple[Pattern, ...]]:
    """Return the valid patterns of each account, of an invalid file too.

    So errors in meter files are reported in the same run.
    """
    common = _read_level(checked, (), checked.value, _DEFAULT_PATTERNS)
    if "accounts" not in checked.value:
        return {"default": common}
    return {
        name: _read_level(checked, ("accounts", name), settings, common)
        for name, settings in checked.value["accounts"].items()
    }


def _read_level(
    checked: CheckedFile, path: Path, settings: Mapping[str, Any], otherwise: tuple[Pattern, ...]
) -> tuple[Pattern, ...]:
    """Return the patterns of the project or of one account, with their locations."""
    if "meters" not in settings:
        return () if checked.is_attempted(path, "meters") else otherwise
    return tuple(
        Pattern(posixpath.normpath(glob), checked.parsed.locate((*path, "meters", index)))
        for index, glob in enumerate(settings["meters"])
        if glob
    )


def _build_account(
    parsed: ParsedFile, name: str, folder: Folder, listed: ListedAccounts | None
) -> Account:
    """Build an account from a valid file."""
    common = parsed.value.get("policy", {})
    exemptions = _read_exemptions(parsed, ())
    if "accounts" not in parsed.value:
        return _build_default_account(common, exemptions)
    settings = parsed.value["accounts"][name]
    given = {key: settings[key] for key in _AS_WRITTEN if key in settings}
    if "api_base" in settings:
        given["api_base"] = settings["api_base"].rstrip("/")
    for key in {"emulator", "seed"} & settings.keys():
        given[key] = folder.build_path(posixpath.normpath(settings[key]))
    if "rate_limit" in settings:
        given["rate_limit"] = float(settings["rate_limit"])
    elif "emulator" in settings:
        given["rate_limit"] = None
    if listed:
        given["connected"] = _build_connected(settings, listed)
    policy = _build_policy({**common, **settings.get("policy", {})})
    exemptions += _read_exemptions(parsed, ("accounts", name))
    return Account(name=name, policy=policy, ignore=exemptions, **given)


def _build_connected(settings: Mapping[str, Any], listed: ListedAccounts) -> ConnectedAccounts:
    """Build the connected accounts of an entry; only a loopback address has no rate limit."""
    default = None if is_loopback(settings.get("api_base", "")) else _PLATFORM_RATE_LIMIT
    limit = settings.get("platform_rate_limit", default)
    ids = None if listed.ids is None else tuple(listed.ids)
    return ConnectedAccounts(ids, limit and float(limit))


def _build_default_account(policy: Mapping[str, Any], exemptions: tuple[Ignore, ...]) -> Account:
    return Account(
        name="default",
        api_key_env="STRIPE_API_KEY",
        policy=_build_policy(policy),
        ignore=exemptions,
    )


def _build_policy(settings: Mapping[str, Any]) -> Policy:
    given = dict(settings)
    if "undeclared" in given:
        given["undeclared"] = Undeclared(given["undeclared"])
    for key in {"owns", "protect"} & given.keys():
        given[key] = tuple(given[key])
    for key in {"max_plan_age", "usage_window"} & given.keys():
        if written := given[key]:
            given[key] = parse_duration(written)
    return Policy(**given)


def _read_exemptions(parsed: ParsedFile, path: Path) -> tuple[Ignore, ...]:
    """Read the `ignore` entries of the project or of one account, with their locations."""
    return tuple(
        Ignore(**entry, location=parsed.locate((*path, "ignore", index)))
        for index, entry in enumerate(parsed.get(path).get("ignore", ()))
    )
