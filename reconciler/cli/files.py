"""Files that a run writes for its user: whole or not at all."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from ..diagnostics.codes import environment, usage
from ..diagnostics.diagnostic import Diagnostic, Location
from ..diagnostics.errors import ConfigError, ReconcilerError, UsageError
from ..history import journal

PUBLIC, PRIVATE = 0o666, 0o600  # less what the umask takes away


class FileError(ReconcilerError):
    """A file that a run should write for its user cannot be written."""


def writable(file: str) -> None:
    """Raise FileError, before anything is done, for a place that cannot take a file."""
    folder = Path(file).parent
    if Path(file).is_dir():
        raise FileError(unwritable(file, "it is a folder"))
    if not folder.is_dir():
        raise FileError(unwritable(file, f"there is no folder {folder}"))
    if not os.access(folder, os.W_OK):
        raise FileError(unwritable(file, f"the folder {folder} may not be written"))


def spare(written: Iterable[str], read: Iterable[str]) -> None:
    """Raise UsageError for a file to be written that the run itself depends on."""
    kept = {mark for file in read for mark in _marks(file)}
    for file in written:
        if _is_journal(file) or not kept.isdisjoint(_marks(file)):
            raise UsageError(usage.OVER_A_SOURCE(f"{file} is read or kept by this very run"))


def same(file: str, other: str) -> bool:
    """Whether two names are, or would be, one file."""
    return not _marks(file).isdisjoint(_marks(other))


def _marks(file: str) -> set[object]:
    """What tells a file from every other, however it is called: its real path, its inode."""
    marks: set[object] = {os.path.realpath(file)}
    with suppress(OSError):
        found = os.stat(file)
        marks.add((found.st_dev, found.st_ino))
    return marks


def _is_journal(file: str) -> bool:
    folder, name = os.path.split(os.path.realpath(file))
    return os.path.basename(folder) == ".reconciler" and name.startswith(journal.NAME)


def write(file: str, text: str, mode: int = PUBLIC) -> None:
    """Replace a file at once by its new text; a pipe or a device is written straight away.

    Raises FileError.
    """
    path = Path(file).resolve()
    try:
        if path.exists() and not path.is_file():
            path.write_text(text, "utf-8")
            return
        _replace(path, text, mode)
    except OSError as error:
        raise FileError(unwritable(file, error.strerror or str(error))) from None


def read(file: str) -> str:
    """The text of a file that a user named; raises ConfigError."""
    try:
        return Path(file).read_text("utf-8")
    except UnicodeDecodeError:
        message = "it is not UTF-8 text"
    except OSError as error:
        message = error.strerror or str(error)
    raise ConfigError(environment.FILE_UNREADABLE(f"cannot be read: {message}", Location(file)))


def unwritable(file: str, why: str) -> Diagnostic:
    """The problem of a file that cannot be written."""
    return environment.FILE_UNWRITABLE(f"cannot be written: {why}", Location(file))


def _replace(path: Path, text: str, mode: int) -> None:
    """Write a draft beside the file and move it there when it is whole.

    Nobody can know the draft's name beforehand, and no link is followed that stands there.
    """
    draft = path.with_name(f".reconciler-{secrets.token_hex(8)}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, mode)
    try:
        with open(descriptor, "w", encoding="utf-8") as stream:
            stream.write(text)
            stream.flush()
            os.fsync(descriptor)
        draft.replace(path)
    except BaseException:
        with suppress(OSError):
            draft.unlink()
        raise
