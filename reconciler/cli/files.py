"""Write the files of --out and --save: checked before the run, and whole or not at all."""

from __future__ import annotations

import errno
import fcntl
import os
import re
import stat
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from ..clock import Clock
from ..diagnostics.codes import environment, usage
from ..diagnostics.diagnostic import Diagnostic, Location
from ..diagnostics.errors import ConfigError, ReconcilerError, UsageError

_READER_SECONDS, _READER_POLL = 5.0, 0.05  # how long a FIFO waits for a reader, how often it looks
_DESCRIPTOR = re.compile(r"(?:/dev|/proc/self)/fd/(\d+)")
_STREAMS = {"/dev/stdout": 1, "/dev/stderr": 2}

SAVED_PLAN = "pass the file that `reconciler plan --save` wrote"
"""What to do where the file to read is a saved plan."""

SAVED_PLANS = "pass the folder that `reconciler plan --save FOLDER` wrote"
"""What to do where a folder has no saved plans."""


class FileError(ReconcilerError):
    """A file of --out or --save cannot be written."""


class Target:
    """A file that is to be written once, or a stream that is open already."""

    def __init__(self, file: str, mode: int, descriptor: int | None = None) -> None:
        self._file = file
        self._mode = mode
        self._descriptor = descriptor
        self.is_stream = descriptor is not None

    def write(self, *parts: str) -> None:
        """Replace the file, or write to the stream and close it; raise FileError."""
        try:
            if not self.is_stream:
                replace(Path(self._file), parts, self._mode)
            elif self._descriptor is not None:
                descriptor, self._descriptor = self._descriptor, None
                with open(descriptor, "w", encoding="utf-8") as stream:
                    stream.writelines(parts)
        except OSError as error:
            raise FileError(describe_unwritable(self._file, error.strerror or str(error))) from None

    def write_at_once(self, *parts: str) -> None:
        """Write to a stream what its reader takes without a wait."""
        if self._descriptor is not None:
            os.set_blocking(self._descriptor, False)
            with suppress(OSError):
                data = "".join(parts).encode()
                while data:
                    data = data[os.write(self._descriptor, data) :]
            self.close()

    def close(self) -> None:
        """Close a stream to which nothing was written."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None


def open_target(file: str, mode: int, clock: Clock, *, append: bool = False) -> Target:
    """Check that a file can be written, and open it if it is a stream; raise UsageError.

    Streams are pipes, devices, open descriptors, and with `append` a regular file.
    """
    refuse_protected(file)
    try:
        return Target(file, mode, _open_stream(file, clock, append=append))
    except OSError as error:
        raise UsageError(describe_unwritable(file, error.strerror or str(error))) from None


def replace_file(file: str, text: str) -> None:
    """Replace a file that exists, whole or not at all; raise FileError."""
    try:
        replace(Path(file), (text,), 0o600)
    except OSError as error:
        raise FileError(describe_unwritable(file, error.strerror or str(error))) from None


def is_same_file(file: str, other: str) -> bool:
    """Whether two names are one file."""
    if os.path.realpath(file) == os.path.realpath(other):
        return True
    return os.path.exists(file) and os.path.exists(other) and os.path.samefile(file, other)


def is_json_file_of(file: str, folder: str) -> bool:
    """Whether a file, which may not exist yet, is a JSON file directly in a folder."""
    real = os.path.realpath(file)
    is_json = real.lower().endswith(".json")
    return is_json and os.path.isdir(folder) and os.path.samefile(os.path.dirname(real), folder)


def read(file: str, hint: str = "") -> str:
    """Return the text of a file that a user named; raise ConfigError, with a hint of its own."""
    try:
        return Path(file).read_bytes().decode()
    except UnicodeDecodeError:
        message = "not UTF-8 text"
    except OSError as error:
        message = error.strerror or str(error)
    message = f"cannot be read: {message}"
    raise ConfigError(environment.FILE_UNREADABLE(message, Location(file), hint))


def describe_unwritable(file: str, why: str) -> Diagnostic:
    """Return the diagnostic of a file that cannot be written."""
    return environment.FILE_UNWRITABLE(f"cannot be written: {why}", Location(file))


def refuse_protected(file: str) -> None:
    """Raise UsageError for a file that a mistake in the command line must not replace."""
    real = Path(os.path.realpath(file))
    if {Path(file).suffix.lower(), real.suffix.lower()} & {".yaml", ".yml"}:
        raise UsageError(usage.PROTECTED_FILE(f"{file}: --out and --save do not write YAML files"))
    if ".reconciler" in [part.lower() for part in real.parent.parts]:
        message = f"{file}: --out and --save do not write to .reconciler/"
        raise UsageError(usage.PROTECTED_FILE(message))
    outside = not real.is_relative_to(os.path.realpath(os.path.dirname(file)))
    if os.path.islink(file) and outside and (real.is_file() or not real.exists()):
        if file in _STREAMS or _DESCRIPTOR.fullmatch(file):
            return
        message = f"{file} is a link to {real}, outside the folder that holds the link"
        raise UsageError(usage.PROTECTED_FILE(message))


def _open_stream(file: str, clock: Clock, *, append: bool) -> int | None:
    """Return the descriptor of a stream; None for a file to be replaced, which is only tried."""
    number = _DESCRIPTOR.fullmatch(file)
    if file in _STREAMS or number:
        return _copy_descriptor(int(number[1]) if number else _STREAMS[file])
    with suppress(FileNotFoundError):
        mode = os.stat(file).st_mode
        if stat.S_ISFIFO(mode):
            return _open_fifo(file, clock)
        if append or not (stat.S_ISREG(mode) or stat.S_ISDIR(mode)):
            return os.open(file, os.O_WRONLY | (os.O_APPEND if append else 0))
        if stat.S_ISDIR(mode):
            raise IsADirectoryError(errno.EISDIR, "it is a folder")
    draft, descriptor = create_draft(Path(file).resolve(), 0o600)
    os.close(descriptor)
    draft.unlink()
    return None


def _copy_descriptor(number: int) -> int:
    """Return a copy of a descriptor that is open for writing."""
    if fcntl.fcntl(number, fcntl.F_GETFL) & os.O_ACCMODE == os.O_RDONLY:
        raise OSError(errno.EBADF, "it is open for reading only")
    return os.dup(number)


def _open_fifo(file: str, clock: Clock) -> int:
    """Open a FIFO once a process reads it, within a few seconds."""
    deadline = clock.monotonic() + _READER_SECONDS
    while True:
        try:
            descriptor = os.open(file, os.O_WRONLY | os.O_NONBLOCK)
        except OSError as error:
            if error.errno != errno.ENXIO:
                raise
            if clock.monotonic() >= deadline:
                raise OSError(errno.ENXIO, "no process reads this pipe") from None
            clock.sleep(_READER_POLL)
        else:
            os.set_blocking(descriptor, True)
            return descriptor


def create_draft(path: Path, mode: int) -> tuple[Path, int]:
    """Create a file with an unpredictable name beside another, following no link."""
    draft = path.with_name(f".reconciler-{os.urandom(8).hex()}")
    return draft, os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, mode)


def replace(path: Path, parts: Iterable[str], mode: int) -> None:
    """Write a draft beside the file and rename it when it is complete; keep the file's mode."""
    path = path.resolve()
    draft, descriptor = create_draft(path, mode)
    try:
        with open(descriptor, "w", encoding="utf-8") as stream:
            with suppress(FileNotFoundError):
                os.fchmod(descriptor, stat.S_IMODE(path.stat().st_mode))
            stream.writelines(parts)
            stream.flush()
            os.fsync(descriptor)
        draft.replace(path)
    except BaseException:
        with suppress(OSError):
            draft.unlink()
        raise
