"""Find and read files, without leaving the project folder."""

from __future__ import annotations

import contextlib
import os
import re
import stat
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path, PurePosixPath

from msgspec import Struct
from msgspec.structs import replace

from ..diagnostics.codes import config as codes
from ..diagnostics.diagnostic import Diagnostic, Location
from ..diagnostics.errors import ConfigError
from . import globs
from .yaml.source_text import MAX_BYTES, escape_invisible

PROJECT_FILE = "reconciler.yaml"
_LIKE_YAML = re.compile(r"\.ya?ml(?!.*\.sw.$)")  # also backups, but no swap files of an editor
_NOT_SEARCHED = (".git", ".reconciler")
_METER_FILE_KEYS = tuple(
    re.compile(rb"\b(?:%s)[\"']?\s*:" % key) for key in (b"version", b"meters|overrides")
)
_ALMOST = r"[._ ]*reconciler *\.(?:yaml|yml|yalm|ymal)"
_MISNAMED = re.compile(rf"(?!{PROJECT_FILE}\Z)(?i:{_ALMOST}(?:\.txt)? *)")
_MISNAMED_OR_BACKUP = re.compile(rf"(?!{PROJECT_FILE}\Z)(?i:{_ALMOST}(?:[.~ -].*)?)")


class Folder(Struct, frozen=True):
    """A project folder, and the path that the user gave for it; paths within it use `/`."""

    root: str
    shown: str

    def show(self, name: str) -> Location:
        """Locate a path within the folder as the user would write it."""
        return Location(escape_invisible(str(PurePosixPath(Path(self.shown).as_posix(), name))))

    def build_path(self, name: str) -> str:
        """Return the absolute path of a name within the folder."""
        return os.path.join(self.root, *name.split("/")) if name else self.root

    def read(self, name: str) -> tuple[bytes, str]:
        """Return the content of a file, and its path as it is shown. Raises ConfigError."""
        return read_file(self, name), self.show(name).file

    def is_within(self, name: str, part: Path) -> bool:
        """Whether a file of the folder is the given file, or in the given folder."""
        return Path(os.path.realpath(self.build_path(name))).is_relative_to(part.resolve())

    def holds(self, path: str) -> bool:
        """Whether a path, once every symbolic link is followed, lies within the folder."""
        return Path(os.path.realpath(path)).is_relative_to(os.path.realpath(self.root))


class Start(Struct, frozen=True):
    """What PATH refers to: a project folder, its project file if any, and the selected part.

    `selected` are absolute paths of files and folders; empty selects the whole project.
    """

    folder: Folder
    project_file: str | None
    selected: tuple[str, ...] = ()

    def join(self, other: Start) -> Start:
        """Return the selection of both in one project; the whole if one of them selects it."""
        both = self.selected and other.selected
        return replace(self, selected=(*self.selected, *other.selected) if both else ())


def start_from(path: str | os.PathLike[str]) -> Start:
    """Find the project that a path belongs to. Raises ConfigError for an invalid path.

    That is the nearest project file in the folder of the path or above it, up to the root of a
    git checkout. A link outside of a project belongs to the project of its target.
    """
    given = os.fspath(path)
    _check_exists(given)
    full, is_folder = os.path.abspath(given), os.path.isdir(given)
    own = Folder(full, given) if is_folder else Folder(os.path.dirname(full), _show_parent(given))
    root = _find_project_around(own.root) or _find_project_around(
        _get_folder(os.path.realpath(given))
    )
    if root is None:
        return Start(own, None, () if is_folder else (full,))
    if root == own.root and (is_folder or os.path.basename(full) == PROJECT_FILE):
        return Start(own, PROJECT_FILE)
    shown = root if os.path.isabs(given) else os.path.relpath(root)
    return Start(Folder(root, shown), PROJECT_FILE, (full,))


def _show_parent(given: str) -> str:
    return os.path.dirname(given) or "."


def _get_folder(path: str) -> str:
    return path if os.path.isdir(path) else os.path.dirname(path)


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
            fitting = [pattern for pattern in found if fits(path, pattern)]
            close = fitting or [each for each in found if fits(path, each, any_case=True)]
            if refusal := _check_entry(folder, path, close, is_folder=is_folder):
                diagnostics.append(refusal)
            elif is_folder:
                pending += [path] if close else []
            elif not fitting:
                diagnostics += _check_skipped(folder, path, found, close)
            elif path != PROJECT_FILE:
                for pattern in fitting:
                    found[pattern].append(path)
    return found, diagnostics


