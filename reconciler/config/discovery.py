"""Find and read files, without leaving the project folder."""

from __future__ import annotations

import contextlib
import os
import re
import stat
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from ..diagnostics.codes import config as codes
from ..diagnostics.diagnostic import Diagnostic, Location
from ..diagnostics.errors import ConfigError
from . import globs
from .yaml.source_text import MAX_BYTES, escape_invisible

PROJECT_FILE = "reconciler.yaml"
_MISNAMED = "reconciler.yml"
_METER_FILE_KEYS = tuple(re.compile(rb"\b%s[\"']?\s*:" % key) for key in (b"version", b"meters"))


@dataclass(frozen=True, slots=True)
class Folder:
    """A project folder, and the path that the user gave for it; paths within it use `/`."""

    root: str
    shown: str

    def show(self, name: str) -> Location:
        """Locate a path within the folder as the user would write it."""
        return Location(escape_invisible(str(PurePosixPath(Path(self.shown).as_posix(), name))))

    def build_path(self, name: str) -> str:
        """Return the absolute path of a name within the folder."""
        return os.path.join(self.root, *name.split("/")) if name else self.root

    def holds(self, path: str) -> bool:
        """Whether a path, once every symbolic link is followed, lies within the folder."""
        return Path(os.path.realpath(path)).is_relative_to(os.path.realpath(self.root))


@dataclass(frozen=True, slots=True)
class Start:
    """What PATH refers to: a project folder, its project file if any, or one meter file."""

    folder: Folder
    project_file: str | None
    only: str | None = None
    diagnostics: tuple[Diagnostic, ...] = ()


def start_from(path: str | os.PathLike[str]) -> Start:
    """Find the project that a path belongs to. Raises ConfigError for an invalid path."""
    given = os.fspath(path)
    _check_exists(given)
    if os.path.isdir(given):
        return _start_at_folder(Folder(os.path.abspath(given), given))
    around, name = os.path.split(os.path.abspath(given))
    if name == PROJECT_FILE:
        return _start_at_folder(Folder(around, os.path.dirname(given) or "."))
    root = _find_project_around(around)
    if root is None:
        return Start(Folder(around, os.path.dirname(given) or "."), None, name)
    shown = root if os.path.isabs(given) else os.path.relpath(root)
    only = Path(around, name).relative_to(root).as_posix()
    return Start(Folder(root, shown), PROJECT_FILE, only)


def find_files(
    folder: Folder, patterns: Iterable[str]
) -> tuple[dict[str, list[str]], list[Diagnostic]]:
    """Find the files that each pattern matches, and report folders that cannot be read.

    Links to folders are not followed. Not `os.walk`, which is recursive in Python 3.11: folders
    can nest deeper than that allows.
    """
    found: dict[str, list[str]] = {pattern: [] for pattern in patterns}
    diagnostics: list[Diagnostic] = []
    pending = [""]
    while pending:
        for path in _list_folder(folder, pending.pop(), diagnostics):
            is_folder = os.path.isdir(folder.build_path(path))
            fits = globs.may_lead if is_folder else globs.matches
            if not (fitting := [pattern for pattern in found if fits(path, pattern)]):
                diagnostics += _check_hidden(folder, path, found)
                continue
            if refusal := _check_entry(folder, path, is_folder=is_folder):
                diagnostics.append(refusal)
            elif is_folder:
                pending.append(path)
            elif path != PROJECT_FILE:
                for pattern in fitting:
                    found[pattern].append(path)
    return found, diagnostics


def _list_folder(folder: Folder, around: str, diagnostics: list[Diagnostic]) -> list[str]:
    """Return the paths in a folder; one that cannot be read becomes a diagnostic."""
    try:
        names = os.listdir(folder.build_path(around))
    except OSError as error:
        diagnostics.append(_describe_os_error(error, folder.show(around)))
        return []
    return [f"{around}/{name}" if around else name for name in names]


