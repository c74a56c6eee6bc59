"""The only module that prints: one document on standard output, the rest on standard error."""

from __future__ import annotations

import fcntl
import os
import stat
import sys
from _thread import RLock  # `threading` takes longer to import
from contextlib import suppress
from io import RawIOBase

TYPE_CHECKING = False  # as in the package: `typing` takes long to import
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import TextIO

    from ..report.report import AccountReport

_ASCII = str.maketrans({"→": "->", "↻": "^", "…": "...", "✓": "ok"})
_WIDTH, _LEAST_WIDTH = 80, 20


class Console:
    """The two streams and the keyboard of one run. A stream that is closed ends nothing."""

    def __init__(self, environ: Mapping[str, str] | None = None) -> None:
        environ = environ or {}
        self._dumb = environ.get("TERM") == "dumb"
        self._plain = bool(environ.get("NO_COLOR"))
        self._forced = bool(environ.get("FORCE_COLOR"))
        self._columns = environ.get("COLUMNS", "")
        self._quiet = False
        self._status = 0  # lines
        self._turn = RLock()  # lists are read in threads; a signal handler may write
        self.written = self.finished = False  # the document has begun, and has been written
        self.shown: dict[str, AccountReport] = {}  # plans on this terminal already, by account

    def configure(self, *, quiet: bool, no_color: bool) -> None:
        """Apply the options of the command line, once it is parsed."""
        self._quiet = quiet
        self._plain = self._plain or no_color

    @property
    def colours(self) -> bool:
        """Whether to color standard output: NO_COLOR, FORCE_COLOR, TERM=dumb, then a terminal."""
        return self._has_color(sys.stdout)

    @property
    def colours_errors(self) -> bool:
        """The same for standard error."""
        return self._has_color(sys.stderr)

    def _has_color(self, stream: TextIO | None) -> bool:
        if self._plain or self._forced:
            return not self._plain
        return not self._dumb and _is_terminal(stream)

    @property
    def width(self) -> int:
        """The columns of the terminal: COLUMNS, else those of a stream that is one, else 80."""
        if self._columns.isascii() and self._columns.isdigit() and int(self._columns):
            return max(int(self._columns), _LEAST_WIDTH)
        for stream in (sys.stdout, sys.stderr):
            with suppress(OSError, ValueError, AttributeError):
                if columns := os.get_terminal_size(stream.fileno()).columns:
                    return max(columns, _LEAST_WIDTH)
        return _WIDTH

    @property
    def interactive(self) -> bool:
        """Whether a question can be asked and answered."""
        return _is_terminal(sys.stdin) and _is_terminal(sys.stderr)

    @property
    def shows_progress(self) -> bool:
        """Whether standard error can show a line that changes."""
        return _is_terminal(sys.stderr) and not (self._quiet or self._plain or self._dumb)

    @property
    def shares_terminal(self) -> bool:
        """Whether standard output and standard error are the same terminal."""
        return all(map(_is_terminal, (sys.stdout, sys.stderr))) and _is_same_device(
            sys.stdout, sys.stderr
        )

    @property
    def quiet(self) -> bool:
        """Whether only warnings and errors are wanted."""
        return self._quiet

    def escape_unencodable(self, text: str) -> str:
        """Return YAML with escape sequences for what standard output cannot encode."""
        encoding = getattr(sys.stdout, "encoding", None) or "utf-8"
        return text.encode(encoding, "backslashreplace").decode(encoding)

    @property
    def empty_output_file(self) -> str | None:
        """The file that a shell created for standard output, where the system tells its path."""
        with suppress(OSError, ValueError, AttributeError):
            descriptor = sys.stdout.fileno()
            found, path = os.fstat(descriptor), _find_path(descriptor)
            if stat.S_ISREG(found.st_mode) and not found.st_size:
                return path if path and os.path.samestat(found, os.stat(path)) else None
        return None

    def write_beginning(self, text: str) -> None:
        """Write the first part of the document, before its end is known."""
        self.clear_status()
        _write(sys.stdout, text)

    def write_document(self, *parts: str) -> str | None:
        """Write the whole document. Return why it is lost, if it is; a closed pipe is no error."""
        with self._turn:
            self.clear_status()
            self.written = True
        why = _write(sys.stdout, *parts)
        self.finished = True
        return why

    def inform(self, text: str) -> None:
        """Write a line to standard error, unless --quiet is given."""
        if not self._quiet:
            self.warn(text)

    def warn(self, text: str) -> None:
        """Write a line to standard error, also with --quiet."""
        from ..render.escape import clean

        self.show(f"{clean(text)}\n")

    def show(self, text: str) -> None:
        """Write text to standard error that a renderer has escaped already."""
        self.clear_status()
        _write(sys.stderr, text)

    def show_status(self, *lines: str) -> None:
        """Replace the progress lines, where standard error can show some, until the document."""
        if not self.shows_progress:
            return
        from ..render.escape import clean

        shown = "\n".join(f"\x1b[K{clean(line)[: self.width - 1]}" for line in lines)
        with self._turn:
            if not self.written:
                _write(sys.stderr, f"{self._erase()}{shown}")
                self._status = len(lines)

    def clear_status(self) -> None:
        """Remove the progress lines."""
        with self._turn:
            if self._status:
                _write(sys.stderr, f"{self._erase()}\x1b[K")
                self._status = 0

    def _erase(self) -> str:
        """Return what leads to the first of the progress lines, and erases the others."""
        return "\r" + "\x1b[K\x1b[1A" * (self._status - 1)

    @property
    def errors(self) -> TextIO:
        """Standard error itself, for what writes lines as they come."""
        return sys.stderr

    @property
    def keyboard(self) -> TextIO:
        """Standard input itself."""
        return sys.stdin

    def ask(self, question: str) -> str:
        """Ask and return the answer, empty at the end of input; leave the cursor on a new line."""
        self.clear_status()
        typed = ""
        try:
            _write(sys.stderr, question)
            _wait_for_line()
            typed = sys.stdin.readline()
        finally:
            if not typed.endswith("\n"):
                _write(sys.stderr, "\n")
        return typed.strip()


