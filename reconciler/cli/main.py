"""One command line from words to exit code, and the one place where errors become documents."""

from __future__ import annotations

import logging
import os
import traceback
from collections.abc import Iterator
from contextlib import contextmanager

from ..clock import SystemClock
from ..diagnostics.errors import Exit
from ..render import Document
from ..report.report import AccountReport
from .arguments import Options, Parser, add_output_options, first_guess, help_wanted, verbosity
from .commands import COMMANDS, find, overview
from .console import Console
from .context import Command, Context
from .errors import failed, scrubbed
from .output import Output, emit, outputs, preview
from .signals import Stop

_CUT = (
    "ended at once by a second signal: what was sent may have had its effect, and a replacement "
    "may have left its old meter stopped; run apply again, it starts from what the account holds"
)


def run(options: list[str]) -> Exit:
    """Do what the words ask for: exactly one document on standard output, whatever happens."""
    console, stop = Console(os.environ), Stop()
    output = Output(first_guess(options))
    name = options[0] if options and options[0] in COMMANDS else ""

    def last_words() -> None:
        if not console.said:
            cut = KeyboardInterrupt(_CUT) if stop.writing else KeyboardInterrupt()
            emit(failed(name, cut, os.environ), output, console)

    with stop.listening(last_words):
        try:
            if helped := _help(options):
                console.say(helped)
                return Exit.DONE
            command, chosen = _read(options)
            console.execute_step(quiet=chosen.quiet, no_color=chosen.no_color)
            output = outputs(chosen)
            with _logged(chosen.verbose, console):
                document = command.act(chosen, _stage(options, output, console, stop))
            stop.only_told()
            return emit(document, output, console)
        except (Exception, KeyboardInterrupt) as error:
            stop.only_told()
            _trace(options, error, console)
            return emit(failed(name, error, os.environ), output, console)


def _help(options: list[str]) -> str | None:
    """The help that is asked for: of the command itself, or of a verb."""
    if help_wanted(options[:1]):
        return overview()
    return _parser(find(options), options[0]).format_help() if help_wanted(options) else None


def _read(options: list[str]) -> tuple[Command[Options], Options]:
    command = find(options)
    return command, _parser(command, options[0]).read(options[1:], command.options)


def _parser(command: Command[Options], name: str) -> Parser:
    parser = Parser(name, command.about)
    command.add_options(parser)
    add_output_options(parser, command.formats)
    return parser


def _stage(options: list[str], output: Output, console: Console, stop: Stop) -> Context:
    def announce(document: Document) -> None:
        emit(document, output, console)

    def show(planned: AccountReport) -> None:
        preview(planned, output, console)

    def trace(error: BaseException) -> None:
        _trace(options, error, console)

    return Context(console, os.environ, SystemClock(stop), stop, announce, show, trace)


def _trace(options: list[str], error: BaseException, console: Console) -> None:
    """The traceback, for whoever asked for it."""
    if verbosity(options) > 1:
        for line in traceback.format_exception(error):
            for part in scrubbed(line, os.environ).splitlines():
                console.warn(part)


class _ToScreen(logging.Handler):
    """Log records as lines on standard error, without keys."""

    def __init__(self, console: Console) -> None:
        super().__init__()
        self._screen = console

    def emit(self, record: logging.LogRecord) -> None:
        """One record, one line."""
        self._screen.warn(scrubbed(self.format(record), os.environ))


@contextmanager
def _logged(verbose: int, console: Console) -> Iterator[None]:
    """Our own log on standard error for the time of a run: requests with -v, all with -vv."""
    if not verbose:
        yield
        return
    ours, handler = logging.getLogger(__package__.partition(".")[0]), _ToScreen(console)
    before = ours.level
    ours.addHandler(handler)
    ours.setLevel(logging.INFO if verbose == 1 else logging.DEBUG)
    try:
        yield
    finally:
        ours.removeHandler(handler)
        ours.setLevel(before)
