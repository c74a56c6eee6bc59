"""The only place that prints: one document on standard output, the rest on standard error."""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from io import RawIOBase

TYPE_CHECKING = False  # as in the package: `typing` takes long to import
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import TextIO

    from ..report.report import AccountReport

_ASCII = str.maketrans({"→": "->", "↻": "^", "…": "...", "✓": "ok"})


class Console:
    """The two streams and the keyboard of one run. Whoever stops reading them stops nothing."""

    def __init__(self, environ: Mapping[str, str] | None = None) -> None:
        self._plain = bool((environ or {}).get("NO_COLOR"))
        self._quiet = False
        self.said = False
        self.shown: dict[str, AccountReport] = {}  # plans on the one terminal already, by account

    def execute_step(self, *, quiet: bool, no_color: bool) -> None:
        """Take the wishes of the command line, once it is read."""
        self._quiet = quiet
        self._plain = self._plain or no_color

    @property
    def colours(self) -> bool:
        """Whether standard output wants colours: a terminal, and nobody objects."""
        return not self._plain and _terminal(sys.stdout)

    @property
    def colours_aside(self) -> bool:
        """The same of standard error."""
        return not self._plain and _terminal(sys.stderr)

    @property
    def interactive(self) -> bool:
        """Whether there is somebody to ask."""
        return _terminal(sys.stdin) and _terminal(sys.stderr)

    @property
    def shows_progress(self) -> bool:
        """Whether somebody would look at a bar that moves on standard error."""
        return self.colours_aside and not self._quiet

    @property
    def one_terminal(self) -> bool:
        """Whether standard output and standard error are on the screen of the same person."""
        return _terminal(sys.stdout) and _terminal(sys.stderr) and _same(sys.stdout, sys.stderr)

    def begin(self, text: str) -> None:
        """Write the first part of the document, before it is known how it ends."""
        _write(sys.stdout, text)

    def say(self, text: str) -> str | None:
        """Write the document: once, whole. Why it is lost, if it is; a closed pipe is no error."""
        self.said = True
        return _write(sys.stdout, text)

    def note(self, text: str) -> None:
        """One line for people on standard error, unless they want quiet."""
        if not self._quiet:
            self.warn(text)

    def warn(self, text: str) -> None:
        """One line for people on standard error, wanted or not."""
        from ..render.escape import clean

        _write(sys.stderr, f"{clean(text)}\n")

    def show(self, text: str) -> None:
        """Lines for people on standard error that a renderer has cleaned already."""
        _write(sys.stderr, text)

    @property
    def aside(self) -> TextIO:
        """Standard error itself, for whoever writes lines as they come."""
        return sys.stderr

    @property
    def keyboard(self) -> TextIO:
        """Standard input itself."""
        return sys.stdin

    def ask(self, question: str) -> str:
        """What is typed in answer; nothing at the end of input. What follows begins a line."""
        typed = ""
        try:
            _write(sys.stderr, question)
            typed = sys.stdin.readline()
        finally:
            if not typed.endswith("\n"):
                _write(sys.stderr, "\n")
        return typed.strip()


def _terminal(stream: TextIO | None) -> bool:
    try:
        return stream is not None and stream.isatty()
    except ValueError:  # closed
        return False


def _same(one: TextIO, other: TextIO) -> bool:
    try:
        return os.fstat(one.fileno()).st_rdev == os.fstat(other.fileno()).st_rdev
    except (OSError, ValueError):
        return False


def _write(stream: TextIO | None, text: str) -> str | None:
    """Write all of it; the reason where that was not possible, unless nobody listens."""
    if stream is None:
        return None
    try:
        fitting = _fitting(text, stream.encoding or "utf-8")
        if isinstance(getattr(stream, "buffer", None), RawIOBase):
            _write_raw(stream, fitting)
        else:
            stream.write(fitting)
            stream.flush()
    except OSError as error:
        with suppress(OSError, ValueError):
            # so that the interpreter's own flush at the end finds somebody who listens
            os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
        return None if isinstance(error, BrokenPipeError) else error.strerror or str(error)
    except (ValueError, RuntimeError):  # closed; or, by a signal, amid another line
        return None
    return None


def _write_raw(stream: TextIO, text: str) -> None:
    """Write all of it under `python -u`, whose streams forget what a signal cuts off."""
    data = memoryview(text.encode(stream.encoding or "utf-8", "surrogateescape"))
    while data:
        data = data[stream.buffer.write(data) :]


def _fitting(text: str, encoding: str) -> str:
    """The text in characters that the stream can take."""
    try:
        text.encode(encoding)
    except UnicodeEncodeError:
        return text.translate(_ASCII).encode(encoding, "backslashreplace").decode(encoding)
    return text
