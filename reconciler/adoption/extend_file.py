"""Add the declarations of existing meters to a meter file, and check the whole project with it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from msgspec import Struct

from ..config import load_accounts
from ..config.yaml.source_text import escape_invisible
from ..diagnostics.codes import adoption as codes
from ..diagnostics.codes.config import NOT_SELECTED, UNREADABLE
from ..diagnostics.diagnostic import Diagnostic, Location
from ..diagnostics.errors import ConfigError
from ..model.project import Account, Project
from .entries import Adoption, write_file
from .splice import splice


class Extension(Struct, frozen=True):
    """The new content of a file, whether it exists, and what its users should know."""

    content: bytes
    exists: bool
    diagnostics: tuple[Diagnostic, ...]


def extend(path: str, file: str, adoptions: tuple[Adoption, ...], account: Account) -> Extension:
    """Return a meter file of the project at `path` with these meters. Nothing is written.

    Raise ConfigError unless the account reads the file, and then declares each meter as it is.
    """
    shown = escape_invisible(file)
    exists = os.path.lexists(file)
    content = splice(_read(file), shown, adoptions) if exists else write_file(adoptions).encode()
    project = load_accounts(path, {os.path.abspath(file): content})
    extended = next(each for each in project.accounts if each.name == account.entry)
    if not _reads(extended, file):
        message = f"account {account.name!r} does not read this file"
        raise ConfigError(NOT_SELECTED(message, Location(shown)))
    declared = {each.event_name: (each.meter, str(each.status)) for each in extended.declared}
    for each in adoptions:
        if declared.get(each.event_name) != (each.meter.meter, str(each.meter.status)):
            message = f"the project would not declare {each.event_name!r} as it is"
            raise ConfigError(codes.NOT_EXTENDED(message, Location(shown)))
    return Extension(content, exists, tuple(_warn_of_others(project, account, file)))


def _read(file: str) -> bytes:
    try:
        return Path(file).read_bytes()
    except OSError as error:
        message = f"cannot read: {(error.strerror or str(error)).lower()}"
        location = Location(escape_invisible(file))
        raise ConfigError(UNREADABLE(message, location)) from None


def _reads(account: Account, file: str) -> bool:
    return os.path.realpath(file) in map(os.path.realpath, account.files)


def _warn_of_others(project: Project, account: Account, file: str) -> Iterator[Diagnostic]:
    for other in project.accounts:
        if other.name != account.entry and _reads(other, file):
            message = f"account {other.name!r} reads this file too: its next plan creates the "
            message += "meters that it does not have"
            yield codes.SHARED_FILE(message, Location(escape_invisible(file)))
