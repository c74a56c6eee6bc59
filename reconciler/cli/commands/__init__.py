"""The table of verbs. A verb's module, and all that it imports, is loaded when it is called."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from ...diagnostics.codes import usage
from ...diagnostics.errors import UsageError
from ...diagnostics.suggest import suggest
from ..context import Command

COMMANDS = {
    "validate": "check the files; offline, needs no key",
    "plan": "show what apply would do; writes nothing to Stripe",
    "apply": "plan, ask, do it, and look whether it is so",
    "drift": "audit the account: what differs, how bad, since when, by whom",
    "list": "the live meters of an account, as they are",
    "history": "what was applied, by whom; the time line of one meter",
    "emulate": "serve an emulated Stripe on a loopback port",
    "explain": "describe a diagnostic code, or list them all",
}


def find(options: list[str]) -> Command[Any]:
    """The verb that a command line begins with; raises UsageError where it does not."""
    name = options[0] if options else ""
    if name in COMMANDS:
        command: Command[Any] = import_module(f".{name}", __package__).COMMAND
        return command
    if not name:
        raise UsageError(usage.NO_VERB(f"a verb is missing: one of {', '.join(COMMANDS)}"))
    if name.startswith("-"):
        message = f"{name!r} stands before the verb; options stand after it"
        raise UsageError(usage.NO_VERB(message))
    close = suggest(name, COMMANDS)
    hint = f"did you mean {close}?" if close else ""
    raise UsageError(usage.NO_VERB(f"there is no verb {name!r}", hint=hint))


def overview() -> str:
    """The help of the command itself."""
    commands = "".join(f"  {name:<10}{summary}\n" for name, summary in COMMANDS.items())
    return _OVERVIEW.format(commands=commands)


_OVERVIEW = """\
usage: reconciler VERB [PATH] [options]

Keep the billing meters of Stripe accounts as YAML files declare them.

{commands}
PATH is a project folder or one meter file; the default is this folder.
Options stand after the verb: see reconciler VERB --help.

exit codes:
    0  done, nothing left to do
    1  error; nothing was written to Stripe, or only a document was lost
    2  drift, or changes if asked for
    3  refused by a guard
    4  the saved plan is stale
    5  something was or may have been written, and not every line is done,
       or was seen to be
    6  authentication, permission, missing key
   64  usage
  130  interrupted

  reconciler --version    the version of this tool
"""