def _find_path(descriptor: int) -> str | None:
    """Return the path of an open file: from /proc, or as macOS reports it."""
    if name := getattr(fcntl, "F_GETPATH", None):
        return fcntl.fcntl(descriptor, name, bytes(1024)).rstrip(b"\0").decode()
    path = f"/proc/self/fd/{descriptor}"
    return os.path.realpath(path) if os.path.exists(path) else None


def _wait_for_line() -> None:
    """Wait until a line was typed; signals are handled meanwhile."""
    from select import select

    from ..threads import LONGEST_WAIT

    while _is_terminal(sys.stdin) and not select([sys.stdin], [], [], LONGEST_WAIT)[0]:
        pass


def _is_terminal(stream: TextIO | None) -> bool:
    try:
        return stream is not None and stream.isatty()
    except ValueError:  # closed
        return False


def _is_same_device(one: TextIO, other: TextIO) -> bool:
    try:
        return os.fstat(one.fileno()).st_rdev == os.fstat(other.fileno()).st_rdev
    except (OSError, ValueError):
        return False


def _write(stream: TextIO | None, *parts: str) -> str | None:
    """Write all of it; return why not where that fails, except for a closed pipe."""
    if stream is None:
        return None
    try:
        fitting = (_replace_unencodable(text, stream.encoding or "utf-8") for text in parts)
        if isinstance(getattr(stream, "buffer", None), RawIOBase):
            for text in fitting:
                _write_raw(stream, text)
        else:
            stream.writelines(fitting)
            stream.flush()
    except OSError as error:
        with suppress(OSError, ValueError):
            # so that the interpreter's own flush at exit does not fail
            os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
        return None if isinstance(error, BrokenPipeError) else error.strerror or str(error)
    except (ValueError, RuntimeError):  # closed; or, by a signal, amid another line
        return None
    return None


def _write_raw(stream: TextIO, text: str) -> None:
    """Write all of it under `python -u`, whose streams drop what a signal interrupts."""
    data = memoryview(text.encode(stream.encoding or "utf-8", "surrogateescape"))
    while data:
        data = data[stream.buffer.write(data) :]


def _replace_unencodable(text: str, encoding: str) -> str:
    """Return the text in characters that the encoding has."""
    try:
        text.encode(encoding)
    except UnicodeEncodeError:
        return text.translate(_ASCII).encode(encoding, "backslashreplace").decode(encoding)
    return text
