"""Check what a schema cannot express: conflicting keys, paths, dates and duplicate accounts."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any

from ..diagnostics.codes import config as codes
from ..diagnostics.diagnostic import Diagnostic
from ..diagnostics.suggest import suggest
from ..trusted_url import is_trusted_api_base
from .discovery import Folder
from .secret_scan import holds_key
from .yaml.document import Document, Path
from .yaml.source_text import clip

_DAY = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
_WITH_A_KEY_ONLY = ("api_key_env", "stripe_account", "stripe_context", "api_base")


def check(document: Document, folder: Folder) -> list[Diagnostic]:
    """Report every error, whether or not the rest of the file is valid by its schema."""
    found = list(_paths(document, folder))
    for name, settings in accounts(document).items():
        found += _reach(document, ("accounts", name), settings)
        found += _key_name(document, ("accounts", name, "api_key_env"), settings)
        found += _address(document, ("accounts", name, "api_base"), settings)
    return [*found, *_days(document), *_same_accounts(document, folder), *_owners(document)]


def accounts(document: Document) -> dict[str, dict[str, Any]]:
    """Select the accounts that are mappings."""
    accounts = _mapping(_mapping(document.value).get("accounts"))
    return {name: value for name, value in accounts.items() if isinstance(value, dict)}


def _levels(document: Document) -> list[tuple[Path, Mapping[str, Any]]]:
    """List the settings of the project, then those of each account, with their paths."""
    own = ((("accounts", name), value) for name, value in accounts(document).items())
    return [((), _mapping(document.value)), *own]


def _mapping(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def text(settings: Mapping[str, Any], key: str) -> str | None:
    """Get a setting if it is valid text; the schema reports everything else."""
    value = settings.get(key)
    return value if isinstance(value, str) and value.isprintable() and value else None


def _paths(document: Document, folder: Folder) -> Iterator[Diagnostic]:
    for path, settings in _levels(document):
        globs = settings.get("meters")
        for index, glob in enumerate(globs if isinstance(globs, list) else ()):
            if isinstance(glob, str) and _leaves(glob):
                yield _not_within(document, (*path, "meters", index), glob)
    for path, settings in _levels(document)[1:]:
        for key in ("emulator", "seed"):
            if name := text(settings, key):
                yield from _own_file(document, (*path, key), name, folder)


def _own_file(document: Document, path: Path, name: str, folder: Folder) -> Iterator[Diagnostic]:
    """Check the path of a file of the emulator."""
    if _leaves(name):
        yield _not_within(document, path, name)
        return
    full = folder.path(name)
    location = document.location(path)
    if not folder.holds(full):
        yield codes.OUTSIDE(
            f"`{clip(name)}` is a link to a path outside the project folder", location
        )
    elif os.path.isdir(full):
        yield codes.UNREADABLE(f"`{clip(name)}` is a folder", location)
    elif path[-1] == "seed" and not os.path.exists(full):
        yield codes.NO_SUCH_PATH(f"no such file: `{clip(name)}`", location)


def _leaves(name: str) -> bool:
    drive = name[1:2] == ":"
    return name.startswith(("/", "~", "\\")) or drive or ".." in name.replace("\\", "/").split("/")


def _not_within(document: Document, path: Path, name: str) -> Diagnostic:
    message = f"`{clip(name)}` is outside the project folder"
    return codes.NOT_WITHIN(message, document.location(path))


def _days(document: Document) -> Iterator[Diagnostic]:
    """Check dates in the right format that are not in the calendar."""
    for path, settings in _levels(document):
        entries = settings.get("ignore")
        for index, entry in enumerate(entries if isinstance(entries, list) else ()):
            until = text(_mapping(entry), "until")
            if until and _DAY.fullmatch(until) and not _is_day(until):
                message = f"`until` is {until}, which is not a valid date"
                location = document.location((*path, "ignore", index, "until"))
                yield codes.BAD_TEXT(message, location)


def _is_day(text: str) -> bool:
    try:
        return bool(date.fromisoformat(text))
    except ValueError:
        return False


def _reach(document: Document, path: Path, settings: Mapping[str, Any]) -> Iterator[Diagnostic]:
    """Check that an account has either a key or the emulator, and no key of the other."""
    if "emulator" in settings:
        for key in _WITH_A_KEY_ONLY:
            if key in settings:
                yield _at_odds(
                    document, (*path, key), f"`{key}` cannot be combined with `emulator`"
                )
    elif not tried(settings, "api_key_env", "api_key", "emulator"):
        message = f"account `{clip(str(path[-1]))}` has neither `api_key_env` nor `emulator`"
        hint = "set the name of the variable that holds its key: `api_key_env: STRIPE_API_KEY`"
        yield codes.MISSING_KEY(message, document.head(path), hint)
    elif "seed" in settings:
        yield _at_odds(document, (*path, "seed"), "`seed` requires `emulator`")
    if "stripe_account" in settings and "stripe_context" in settings:
        message = "`stripe_context` cannot be combined with `stripe_account`"
        yield _at_odds(document, (*path, "stripe_context"), message)


def tried(settings: Mapping[str, Any], *keys: str) -> bool:
    """Whether a key is present, possibly misspelled, which is reported separately."""
    return any(suggest(word, keys) for word in settings)


def _at_odds(document: Document, path: Path, message: str) -> Diagnostic:
    return codes.KEYS_AT_ODDS(message, document.key_location(path))


def _key_name(document: Document, path: Path, settings: Mapping[str, Any]) -> Iterator[Diagnostic]:
    """Check for an API key of an unknown kind instead of the name of a variable."""
    name = text(settings, "api_key_env")
    if name and name.startswith(("sk_", "rk_")) and not holds_key(name):
        message = f"`api_key_env` must name an environment variable, not an API key (`{name[:3]}…`)"
        yield codes.KEY_IN_FILE(message, document.location(path))


def _address(document: Document, path: Path, settings: Mapping[str, Any]) -> Iterator[Diagnostic]:
    address = text(settings, "api_base")
    if address and "emulator" not in settings and not is_trusted_api_base(address):
        message = "`api_base` must be an https URL, or an http URL on a loopback address"
        hint = (
            "write https://HOST or http://127.0.0.1:PORT, in ASCII, without user, query or fragment"
        )
        yield codes.BAD_TEXT(message, document.location(path), hint)


def _same_accounts(document: Document, folder: Folder) -> Iterator[Diagnostic]:
    """Check for entries with the same account: by key, by id, or by emulator file."""
    first: dict[tuple[Any, ...], str] = {}
    for name, settings in accounts(document).items():
        marks = list(_identities(settings, folder))
        if other := next((first[mark] for mark in marks if mark in first), None):
            message = f"accounts `{clip(other)}` and `{clip(name)}` are the same account"
            yield codes.SAME_ACCOUNT(message, document.key_location(("accounts", name)))
        for mark in marks:
            first.setdefault(mark, name)


def _identities(settings: Mapping[str, Any], folder: Folder) -> Iterator[tuple[Any, ...]]:
    key, id_, acting_on, context, emulator = (
        text(settings, name)
        for name in ("api_key_env", "account_id", "stripe_account", "stripe_context", "emulator")
    )
    if emulator and not _leaves(emulator):
        yield "emulator", os.path.realpath(folder.path(emulator))
    elif key:
        yield "key", key, acting_on, context
        # Requests act on the last of these that is set, whichever key is used.
        if account := context or acting_on or id_:
            yield "id", account, settings.get("livemode") is True


def _owners(document: Document) -> Iterator[Diagnostic]:
    """Check that `owns` is set wherever `undeclared: deactivate` applies."""
    common = _mapping(_mapping(document.value).get("policy"))
    own = {n: _mapping(settings.get("policy")) for n, settings in accounts(document).items()}
    places: set[Path] = set()
    for name, policy in own.items() if own else [("", {})]:
        effective = {**common, **policy}
        owned = effective["owns"] if "owns" in effective else tried(effective, "owns")
        if effective.get("undeclared") == "deactivate" and not owned:
            around = ("accounts", name) if "undeclared" in policy else ()
            places.add((*around, "policy", "undeclared"))
    for path in places:
        message = "`undeclared: deactivate` requires patterns in `owns`"
        yield codes.OWNS_MISSING(message, document.location(path))
