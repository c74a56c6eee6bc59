"""Options of a command line: each is declared once, as an annotated field of a struct."""

from __future__ import annotations

import argparse
import os
import re
from collections.abc import Mapping, Sequence
from functools import cache
from itertools import pairwise
from typing import Annotated, Any, NoReturn, Self, TypeVar, get_type_hints

from msgspec import Struct
from msgspec.structs import replace

from ..diagnostics.codes import usage
from ..diagnostics.errors import UsageError
from ..diagnostics.suggest import suggest
from ..render import FORMATS

PUBLIC, PRIVATE = 0o666, 0o600  # modes of new files; the umask is subtracted
ACCOUNT_VARIABLE = "RECONCILER_ACCOUNT"
_STDOUT = ("-", "/dev/stdout", "/dev/fd/1", "/proc/self/fd/1")


class Out(Struct, frozen=True):
    """One place for the document: a format, and a file or `-` for standard output."""

    format: str
    file: str


class Argument(Struct, frozen=True):
    """What argparse gets for a field: its flags, None for an argument without, and keywords."""

    flags: tuple[str, ...] | None
    keywords: Mapping[str, Any]


def option(text: str, *flags: str, **keywords: Any) -> Argument:
    """Declare an option, with its help and keywords for argparse.

    The flag is the name of the field unless another is given; one with the default () is
    repeatable.
    """
    return Argument(flags, {"help": text, **keywords})


def flag(text: str) -> Argument:
    """Declare an option without a value, off by default."""
    return option(text, action="store_true")


def positional(text: str, metavar: str) -> Argument:
    """Declare an argument that has no flag and may be left out; with the default (), repeatable."""
    return Argument(None, {"help": text, "metavar": metavar})


class Options(Struct, frozen=True, kw_only=True):
    """The options of every command. `verbose` counts the -v."""

    format: Annotated[
        str | None, option("format of standard output: {formats}", metavar="FORMAT")
    ] = None
    out: Annotated[
        tuple[Out, ...],
        option(
            "also write the document to a file (-: standard output); repeatable",
            metavar="FORMAT=FILE",
        ),
    ] = ()
    quiet: Annotated[bool, flag("hide progress and informational messages")] = False
    no_color: Annotated[bool, flag("do not use colors, as with NO_COLOR")] = False
    verbose: Annotated[
        int, option("list everything, log requests; -vv: also tracebacks", "-v", action="count")
    ] = 0
    directory: Annotated[
        str | None, option("run as if started in this folder", "-C", metavar="DIR")
    ] = None

    def writes(self) -> tuple[tuple[str, int], ...]:
        """Return the files that the run writes for its user, each with the mode of a new one."""
        return tuple((out.file, PUBLIC) for out in self.out if out.file != "-")

    def reads(self) -> tuple[tuple[str, str], ...]:
        """Return the files and folders that the run reads and must not replace, and what each is.

        Of a folder, they are the JSON files directly in it.
        """
        return ()

    @property
    def keeps_files(self) -> bool:
        """Whether a run that fails leaves the files of --out as they are, without its report."""
        return False

    @property
    def first_path(self) -> str:
        """The project that the run is about, or the first of several."""
        return "."

    def read_environment(self, _: Mapping[str, str]) -> Self:
        """Return the options, with those that environment variables set and no flag does."""
        return self


class AccountOptions(Options, frozen=True, kw_only=True):
    """The options of a command about accounts of a project."""

    account: Annotated[
        tuple[str, ...],
        option(
            "accounts of the project that match the glob, '*' for all; repeatable; optional if "
            f"there is only one, or if {ACCOUNT_VARIABLE} is set",
            metavar="PATTERN",
        ),
    ] = ()

    def read_environment(self, environ: Mapping[str, str]) -> Self:
        """Return the options; without `--account`, with the globs of the variable."""
        patterns = tuple(re.findall(r"[^\s,]+", environ.get(ACCOUNT_VARIABLE, "")))
        return self if self.account or not patterns else replace(self, account=patterns)


def only_option() -> Argument:
    """Declare `--only`."""
    return option(
        "only event_names that match the glob, e.g. 'ai_*'; repeatable; undeclared meters are "
        "not evaluated",
        metavar="PATTERN",
        default=(),
    )


class ProjectOptions(AccountOptions, frozen=True, kw_only=True):
    """The options of a command that reads a project: its folder or a part, and account names."""

    path: Annotated[
        str,
        positional(
            "a project folder, or a folder or meter file of a project "
            "(default: the current folder)",
            "PATH",
        ),
    ] = "."

    @property
    def first_path(self) -> str:
        """The project, or a part of it."""
        return self.path

    @property
    def path_from_start(self) -> str:
        """The path as seen from the folder that the run was started in, without -C."""
        return os.path.join(self.directory, self.path) if self.directory else self.path


