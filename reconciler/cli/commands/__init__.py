"""The table of commands. A command's module, and all that it imports, is loaded on its call."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from ...diagnostics.codes import usage
from ...diagnostics.diagnostic import Diagnostic
from ...diagnostics.errors import UsageError
from ...diagnostics.suggest import suggest
from ..arguments import FOREIGN_OPTIONS
from ..context import Command

COMMANDS = {
    "init": "start a project, with the meters of an account if asked for",
    "validate": "check the files; offline, needs no key",
    "plan": "show what apply would do; writes nothing to Stripe",
    "apply": "plan, confirm, apply and verify",
    "show": "print a saved plan; needs no key",
    "drift": "audit the account against the files; read-only",
    "ready": "check that meters are ready to receive usage",
    "compare": "compare the meters of two accounts, field by field",
    "list": "list the existing meters of an account",
    "generate": "write constants and event builders for application code",
    "publish": "post a report to a pull request, a merge request or a drift issue",
    "merge": "join the reports of the shards of a run",
    "import": "write existing meters that no file declares as YAML",
    "history": "show what was applied and by whom, or the history of one meter",
    "doctor": "check keys, permissions, mode and clock; read-only",
    "emulate": "run a local emulator of the Stripe API",
    "completion": "print the completion script of bash, zsh or fish",
    "schema": "print the JSON Schema of a file or an output",
    "explain": "describe a diagnostic code, or list them all",
}
_MODULES = {"import": "import_"}
"""The modules that cannot have the name of their command."""

_FOREIGN = {
    "check": "validate",
    "lint": "validate",
    "diff": "plan",
    "preview": "plan",
    "deploy": "apply",
    "push": "apply",
    "sync": "apply",
    "up": "apply",
    "refresh": "drift",
    "status": "drift",
    "log": "history",
    "new": "init",
    "setup": "init",
    "adopt": "import",
    "dump": "import",
    "export": "import",
}
"""What similar tools call a command."""


def find_command(options: list[str]) -> Command[Any]:
    """Return the command that a command line begins with; raise UsageError where it has none."""
    name = options[0] if options else ""
    if name in COMMANDS:
        command: Command[Any] = import_module(f".{_MODULES.get(name, name)}", __package__).COMMAND
        return command
    if not name:
        raise UsageError(usage.NO_COMMAND(f"missing command: one of {', '.join(COMMANDS)}"))
    if name.startswith("-"):
        raise UsageError(_describe_early_option(options))
    close = _FOREIGN.get(name) or suggest(name, COMMANDS)
    hint = f"did you mean `reconciler {close}`?" if close else ""
    raise UsageError(usage.NO_COMMAND(f"there is no command {name!r}", hint=hint))


def _describe_early_option(options: list[str]) -> Diagnostic:
    """Return that options follow the command, with the corrected line if it has a command."""
    message = f"{options[0]!r} is before the command: options follow the command"
    name = options[0].split("=")[0]
    command = next((word for word in options[1:] if word in COMMANDS), None)
    own = (
        {f"--{each}" for each in find_command([command]).options.__struct_fields__}
        if command
        else {}
    )
    if command is None or (name in FOREIGN_OPTIONS and name not in own):
        return usage.NO_COMMAND(message, hint=FOREIGN_OPTIONS.get(name, ""))
    at = options.index(command)
    import shlex

    line = shlex.join(["reconciler", command, *options[:at], *options[at + 1 :]])
    return usage.NO_COMMAND(message, hint=f"did you mean `{line}`?")


def format_overview() -> str:
    """Return the help of the tool itself."""
    commands = "".join(f"  {name:<12}{summary}\n" for name, summary in COMMANDS.items())
    return _OVERVIEW.format(commands=commands)


_OVERVIEW = """\
usage: reconciler COMMAND [PATH] [options]

Keep the billing meters of Stripe accounts as declared in YAML files.

commands:
{commands}
PATH is a project folder or one meter file (default: the current folder).
Options follow the command: see `reconciler COMMAND --help`.

exit codes:
    0  done, nothing left to do
    1  error: nothing was written to Stripe, or only a report could not be
       written; also: cancelled at the prompt
    2  drift or other differences found, or changes with --detailed-exitcode
    3  refused by a guard, or the wrong account or mode
    4  the saved plan is stale; nothing was written
    5  partial apply: some changes may have been made, not all are confirmed
    6  authentication or permission, or a missing key
   64  usage
  130  interrupted
With several accounts, the first of 130, 64, 5, 1, 6, 3, 4, 2, 0; changes may
have been applied in other accounts.

  reconciler help COMMAND  help for a command
  reconciler --version     the version of this tool
"""
