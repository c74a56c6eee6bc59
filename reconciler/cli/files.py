"""Files that a run writes for its user: whole or not at all."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

from ..codes import environment
from ..problem import ConfigError, Location, Problem, ReconcilerError

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


def unwritable(file: str, why: str) -> Problem:
    """The problem of a file that cannot be written."""
    return environment.FILE_UNWRITABLE(f"cannot be written: {why}", Location(file))


def _replace(path: Path, text: str, mode: int) -> None:
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode)
        with open(descriptor, "w", encoding="utf-8") as stream:
            stream.write(text)
            stream.flush()
            os.fsync(descriptor)
        draft.replace(path)
    except OSError:
        with suppress(OSError):
            draft.unlink()
        raise