class ScopedOptions(ProjectOptions, frozen=True, kw_only=True):
    """The options of a command that can be limited to some event_names."""

    only: Annotated[tuple[str, ...], only_option()] = ()


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
    "--account": "this command takes no --account; `compare` takes accounts as `compare A B`",
    "-json": "did you mean --format json?",
    "--json": "did you mean --format json?",
}
"""Options of similar tools, each with what to use here."""


_type_hints = cache(get_type_hints)  # evaluates every annotation anew


class Parser(argparse.ArgumentParser):
    """argparse for the options of a command; errors are a UsageError, and nothing is printed."""

    def __init__(
        self, command: str, about: str, options: type[Options], formats: tuple[str, ...]
    ) -> None:
        super().__init__(
            prog=f"reconciler {command}", description=about, add_help=False, allow_abbrev=False
        )
        self._options, self._formats = options, formats
        output, shared = self.add_argument_group("output"), Options.__struct_fields__
        hints = _type_hints(options, include_extras=True)
        defaults = _list_defaults(options)
        for name in sorted(options.__struct_fields__, key=lambda name: name in shared):
            (declared,) = hints[name].__metadata__
            flags, keywords = self._describe(name, defaults[name], declared)
            (output if name in shared else self).add_argument(*flags, **keywords)
        output.add_argument("-h", "--help", action="store_true", help="show this help")

    def _describe(
        self, name: str, default: object, declared: Argument
    ) -> tuple[tuple[str, ...], dict[str, Any]]:
        """Return the flags and the keywords of one argument for argparse."""
        keywords = {"default": default, **declared.keywords}
        keywords["help"] = keywords["help"].replace("{formats}", ", ".join(self._formats))
        if declared.flags is None:
            return (name,), keywords | {"nargs": "*" if default == () else "?"}
        if default == ():
            keywords |= {"action": "append", "default": []}
        parse = {"format": self._parse_format, "out": self._parse_out}.get(name)
        keywords |= {"dest": name, **({"type": parse} if parse else {})}
        return declared.flags or (f"--{name.replace('_', '-')}",), keywords

    def error(self, message: str) -> NoReturn:
        """Raise UsageError instead of exiting with 2, which means changes here."""
        hint = f"see `{self.prog} --help`"
        for word in message.partition("unrecognized arguments: ")[2].split():
            if word.startswith("-") and (close := suggest(word.partition("=")[0], self._flags)):
                hint = f"did you mean {close}? {hint}"
        raise UsageError(usage.BAD_OPTIONS(message, hint=hint))

    def read(self, options: Sequence[str]) -> Options:
        """Return the options as the struct of the command; raise UsageError."""
        for word in options:
            name = word.partition("=")[0]
            if name in FOREIGN_OPTIONS and name not in self._flags:
                message, hint = f"there is no option {name}", FOREIGN_OPTIONS[name]
                raise UsageError(usage.BAD_OPTIONS(message, hint=hint))
        self.usage = self.prog  # no message shows it, and argparse would format it in full
        found: dict[str, Any] = vars(self.parse_intermixed_args(options))
        found.pop("help")
        lists = {name: tuple(each) for name, each in found.items() if isinstance(each, list)}
        return self._options(**found | lists)

    def list_actions(self) -> list[argparse.Action]:
        """Return the declared options and arguments, as argparse has them."""
        return self._actions

    @property
    def _flags(self) -> list[str]:
        return [flag for action in self._actions for flag in action.option_strings]

    def _parse_out(self, word: str) -> Out:
        name, equals, file = word.partition("=")
        if not equals or not file:
            raise argparse.ArgumentTypeError(f"{word!r} is not FORMAT=FILE")
        return Out(self._parse_format(name), "-" if file in _STDOUT else file)

    def _parse_format(self, word: str) -> str:
        if word in self._formats:
            return word
        close = suggest(word, self._formats)
        hint = f"did you mean {close}?" if close else f"use one of {', '.join(self._formats)}"
        who = self.prog if word in FORMATS else ""
        message = f"{who} has no format {word!r}" if who else f"there is no format {word!r}"
        raise UsageError(usage.NO_FORMAT(message, hint=hint))


def _list_defaults(options: type[Options]) -> dict[str, Any]:
    """Return the default of each field: all have one."""
    return dict(zip(options.__struct_fields__, options.__struct_defaults__, strict=True))


def has_help_flag(options: Sequence[str]) -> bool:
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


def count_verbose(options: Sequence[str]) -> int:
    """Return how often -v is given, in options not parsed yet."""
    return sum(len(word) - 1 for word in options if re.fullmatch("-v+", word))


def parse_whole_number(word: str) -> int:
    """Parse a whole number that is not negative."""
    if word.isascii() and word.isdigit():
        return int(word)
    raise argparse.ArgumentTypeError(f"{word!r} is not a whole number")
