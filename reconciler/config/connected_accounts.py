"""Read which connected accounts the entries of a project file stand for."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable, Iterator, Mapping
from itertools import islice
from types import MappingProxyType

from msgspec import Struct
from msgspec.structs import replace

from ..diagnostics.codes import config as codes
from ..diagnostics.codes import fleet
from ..diagnostics.diagnostic import Diagnostic, Location
from ..diagnostics.errors import ConfigError
from . import secret_scan
from .discovery import is_outside
from .schema import CheckedFile
from .yaml.reader import MAX_DIAGNOSTICS
from .yaml.source_text import LINE_BREAK, clip, decode

ReadFile = Callable[[str], tuple[bytes, str]]
"""Returns the content of a file of the project, and its path as it is shown."""

_ID = re.compile(r"acct_[A-Za-z0-9_]+")  # as in the schema


class ListedAccounts(Struct, frozen=True):
    """The ids of an entry, each with its location; `ids` is None where the entry has all."""

    ids: Mapping[str, Location] | None
    diagnostics: tuple[Diagnostic, ...] = ()


_NONE: Mapping[str, Location] = MappingProxyType({})


def read_connected(checked: CheckedFile, read: ReadFile) -> dict[str, ListedAccounts]:
    """Return the connected accounts of the entries that have some, by the name of the entry."""
    return {
        name: _read_entry(checked, name, settings["connected_accounts"], read)
        for name, settings in checked.value.get("accounts", {}).items()
        if "connected_accounts" in settings
    }


def _read_entry(checked: CheckedFile, name: str, given: object, read: ReadFile) -> ListedAccounts:
    path = ("accounts", name, "connected_accounts")
    match given:
        case list():
            located = ((id_, (*path, at)) for at, id_ in enumerate(given) if id_)
            return ListedAccounts({id_: checked.parsed.locate(at) for id_, at in located})
        case {"file": str(file)}:
            location = checked.parsed.locate((*path, "file"))
            if is_outside(file):
                message = f"`{clip(file)}` is outside the project folder"
                return ListedAccounts(_NONE, (codes.NOT_WITHIN(message, location),))
            return _read_file(posixpath.normpath(file), location, read)
    return ListedAccounts(None if given == "all" else _NONE)


def _read_file(file: str, location: Location, read: ReadFile) -> ListedAccounts:
    try:
        data, shown = read(file)
    except ConfigError as error:
        told = ((each, f"`{clip(file)}`: {each.message}") for each in error.diagnostics)
        at = (replace(each, message=message, location=location) for each, message in told)
        return ListedAccounts(_NONE, tuple(at))
    keys = tuple(secret_scan.find_keys(data, shown))
    try:
        listed = parse_accounts(decode(data, shown), shown)
    except ConfigError as error:
        return ListedAccounts(_NONE, (*keys, *error.diagnostics))
    return ListedAccounts(listed.ids, (*keys, *listed.diagnostics))


def parse_accounts(text: str, file: str) -> ListedAccounts:
    """Parse a file with one account id a line; `#` begins a comment."""
    ids: dict[str, Location] = {}
    found = tuple(islice(_parse_lines(text, file, ids), MAX_DIAGNOSTICS + 1))
    if len(found) > MAX_DIAGNOSTICS:
        message = f"the file contains more than {MAX_DIAGNOSTICS:,} errors"
        found = (*found[:MAX_DIAGNOSTICS], codes.TOO_MANY_ERRORS(message, Location(file)))
    if not ids and not found:
        found = (fleet.NO_CONNECTED_ACCOUNTS("the file has no account id", Location(file, 1, 1)),)
    return ListedAccounts(ids, found)


def _parse_lines(text: str, file: str, ids: dict[str, Location]) -> Iterator[Diagnostic]:
    """Fill in the ids of a file, and yield its errors."""
    for number, line in enumerate(LINE_BREAK.split(text), 1):
        id_ = line.partition("#")[0].strip()
        if not id_:
            continue
        column = line.index(id_) + 1
        location = Location(file, number, column, number, column + len(id_))
        if not _ID.fullmatch(id_):
            message = (
                f"`{clip(id_)}` is not the id of an account: `acct_` with letters, digits, `_`"
            )
            yield codes.BAD_TEXT(message, location, "write one id a line; `#` begins a comment")
        elif id_ in ids:
            message = f"`{clip(id_)}` is listed twice, first at {ids[id_]}"
            yield codes.LISTED_TWICE(message, location)
        else:
            ids[id_] = location
