"""Run one command line and return its exit code; here errors become documents."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import ExitStack, chdir, contextmanager

from ..clock import SystemClock
from ..diagnostics.codes import usage
from ..diagnostics.errors import Exit, UsageError
from ..diagnostics.explain_error import hide_secrets
from .arguments import Options, Parser, count_verbose, guess_format, has_help_flag
from .commands import COMMANDS, find_command, format_overview
from .console import Console
from .context import Command, Context
from .errors import build_error_report, trace
from .files import Target
from .output import Output, StreamWriter, emit, open_output
from .read_ahead import ReadAhead
from .signals import Stop, find_interruption, keep_report

_QUIT = (
    "ended at once by a second signal: what was sent may have had its effect, and a replacement "
    "may have left its old meter inactive; run apply again, it starts from the current state of "
    "the account"
)


def run(options: list[str]) -> Exit:
    """Run a command line: exactly one document on standard output, whatever happens."""
    it = _Run(_move_directory(options))
    stop, console = it.stop, it.console
    with stop.listening(it.report_interruption, lambda: console.finished), ExitStack() as stack:
        try:
            try:
                return it.act(stack)
            except Exception as error:
                return it.report_error(find_interruption(error))
        except KeyboardInterrupt as error:  # also amid the handling of another error
            return it.report_error(error)


class _Run:
    """One command line, and what its report needs wherever it ends."""

    def __init__(self, options: list[str]) -> None:
        self.options = options
        self.console, self.stop = Console(os.environ), Stop()
        self.output = Output(guess_format(options), verbosity=count_verbose(options))
        self.name = options[0] if options and options[0] in COMMANDS else ""

    def act(self, stack: ExitStack) -> Exit:
        """Run the command, and write its document."""
        console, stop = self.console, self.stop
        stop.raise_on_signal()
        if help_text := _find_help(self.options):
            stop.begin_report()
            console.write_document(help_text)
            return Exit.DONE
        command, parsed = _read(self.options)
        parsed = parsed.read_environment(os.environ)
        console.configure(quiet=parsed.quiet, no_color=parsed.no_color)
        stack.enter_context(_directory(parsed.directory))
        clock = SystemClock(stop)
        self.output = stack.enter_context(open_output(parsed, os.environ, clock))
        with _logged(parsed.verbose, console):
            ahead = stack.enter_context(ReadAhead(console, os.environ, clock, stop))
            context = Context(console, os.environ, clock, stop, self.output, ahead)
            document = command.act(parsed, context)
        stop.begin_report()
        stop.complete = keep_report  # an error of the rendering must not come again
        return emit(document, self.output, console)

    def report_error(self, error: Exception | KeyboardInterrupt) -> Exit:
        """Write the document of a run that ended early."""
        self.stop.begin_report()
        trace(error, self.output, self.console)
        return self._write(error)

    def report_interruption(self) -> None:
        """Write the document of a run that the second signal ends."""
        if not self.console.written:
            losses = list(self.stop.losses.values())
            quit_now = (_QUIT, *losses) if self.stop.is_writing() else ()
            self._write(KeyboardInterrupt(*quit_now), Target.write_at_once)

    def _write(self, error: Exception | KeyboardInterrupt, *write: StreamWriter) -> Exit:
        document = self.stop.complete(build_error_report(self.name, error, os.environ))
        return emit(document, self.output, self.console, *write)


def _move_directory(options: list[str]) -> list[str]:
    """Move a leading `-C DIR`, as git and make take it, behind the command."""
    match options:
        case ["-C", directory, command, *rest]:
            return [command, "-C", directory, *rest]
    return options


def _find_help(options: list[str]) -> str | None:
    """Return the help that is asked for: of the tool, or of a command."""
    if options[:1] == ["help"]:
        options = [*options[1:2], "--help"]
    if has_help_flag(options[:1]):
        return format_overview()
    if has_help_flag(options):
        return _build_parser(find_command(options), options[0]).format_help()
    return None


def _read(options: list[str]) -> tuple[Command[Options], Options]:
    command = find_command(options)
    return command, _build_parser(command, options[0]).read(options[1:])


def _build_parser(command: Command[Options], name: str) -> Parser:
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


class _LogLines:
    """Writes log records to standard error, each as one line without keys."""

    def __init__(self, console: Console) -> None:
        self._console = console

    def write(self, record: str) -> None:
        """Write one record."""
        self._console.warn(hide_secrets(record, os.environ))


@contextmanager
def _logged(verbose: int, console: Console) -> Iterator[None]:
    """Log to standard error during a run: requests with -v, everything with -vv."""
    if not verbose:
        yield
        return
    import logging  # other runs start faster without

    logger = logging.getLogger(__package__.partition(".")[0])
    handler = logging.StreamHandler(_LogLines(console))
    handler.terminator = ""
    before = logger.level
    logger.addHandler(handler)
    logger.setLevel(logging.INFO if verbose == 1 else logging.DEBUG)
    try:
        yield
    finally:
        logger.removeHandler(handler)
        logger.setLevel(before)
