"""`completion`: print the script by which a shell completes command lines."""

from __future__ import annotations

from typing import Annotated

from ...diagnostics.codes import usage
from ...diagnostics.errors import UsageError
from ...diagnostics.suggest import suggest
from ...render import Document
from ...report.result import PlainText
from ..arguments import Options, positional
from ..completion import SHELLS
from ..context import Command, Context


class CompletionOptions(Options, frozen=True, kw_only=True):
    """The shell."""

    shell: Annotated[str | None, positional("bash, zsh or fish", "SHELL")] = None


def _print_script(options: CompletionOptions, _: Context) -> Document:
    shell = options.shell
    if shell is None:
        raise UsageError(usage.NO_SHELL("the name of the shell is missing"))
    if shell not in SHELLS:
        close = suggest(shell, SHELLS)
        hint = f"did you mean {close}?" if close else ""
        raise UsageError(usage.NO_SHELL(f"there is no completion for {shell!r}", hint=hint))
    from argcomplete.shell_integration import shellcode

    return PlainText(text=shellcode(["reconciler"], shell=shell).strip("\n") + "\n")


COMMAND = Command(
    CompletionOptions,
    "Print the script by which a shell completes commands, options, formats, files, and the "
    "account names and event_names of the project. For bash: "
    '`eval "$(reconciler completion bash)"`; for zsh the same, after compinit; for fish: '
    "`reconciler completion fish | source`.",
    _print_script,
    ("text",),
)
