"""Run one command line and return its exit code; here errors become documents."""

from __future__ import annotations

import logging
import os
import traceback
from collections.abc import Iterator
from contextlib import ExitStack, chdir, contextmanager

from ..clock import Clock, SystemClock
from ..diagnostics.codes import usage
from ..diagnostics.errors import Exit, UsageError
from ..render import Document
from ..report.report import AccountReport
from .arguments import Options, Parser, count_verbose, guess_format, has_help_flag
from .commands import COMMANDS, find, overview
from .console import Console
from .context import Command, Context
from .errors import error_report, hide_secrets
from .output import Output, emit, open_output, preview
from .signals import Stop

_QUIT = (
    "ended at once by a second signal: what was sent may have had its effect, and a replacement "
    "may have left its old meter inactive; run apply again, it starts from the current state of "
    "the account"
)


def run(options: list[str]) -> Exit:
    """Run a command line: exactly one document on standard output, whatever happens."""
    options = _command_first(options)
    console, stop = Console(os.environ), Stop()
    output = Output(guess_format(options))
    name = options[0] if options and options[0] in COMMANDS else ""

    def report_interruption() -> None:
        if not console.written:
            error = KeyboardInterrupt(_QUIT) if stop.writing else KeyboardInterrupt()
            emit(error_report(name, error, os.environ), output, console)

    with stop.listening(report_interruption), ExitStack() as stack:
        try:
            if help_text := _help(options):
                console.write_document(help_text)
                return Exit.DONE
            command, parsed = _read(options)
            console.configure(quiet=parsed.quiet, no_color=parsed.no_color)
            stack.enter_context(_directory(parsed.directory))
            clock = SystemClock(stop)
            output = stack.enter_context(open_output(parsed, os.environ, clock))
            with _logged(parsed.verbose, console):
                context = _context(options, output, console, stop, clock)
                document = command.act(parsed, context)
            stop.only_told()
            return emit(document, output, console)
        except (Exception, KeyboardInterrupt) as error:
            stop.only_told()
            _trace(options, error, console)
            return emit(error_report(name, error, os.environ), output, console)


def _command_first(options: list[str]) -> list[str]:
    """Move a leading `-C DIR`, as git and make take it, behind the command."""
    match options:
        case ["-C", directory, command, *rest]:
            return [command, "-C", directory, *rest]
    return options


def _help(options: list[str]) -> str | None:
    """Return the help that is asked for: of the tool, or of a command."""
    if options[:1] == ["help"]:
        options = [*options[1:2], "--help"]
    if has_help_flag(options[:1]):
        return overview()
    return _parser(find(options), options[0]).format_help() if has_help_flag(options) else None


def _read(options: list[str]) -> tuple[Command[Options], Options]:
    command = find(options)
    return command, _parser(command, options[0]).read(options[1:])


def _parser(command: Command[Options], name: str) -> Parser:
    return Parser(name, command.about, command.options, command.formats)


@contextmanager
def _directory(directory: str | None) -> Iterator[None]:
    """Work in the folder of -C; raise UsageError where there is none."""
    with ExitStack() as stack:
        try:
            if directory:
                stack.enter_context(chdir(directory))
        except OSError as error:
            message = f"-C {directory}: {error.strerror}"
            raise UsageError(usage.BAD_OPTIONS(message, hint="give an existing folder")) from None
        yield


def _context(
    options: list[str], output: Output, console: Console, stop: Stop, clock: Clock
) -> Context:
    def announce(document: Document) -> None:
        emit(document, output, console)

    def show(planned: AccountReport) -> None:
        preview(planned, output, console)

    def trace(error: BaseException) -> None:
        _trace(options, error, console)

    targets = output.targets
    return Context(console, os.environ, clock, stop, targets, announce, show, trace)


def _trace(options: list[str], error: BaseException, console: Console) -> None:
    """Print the traceback where -vv asks for it."""
    if count_verbose(options) > 1:
        for line in traceback.format_exception(error):
            for part in hide_secrets(line, os.environ).splitlines():
                console.warn(part)


class _ConsoleHandler(logging.Handler):
    """Writes log records to standard error, without keys."""

    def __init__(self, console: Console) -> None:
        super().__init__()
        self._console = console

    def emit(self, record: logging.LogRecord) -> None:
        """Write one record as one line."""
        self._console.warn(hide_secrets(self.format(record), os.environ))


@contextmanager
def _logged(verbose: int, console: Console) -> Iterator[None]:
    """Log to standard error during a run: requests with -v, everything with -vv."""
    if not verbose:
        yield
        return
    logger, handler = logging.getLogger(__package__.partition(".")[0]), _ConsoleHandler(console)
    before = logger.level
    logger.addHandler(handler)
    logger.setLevel(logging.INFO if verbose == 1 else logging.DEBUG)
    try:
        yield
    finally:
        logger.removeHandler(handler)
        logger.setLevel(before)
