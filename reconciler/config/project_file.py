"""Read the project file: accounts, each with its policy and its patterns of meter files."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from ..diagnostics.codes import config as codes
from ..diagnostics.diagnostic import Diagnostic, Level, Location
from ..diagnostics.errors import ConfigError
from ..model.project import Account, Ignore, Policy, Undeclared
from . import globs, schema
from . import project_rules as judge
from . import secret_scan as leak
from .discovery import Folder
from .yaml import reader as yamltree
from .yaml.document import Document, Path

_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
_AS_WRITTEN = ("api_key_env", "livemode", "account_id", "stripe_account", "stripe_context")


@dataclass(frozen=True, slots=True)
class Pattern:
    """A pattern of meter files, and its location; default patterns have none."""

    glob: str
    location: Location | None = None


@dataclass(frozen=True, slots=True)
class Entry:
    """An account whose meter files have not been read yet."""

    account: Account
    patterns: tuple[Pattern, ...]


@dataclass(frozen=True, slots=True)
class ProjectFile:
    """The accounts of a project file; none if it cannot be read."""

    entries: tuple[Entry, ...]
    diagnostics: tuple[Diagnostic, ...] = ()


def without_project_file() -> ProjectFile:
    """Return the default account, used without a project file."""
    return ProjectFile((Entry(_default_account(Policy()), _DEFAULT_PATTERNS),))


def read_project(data: bytes, file: str, folder: Folder) -> ProjectFile:
    """Read a project file as far as possible; errors become diagnostics, nothing is raised."""
    leaks = tuple(leak.problems_in(data, file))
    try:
        document = yamltree.read(data, file)
    except ConfigError as error:
        return ProjectFile((), (*leaks, *error.diagnostics))
    faults = schema.check(document, "project")
    diagnostics = (*leaks, *document.diagnostics, *faults)
    if any(fault.code == codes.UNKNOWN_VERSION.code for fault in faults):
        return ProjectFile((), diagnostics)
    diagnostics += tuple(judge.check(document, folder))
    sound = not any(diagnostic.level is Level.ERROR for diagnostic in diagnostics)
    entries = (
        Entry(_account(document, name, folder) if sound else _sketch(document, name, folder), some)
        for name, some in _selections(document)
    )
    return ProjectFile(tuple(entries), diagnostics)


def _selections(document: Document) -> Iterator[tuple[str, tuple[Pattern, ...]]]:
    """List the name of each account and its valid patterns.

    Of an invalid file too, so that errors in meter files are reported in the same run.
    """
    common = _patterns(document, (), _DEFAULT_PATTERNS)
    accounts = document.value.get("accounts") if isinstance(document.value, dict) else None
    for name in accounts if isinstance(accounts, dict) else ("default",):
        path = ("accounts", name) if isinstance(accounts, dict) else ()
        yield name, _patterns(document, path, common)


def _patterns(
    document: Document, path: Path, otherwise: tuple[Pattern, ...]
) -> tuple[Pattern, ...]:
    """List the patterns of a mapping of the project file, with their locations."""
    settings = _at(document, path)
    if not isinstance(settings, dict):
        return ()
    if "meters" not in settings:
        return () if judge.tried(settings, "meters") else otherwise
    globs_here = settings["meters"] if isinstance(settings["meters"], list) else []
    return tuple(
        Pattern(posixpath.normpath(glob), document.location((*path, "meters", index)))
        for index, glob in enumerate(globs_here)
        if isinstance(glob, str)
    )


def _account(document: Document, name: str, folder: Folder) -> Account:
    """Build an account from a valid file."""
    common = document.value.get("policy", {})
    ignored = _ignored(document, ())
    if "accounts" not in document.value:
        return _default_account(_policy(common), ignored)
    settings = document.value["accounts"][name]
    given = {key: settings[key] for key in _AS_WRITTEN if key in settings}
    if "api_base" in settings:
        given["api_base"] = settings["api_base"].rstrip("/")
    given |= _own_files(settings, folder)
    if "rate_limit" in settings:
        given["rate_limit"] = float(settings["rate_limit"])
    elif "emulator" in settings:
        given["rate_limit"] = None
    policy = _policy({**common, **settings.get("policy", {})})
    ignored += _ignored(document, ("accounts", name))
    return Account(name=name, policy=policy, ignore=ignored, **given)


def _sketch(document: Document, name: str, folder: Folder) -> Account:
    """Build an account from an invalid file: its name, and the files of its emulator."""
    settings = judge.accounts(document).get(name, {})
    return Account(name=name, **_own_files(settings, folder))


def _own_files(settings: Mapping[str, Any], folder: Folder) -> dict[str, Any]:
    """Resolve the files of the emulator to absolute paths."""
    named = {key: judge.text(settings, key) for key in ("emulator", "seed")}
    return {key: folder.path(posixpath.normpath(name)) for key, name in named.items() if name}


def _default_account(policy: Policy, ignored: tuple[Ignore, ...] = ()) -> Account:
    return Account(name="default", api_key_env="STRIPE_API_KEY", policy=policy, ignore=ignored)


def _policy(settings: Mapping[str, Any]) -> Policy:
    given = dict(settings)
    if "undeclared" in given:
        given["undeclared"] = Undeclared(given["undeclared"])
    for key in {"owns", "protect"} & given.keys():
        given[key] = tuple(given[key])
    if "max_plan_age" in given:
        number, unit = given["max_plan_age"][:-1], given["max_plan_age"][-1]
        given["max_plan_age"] = int(number) * _SECONDS[unit]
    return Policy(**given)


def _ignored(document: Document, path: Path) -> tuple[Ignore, ...]:
    """List the `ignore` entries of a mapping of the project file, with their locations."""
    return tuple(
        Ignore(**entry, location=document.location((*path, "ignore", index)))
        for index, entry in enumerate(_at(document, path).get("ignore", ()))
    )


def _at(document: Document, path: Path) -> Any:
    """Get the value at a path that is known to exist."""
    value = document.value
    for step in path:
        value = value[step]
    return value


_DEFAULT_PATTERNS = tuple(Pattern(glob) for glob in globs.DEFAULT)
