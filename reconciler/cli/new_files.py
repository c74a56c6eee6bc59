"""Create files that do not exist yet: whole or not at all, and all of them or none."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path

from ..diagnostics.codes import environment
from ..diagnostics.diagnostic import Location
from .files import FileError, create_draft, describe_unwritable

_NO_LINKS = (errno.EPERM, errno.EOPNOTSUPP, errno.ENOTSUP, errno.ENOSYS, errno.EMLINK)


def create_files(contents: Mapping[str, str], finish: Callable[[], None] = lambda: None) -> None:
    """Create every file, in this order, and finish; where that fails, remove what was created.

    Raise FileError where a file exists already, or cannot be created.
    """
    created: list[Path] = []
    file = ""
    try:
        for file, text in contents.items():
            path = Path(file)
            created += _create_folders(path.parent)
            _create(path, text)
            created.append(path)
        finish()
    except BaseException as error:
        for path in reversed(created):
            with suppress(OSError):
                path.rmdir() if path.is_dir() else path.unlink()
        if isinstance(error, OSError):
            raise _describe(file, error) from None
        raise


def _describe(file: str, error: OSError) -> FileError:
    if isinstance(error, FileExistsError):
        return FileError(environment.FILE_EXISTS("exists already", Location(file)))
    return FileError(describe_unwritable(file, error.strerror or str(error)))


def _create_folders(folder: Path) -> list[Path]:
    """Create a folder and those around it; return the created ones, outermost first."""
    missing = [each for each in (folder, *folder.parents) if not each.exists()]
    for each in reversed(missing):
        each.mkdir()
    return missing[::-1]


def _create(path: Path, text: str) -> None:
    """Write a draft beside the file, and link it to its name when it is complete."""
    draft, descriptor = create_draft(path, 0o666)
    try:
        with open(descriptor, "w", encoding="utf-8") as stream:
            stream.write(text)
            stream.flush()
            os.fsync(descriptor)
        try:
            os.link(draft, path)
        except OSError as error:
            if error.errno not in _NO_LINKS:
                raise
            _rename(draft, path)
    finally:
        with suppress(OSError):
            draft.unlink()


def _rename(draft: Path, path: Path) -> None:
    """Rename the draft where the file system has no hard links."""
    if os.path.lexists(path):
        raise FileExistsError(errno.EEXIST, "it exists already")
    draft.rename(path)