def read_file(folder: Folder, name: str) -> bytes:
    """Read a file of the project, up to one byte over the limit. Raises ConfigError."""
    path = folder.build_path(name)
    if not folder.holds(path):
        message = "symbolic link to a path outside the project folder"
        raise ConfigError(codes.OUTSIDE(message, folder.show(name)))
    try:
        with open(path, "rb", opener=_open_without_waiting) as file:
            if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                raise ConfigError(codes.UNREADABLE("not a regular file", folder.show(name)))
            return file.read(MAX_BYTES + 1)
    except OSError as error:
        raise ConfigError(_describe_os_error(error, folder.show(name))) from None


def _check_entry(folder: Folder, path: str, *, is_folder: bool) -> Diagnostic | None:
    """Report a link to a folder, or the project file of a nested project."""
    if is_folder and os.path.islink(folder.build_path(path)):
        message = "symbolic links to folders are not followed"
        return codes.LINKED_FOLDER(message, folder.show(path))
    around, _, name = path.rpartition("/")
    if is_folder or not around or name != PROJECT_FILE:
        return None
    own = folder.show(around).file
    hint = f"run `reconciler plan {own}`; to use its meter files here, list them under `meters`"
    return codes.PROJECT_WITHIN("this folder is a project of its own", folder.show(path), hint)


def _check_hidden(folder: Folder, path: str, patterns: Iterable[str]) -> Iterator[Diagnostic]:
    """Name a file that would be read but for the dot at its beginning."""
    around, slash, name = path.rpartition("/")
    plain = around + slash + name.lstrip(".")
    if not name.startswith("."):
        return
    if plain in (PROJECT_FILE, _MISNAMED):
        message = f"`{name}` is not read: the project file is named {PROJECT_FILE}"
        yield codes.HIDDEN_FILE(message, folder.show(path), "merge the two, or delete it")
    elif any(globs.matches(plain, pattern) for pattern in patterns):
        with contextlib.suppress(ConfigError):
            data = read_file(folder, path)
            if all(key.search(data) for key in _METER_FILE_KEYS):
                message = f"`{escape_invisible(name)}` is not read: its name begins with a dot"
                yield codes.HIDDEN_FILE(message, folder.show(path))


def _check_exists(given: str) -> None:
    try:
        os.stat(given)
    except (FileNotFoundError, NotADirectoryError, ValueError):
        location = Location(escape_invisible(given))
        message = f"no such file or folder: `{escape_invisible(given)}`"
        raise ConfigError(codes.NO_SUCH_PATH(message, location)) from None
    except OSError as error:
        raise ConfigError(_describe_os_error(error, Location(escape_invisible(given)))) from None


def _start_at_folder(folder: Folder) -> Start:
    if os.path.lexists(folder.build_path(PROJECT_FILE)):
        return Start(folder, PROJECT_FILE)
    for misnamed in (_MISNAMED, f".{PROJECT_FILE}", f".{_MISNAMED}"):
        if os.path.lexists(folder.build_path(misnamed)):
            message = f"the project file must be named {PROJECT_FILE}, not {misnamed}"
            raise ConfigError(codes.MISNAMED_PROJECT_FILE(message, folder.show(misnamed)))
    if (above := _find_project_around(folder.root)) is None:
        return Start(folder, None)
    message = f"{PROJECT_FILE} in {escape_invisible(above)} does not apply to this folder"
    return Start(folder, None, None, (codes.PROJECT_FILE_ABOVE(message, folder.show("")),))


def _find_project_around(folder: str) -> str | None:
    """Find the nearest folder with a project file, up to the root of a git checkout."""
    while not os.path.lexists(os.path.join(folder, PROJECT_FILE)):
        above = os.path.dirname(folder)
        if above == folder or os.path.exists(os.path.join(folder, ".git")):
            return None
        folder = above
    return folder


def _open_without_waiting(path: str, flags: int) -> int:
    # Opening a named pipe would otherwise block until a writer opens it.
    return os.open(path, flags | getattr(os, "O_NONBLOCK", 0))


def _describe_os_error(error: OSError, location: Location) -> Diagnostic:
    reason = (error.strerror or "unknown error").lower()
    return codes.UNREADABLE(f"cannot read: {reason}", location)
