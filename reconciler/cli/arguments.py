"""Parse the options of a command line; those that all commands share are declared here."""

from __future__ import annotations

import argparse
import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, NoReturn, TypeVar

from ..diagnostics.codes import usage
from ..diagnostics.errors import UsageError
from ..diagnostics.suggest import suggest
from ..render import FORMATS

PUBLIC, PRIVATE = 0o666, 0o600  # modes of new files; the umask is subtracted
_STDOUT = ("-", "/dev/stdout", "/dev/fd/1")


@dataclass(frozen=True, slots=True)
class Out:
    """One place for the document: a format, and a file or `-` for standard output."""

    format: str
    file: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """The options of every command. `verbose` counts the -v."""

    format: str | None = None
    out: tuple[Out, ...] = ()
    quiet: bool = False
    no_color: bool = False
    verbose: int = 0
    directory: str | None = None

    def writes(self) -> tuple[tuple[str, int], ...]:
        """Return the files that the run writes for its user, each with the mode of a new one."""
        return tuple((out.file, PUBLIC) for out in self.out if out.file != "-")


@dataclass(frozen=True, slots=True, kw_only=True)
class ProjectOptions(Options):
    """The options of a command that reads a project: its folder or file, and account names."""

    path: str = "."
    account: tuple[str, ...] = ()

    @property
    def path_from_start(self) -> str:
        """The path as seen from the folder that the run was started in, without -C."""
        return os.path.join(self.directory, self.path) if self.directory else self.path


@dataclass(frozen=True, slots=True, kw_only=True)
class ScopedOptions(ProjectOptions):
    """The options of a command that can be limited to some event_names."""

    only: tuple[str, ...] = ()


OptionsT = TypeVar("OptionsT", bound=Options)

_YES = "did you mean --yes?"
_ONLY = "did you mean --only PATTERN?"
_PLAN = "`reconciler plan` shows what apply would do, and writes nothing to Stripe"
_VERSION = "did you mean `reconciler --version`?"
FOREIGN_OPTIONS = {
    "-auto-approve": _YES,
    "--auto-approve": _YES,
    "--doit": _YES,
    "-y": _YES,
    "-target": _ONLY,
    "--target": _ONLY,
    "-out": "did you mean `reconciler plan --save FILE`?",
    "-chdir": "did you mean -C DIR?",
    "--chdir": "did you mean -C DIR?",
    "--dry-run": _PLAN,
    "-n": _PLAN,
    "--version": _VERSION,
    "-version": _VERSION,
    "-V": _VERSION,
    "-json": "did you mean --format json?",
    "--json": "did you mean --format json?",
}
"""Options of similar tools, each with what to use here."""


class Parser(argparse.ArgumentParser):
    """argparse, except that errors are a UsageError and it neither prints nor exits."""

    def __init__(self, command: str, about: str) -> None:
        super().__init__(
            prog=f"reconciler {command}",
            description=about,
            formatter_class=argparse.RawDescriptionHelpFormatter,
            add_help=False,
            allow_abbrev=False,
        )

    def error(self, message: str) -> NoReturn:
        """Raise UsageError instead of exiting with 2, which means changes here."""
        hint = f"see `{self.prog} --help`"
        for word in message.partition("unrecognized arguments: ")[2].split():
            if word.startswith("-") and (close := suggest(word.partition("=")[0], self._known())):
                hint = f"did you mean {close}? {hint}"
        raise UsageError(usage.BAD_OPTIONS(message, hint=hint))

    def read(self, options: Sequence[str], into: type[OptionsT]) -> OptionsT:
        """Return the options as the dataclass of a command; raise UsageError."""
        for word in options:
            name = word.partition("=")[0]
            if name in FOREIGN_OPTIONS and name not in self._known():
                message, hint = f"there is no option {name}", FOREIGN_OPTIONS[name]
                raise UsageError(usage.BAD_OPTIONS(message, hint=hint))
        found = vars(self.parse_args(options))
        found.pop("help")
        plain: dict[str, Any] = {
            k: tuple(v) if isinstance(v, list) else v for k, v in found.items()
        }
        return into(**plain)

    def _known(self) -> list[str]:
        return [option for action in self._actions for option in action.option_strings]


