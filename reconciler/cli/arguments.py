"""The words of a command line, typed: what all verbs share, and how it is read."""

from __future__ import annotations

import argparse
import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, NoReturn, TypeVar

from ..diagnostics.codes import usage
from ..diagnostics.errors import UsageError
from ..diagnostics.suggest import suggest
from ..render import FORMATS


@dataclass(frozen=True, slots=True)
class Out:
    """One place for the document: a format, and a file or `-` for standard output."""

    format: str
    file: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What every verb takes. `verbose` counts the -v."""

    format: str | None = None
    out: tuple[Out, ...] = ()
    quiet: bool = False
    no_color: bool = False
    verbose: int = 0

    def writes(self) -> tuple[str, ...]:
        """The files that the run is to write for its user."""
        return tuple(out.file for out in self.out if out.file != "-")

    def reads(self) -> Collection[str]:
        """The files that the run depends on, and that it must not write over."""
        return ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ProjectOptions(Options):
    """What a verb takes that reads a project: the folder or file, and the accounts' names."""

    path: str = "."
    account: tuple[str, ...] = ()

    def reads(self) -> Collection[str]:
        """All files of the project."""
        from ..config import sources

        return sources(self.path)


@dataclass(frozen=True, slots=True, kw_only=True)
class ScopedOptions(ProjectOptions):
    """What a verb takes that may look at a part of the account only."""

    only: tuple[str, ...] = ()


W = TypeVar("W", bound=Options)


class Parser(argparse.ArgumentParser):
    """argparse, but wrong words are a UsageError, and nothing is printed or exited here."""

    def __init__(self, command: str, about: str) -> None:
        super().__init__(
            prog=f"reconciler {command}",
            description=about,
            formatter_class=argparse.RawDescriptionHelpFormatter,
            add_help=False,
            allow_abbrev=False,
        )

    def error(self, message: str) -> NoReturn:
        """The usage error of argparse as ours; its exit code 2 means something else here."""
        hint = f"see `{self.prog} --help`"
        known = [option for action in self._actions for option in action.option_strings]
        for word in message.partition("unrecognized arguments: ")[2].split():
            if word.startswith("-") and (close := suggest(word.partition("=")[0], known)):
                hint = f"did you mean {close}? {hint}"
        raise UsageError(usage.BAD_WORDS(message, hint=hint))

    def read(self, options: Sequence[str], into: type[W]) -> W:
        """The words as the frozen dataclass of a verb; raises UsageError."""
        found = vars(self.parse_args(options))
        found.pop("help")
        plain: dict[str, Any] = {
            k: tuple(v) if isinstance(v, list) else v for k, v in found.items()
        }
        return into(**plain)


def add_output_options(parser: Parser, formats: tuple[str, ...]) -> None:
    """Where the document goes and in which of the formats; how much is said besides."""
    group, named = parser.add_argument_group("output"), ", ".join(formats)

    def format_(word: str) -> str:
        return _format(word, parser.prog, formats)

    def out(word: str) -> Out:
        name, equals, file = word.partition("=")
        if not equals or not file:
            raise argparse.ArgumentTypeError(f"{word!r} is not FORMAT=FILE")
        return Out(format_(name), file)

    group.add_argument(
        "--format", type=format_, metavar="FORMAT", help=f"of standard output: {named}"
    )
    group.add_argument(
        "--out",
        type=out,
        action="append",
        default=[],
        metavar="FORMAT=FILE",
        help="also write the document to a file, - for standard output; repeatable",
    )
    group.add_argument("--quiet", action="store_true", help="no progress and no remarks")
    group.add_argument("--no-color", action="store_true", help="no colours, as with NO_COLOR")
    group.add_argument(
        "-v",
        dest="verbose",
        action="count",
        default=0,
        help="list all, log requests; -vv: tracebacks",
    )
    group.add_argument("-h", "--help", action="store_true", help="show this text")


def add_project_options(parser: Parser) -> None:
    """Which project, and which of its accounts."""
    parser.add_argument(
        "path",
        nargs="?",
        default=".",
        metavar="PATH",
        help="a project folder or one meter file (default: this folder)",
    )
    parser.add_argument(
        "--account",
        action="append",
        default=[],
        metavar="NAME",
        help="an account of the project; repeatable, may be left out where there is one",
    )


def add_scope_options(parser: Parser) -> None:
    """Which names of an account."""
    parser.add_argument(
        "--only",
        action="append",
        default=[],
        metavar="PATTERN",
        help="only event_names that fit, as in 'ai_*'; repeatable; absence is then not judged",
    )


def help_wanted(options: Sequence[str]) -> bool:
    """Whether somebody asks for help, whatever else they say."""
    return "-h" in options or "--help" in options


def first_guess(options: Sequence[str]) -> str:
    """The format of standard output, as far as words tell that may turn out wrong."""
    for word, after in pairwise([*options, ""]):
        name, equals, value = word.partition("=")
        said = value if equals else after
        if name == "--out" and said.endswith("=-"):
            said = said.removesuffix("=-")
        elif name != "--format":
            continue
        if said in FORMATS:
            return said
    return "text"


def verbosity(options: Sequence[str]) -> int:
    """How many times -v is said, in words that may turn out wrong."""
    return sum(len(word) - 1 for word in options if re.fullmatch("-v+", word))


def _format(word: str, asked: str, formats: tuple[str, ...]) -> str:
    if word in formats:
        return word
    close = suggest(word, formats)
    hint = f"did you mean {close}?" if close else f"use one of {', '.join(formats)}"
    known = word in FORMATS
    message = f"{asked} has no format {word!r}" if known else f"there is no format {word!r}"
    raise UsageError(usage.NO_FORMAT(message, hint=hint))


def whole(word: str) -> int:
    """A whole number that is not negative, for options that count."""
    if word.isascii() and word.isdigit():
        return int(word)
    raise argparse.ArgumentTypeError(f"{word!r} is not a whole number")
