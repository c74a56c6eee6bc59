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
from .arguments import Parser, Words, first_guess, help_wanted, output_words, verbosity
from .commands import VERBS, find, overview
from .console import Screen
from .context import Stage, Verb
from .errors import failed, scrubbed
from .output import Output, emit, outputs, preview
from .signals import Stop

_CUT = (
    "ended at once by a second signal: what was sent may have had its effect, and a replacement "
    "may have left its old meter stopped; run apply again, it starts from what the account holds"
)


def run(words: list[str]) -> Exit:
    """Do what the words ask for: exactly one document on standard output, whatever happens."""
    screen, stop = Screen(os.environ), Stop()
    output = Output(first_guess(words))
    name = words[0] if words and words[0] in VERBS else ""

    def last_words() -> None:
        if not screen.said:
            cut = KeyboardInterrupt(_CUT) if stop.writing else KeyboardInterrupt()
            emit(failed(name, cut, os.environ), output, screen)

    with stop.listening(last_words):
        try:
            if helped := _help(words):
                screen.say(helped)
                return Exit.DONE
            verb, chosen = _read(words)
            screen.settle(quiet=chosen.quiet, no_color=chosen.no_color)
            output = outputs(chosen)
            with _logged(chosen.verbose, screen):
                document = verb.act(chosen, _stage(words, output, screen, stop))
            stop.only_told()
            return emit(document, output, screen)
        except (Exception, KeyboardInterrupt) as error:
            stop.only_told()
            _trace(words, error, screen)
            return emit(failed(name, error, os.environ), output, screen)


def _help(words: list[str]) -> str | None:
    """The help that is asked for: of the command itself, or of a verb."""
    if help_wanted(words[:1]):
        return overview()
    return _parser(find(words), words[0]).format_help() if help_wanted(words) else None


def _read(words: list[str]) -> tuple[Verb[Words], Words]:
    verb = find(words)
    return verb, _parser(verb, words[0]).read(words[1:], verb.words)


def _parser(verb: Verb[Words], name: str) -> Parser:
    parser = Parser(name, verb.about)
    verb.options(parser)
    output_words(parser, verb.formats)
    return parser


def _stage(words: list[str], output: Output, screen: Screen, stop: Stop) -> Stage:
    def announce(document: Document) -> None:
        emit(document, output, screen)

    def show(planned: AccountReport) -> None:
        preview(planned, output, screen)

    def trace(error: BaseException) -> None:
        _trace(words, error, screen)

    return Stage(screen, os.environ, SystemClock(stop.event), stop, announce, show, trace)


def _trace(words: list[str], error: BaseException, screen: Screen) -> None:
    """The traceback, for whoever asked for it."""
    if verbosity(words) > 1:
        for line in traceback.format_exception(error):
            for part in scrubbed(line, os.environ).splitlines():
                screen.warn(part)


class _ToScreen(logging.Handler):
    """Log records as lines on standard error, without keys."""

    def __init__(self, screen: Screen) -> None:
        super().__init__()
        self._screen = screen

    def emit(self, record: logging.LogRecord) -> None:
        """One record, one line."""
        self._screen.warn(scrubbed(self.format(record), os.environ))


@contextmanager
def _logged(verbose: int, screen: Screen) -> Iterator[None]:
    """Our own log on standard error for the time of a run: requests with -v, all with -vv."""
    if not verbose:
        yield
        return
    ours, handler = logging.getLogger(__package__.partition(".")[0]), _ToScreen(screen)
    before = ours.level
    ours.addHandler(handler)
    ours.setLevel(logging.INFO if verbose == 1 else logging.DEBUG)
    try:
        yield
    finally:
        ours.removeHandler(handler)
        ours.setLevel(before)
