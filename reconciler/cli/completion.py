"""Complete a command line: the answer to the Tab key, by argcomplete.

The script of `reconciler completion` runs the tool with `_ARGCOMPLETE` set, and reads words from
it. Nothing is sent to an account: names come from the files of the project.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable, Iterable
from typing import Any

from ..diagnostics.errors import ReconcilerError
from ..model.project import Account
from .arguments import Parser
from .commands import COMMANDS, find_command

SHELLS = ("bash", "zsh", "fish")

_FILES = ("PATH", "FILE", "DIR")

Completer = Callable[..., Iterable[str]]


def complete() -> None:
    """Write the completions for the line in the environment, and end the process."""
    import argcomplete

    line = os.environ.get("COMP_LINE", "")
    argcomplete.autocomplete(build_parser(line), always_complete_options="long")


def build_parser(line: str) -> argparse.ArgumentParser:
    """Return a parser of the whole command line; only the command in the line has its options."""
    words = line.split()
    parser = argparse.ArgumentParser(prog="reconciler", add_help=False)
    parser.add_argument("-C", dest="start", metavar="DIR")
    parser.add_argument("--help", action="store_true", help="show the help of this tool")
    parser.add_argument("--version", action="store_true", help="show the version of this tool")
    build: Any = _build_command  # argparse takes any function that returns a parser
    commands = parser.add_subparsers(parser_class=build)
    for name, summary in COMMANDS.items():
        commands.add_parser(name, help=summary, command=name if name in words else "")
    return parser


def _build_command(prog: str, command: str) -> argparse.ArgumentParser:
    """Return the parser of a command with what completes the values of its options."""
    if not command:
        return argparse.ArgumentParser(prog=prog, add_help=False)
    found = find_command([command])
    parser = Parser(command, found.about, found.options, found.formats)
    values: dict[str, Completer] = {
        "account": _list_accounts,
        "a": _list_accounts,
        "b": _list_accounts,
        "only": _list_event_names,
        "meter": _list_event_names,
        "event_names": _list_event_names,
        "format": lambda **_: found.formats,
        "out": lambda **_: [f"{name}=" for name in found.formats],
        "code": _list_codes,
        "name": _list_schemas,
        "shell": lambda **_: SHELLS,
    }
    for action in parser.list_actions():
        if action.dest in values:
            _attach(action, values[action.dest])
        elif not action.choices and action.metavar not in _FILES:
            _attach(action, _list_nothing)  # else files
    return parser


def _attach(action: argparse.Action, completer: Completer) -> None:
    """Give an action its completer, in the attribute where argcomplete looks for it."""
    vars(action)["completer"] = completer


def _list_nothing(**_: object) -> Iterable[str]:
    return ()


def _list_accounts(parsed_args: argparse.Namespace, **_: object) -> Iterable[str]:
    return filter(str.isprintable, (account.name for account in _load_accounts(parsed_args)))


def _list_event_names(parsed_args: argparse.Namespace, **_: object) -> Iterable[str]:
    """Return the event_names that the files declare, for the accounts that are named."""
    named: Any = getattr(parsed_args, "account", None) or ()
    accounts = _load_accounts(parsed_args)
    chosen = [account for account in accounts if account.name in named] or accounts
    names = {desired.event_name for account in chosen for desired in account.declared}
    return filter(str.isprintable, sorted(names))


def _load_accounts(parsed_args: argparse.Namespace) -> tuple[Account, ...]:
    """Return the accounts of the project at the PATH and the -C of the line; none on an error.

    Without a project file there are none: the key must not search a home folder for meter files.
    """
    from ..config import load_accounts
    from ..config.discovery import start_from

    folders = [getattr(parsed_args, name, None) or "" for name in ("start", "directory")]
    path = getattr(parsed_args, "path", None) or (getattr(parsed_args, "paths", None) or ["."])[0]
    where = os.path.join(*folders, path)
    try:
        return load_accounts(where).accounts if start_from(where).project_file else ()
    except ReconcilerError:
        return ()


def _list_codes(**_: object) -> Iterable[str]:
    from ..diagnostics.catalogue import CATALOGUE

    return sorted(CATALOGUE)


def _list_schemas(**_: object) -> Iterable[str]:
    from ..config.schema import list_schemas

    return list_schemas()