def find_meter_files(folder: Folder) -> Iterator[tuple[str, bytes]]:
    """Find every file that may declare meters, whatever the patterns, with its content.

    These are hidden files, backups and those of nested projects too. What cannot be read is left
    out: a file that a pattern matches is reported where it is read.
    """
    pending = [""]
    while pending:
        for path in _list_folder(folder, pending.pop(), []):
            full, name = folder.build_path(path), os.path.basename(path).lower()
            if os.path.isdir(full):
                pending += [] if name in _NOT_SEARCHED or os.path.islink(full) else [path]
            elif _LIKE_YAML.search(name) and name != PROJECT_FILE:
                with contextlib.suppress(ConfigError):
                    if b"event_name" in (data := read_file(folder, path)):
                        yield path, data


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


def _check_entry(
    folder: Folder, path: str, close: Sequence[str], *, is_folder: bool
) -> Diagnostic | None:
    """Report a misnamed project file, and in the way of a pattern a linked folder or a project."""
    around, _, name = path.rpartition("/")
    if not is_folder and _MISNAMED.fullmatch(name):
        return _describe_misnamed(folder.show(path), name)
    if close and is_folder and os.path.islink(folder.build_path(path)):
        message = "symbolic links to folders are not followed"
        return codes.LINKED_FOLDER(message, folder.show(path))
    if is_folder or not (close and around) or name != PROJECT_FILE:
        return None
    own = folder.show(around).file
    hint = f"run `reconciler plan {own}`; to use its meter files here, list them under `meters`"
    return codes.PROJECT_WITHIN("this folder is a project of its own", folder.show(path), hint)


def _check_skipped(
    folder: Folder, path: str, patterns: Iterable[str], close: Sequence[str]
) -> Iterator[Diagnostic]:
    """Report a file that would be read but for its case, or the dot at its beginning."""
    around, slash, name = path.rpartition("/")
    plain = around + slash + name.lstrip(".")
    if close:
        pattern = escape_invisible(close[0])
        message = f"the name matches `{pattern}` only if upper and lower case are the same"
        yield codes.OTHER_CASE(message, folder.show(path))
    elif name.startswith(".") and any(globs.matches(plain, each) for each in patterns):
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


def _find_project_around(folder: str) -> str | None:
    """Find the nearest folder with a project file, up to the root of a git checkout.

    Raises ConfigError for a file that only resembles a project file.
    """
    while True:
        exists = os.path.lexists(os.path.join(folder, PROJECT_FILE))
        _check_names(folder, _MISNAMED if exists else _MISNAMED_OR_BACKUP)
        if exists:
            return folder
        above = os.path.dirname(folder)
        if above == folder or os.path.exists(os.path.join(folder, ".git")):
            return None
        folder = above


def _check_names(folder: str, misnamed: re.Pattern[str]) -> None:
    try:
        names = [name for name in sorted(os.listdir(folder)) if misnamed.fullmatch(name)]
    except OSError:
        return  # it is reported where the folder itself is read
    found = [name for name in names if not os.path.isdir(os.path.join(folder, name))]
    if found:
        shown = Folder(folder, os.path.relpath(folder))
        raise ConfigError(*(_describe_misnamed(shown.show(name), name) for name in found))


def _describe_misnamed(location: Location, name: str) -> Diagnostic:
    message = f"the project file must be named {PROJECT_FILE}, not {escape_invisible(name)}"
    return codes.MISNAMED_PROJECT_FILE(message, location)


def _open_without_waiting(path: str, flags: int) -> int:
    # Opening a named pipe would otherwise block until a writer opens it.
    return os.open(path, flags | getattr(os, "O_NONBLOCK", 0))


def _describe_os_error(error: OSError, location: Location) -> Diagnostic:
    reason = (error.strerror or "unknown error").lower()
    return codes.UNREADABLE(f"cannot read: {reason}", location)


def is_outside(name: str) -> bool:
    """Whether a path of a project file leads out of the project folder."""
    drive = name[1:2] == ":"
    return name.startswith(("/", "~", "\\")) or drive or ".." in name.replace("\\", "/").split("/")