def add_output_options(parser: Parser, formats: tuple[str, ...]) -> None:
    """Add the options of every command: where the document goes, and what else is printed."""
    group, named = parser.add_argument_group("output"), ", ".join(formats)

    def format_(word: str) -> str:
        return _format(word, parser.prog, formats)

    def out(word: str) -> Out:
        name, equals, file = word.partition("=")
        if not equals or not file:
            raise argparse.ArgumentTypeError(f"{word!r} is not FORMAT=FILE")
        return Out(format_(name), "-" if file in _STDOUT else file)

    group.add_argument(
        "--format", type=format_, metavar="FORMAT", help=f"format of standard output: {named}"
    )
    group.add_argument(
        "--out",
        type=out,
        action="append",
        default=[],
        metavar="FORMAT=FILE",
        help="also write the document to a file (-: standard output); repeatable",
    )
    _add_display_options(group)


def _add_display_options(group: argparse._ArgumentGroup) -> None:
    add = group.add_argument
    add("--quiet", action="store_true", help="hide progress and informational messages")
    add("--no-color", action="store_true", help="do not use colors, as with NO_COLOR")
    verbose = "list everything, log requests; -vv: also tracebacks"
    add("-v", dest="verbose", action="count", default=0, help=verbose)
    add("-C", dest="directory", metavar="DIR", help="run as if started in this folder")
    add("-h", "--help", action="store_true", help="show this help")


def add_project_options(parser: Parser) -> None:
    """Add the project and the accounts."""
    parser.add_argument(
        "path",
        nargs="?",
        default=".",
        metavar="PATH",
        help="a project folder or one meter file (default: the current folder)",
    )
    parser.add_argument(
        "--account",
        action="append",
        default=[],
        metavar="NAME",
        help="an account of the project; repeatable; optional if there is only one",
    )


def add_scope_options(parser: Parser) -> None:
    """Add the patterns of event_names."""
    parser.add_argument(
        "--only",
        action="append",
        default=[],
        metavar="PATTERN",
        help="only event_names that match the glob, e.g. 'ai_*'; repeatable; undeclared meters "
        "are not evaluated",
    )


def asks_for_help(options: Sequence[str]) -> bool:
    """Whether help is asked for, whatever the other options are."""
    return "-h" in options or "--help" in options


def guess_format(options: Sequence[str]) -> str:
    """Return the format of standard output as far as it shows in options not parsed yet."""
    for word, after in pairwise([*options, ""]):
        name, equals, value = word.partition("=")
        found = value if equals else after
        if name == "--out":
            found, _, file = found.partition("=")
            if file not in _STDOUT:
                continue
        elif name != "--format":
            continue
        if found in FORMATS:
            return found
    return "text"


def verbosity(options: Sequence[str]) -> int:
    """Return how often -v is given, in options not parsed yet."""
    return sum(len(word) - 1 for word in options if re.fullmatch("-v+", word))


def _format(word: str, asked: str, formats: tuple[str, ...]) -> str:
    if word in formats:
        return word
    close = suggest(word, formats)
    hint = f"did you mean {close}?" if close else f"use one of {', '.join(formats)}"
    known = word in FORMATS
    message = f"{asked} has no format {word!r}" if known else f"there is no format {word!r}"
    raise UsageError(usage.NO_FORMAT(message, hint=hint))


def whole_number(word: str) -> int:
    """Parse a whole number that is not negative."""
    if word.isascii() and word.isdigit():
        return int(word)
    raise argparse.ArgumentTypeError(f"{word!r} is not a whole number")
