"""`python -m reconciler`, and the entry point of the command."""

from __future__ import annotations

import os
import sys

from ._version import __version__, describe_runtime

TYPE_CHECKING = False  # as in the package
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import NoReturn

INTERRUPTED = 130  # as `Exit.INTERRUPTED`, which takes time to import


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command line and return its exit code; `--version` imports next to nothing."""
    options = sys.argv[1:] if argv is None else list(argv)
    if options in (["--version"], ["-V"]):
        from .cli.console import Console

        Console().write_document(f"reconciler {__version__}\n")
        return 0
    if len(options) == 2 and set(options) in ({"--version", "-v"}, {"-V", "-v"}):
        from .cli.console import Console

        Console().write_document(f"reconciler {__version__}\n{describe_runtime()}\n")
        return 0
    from .cli.main import run

    return int(run(options))


def command() -> NoReturn:
    """Run the process; an interrupted one does not wait for a request that hangs."""
    if "_ARGCOMPLETE" in os.environ:  # set by the script of `completion`
        from .cli.completion import complete

        complete()
    from .cli.signals import hold_signals

    hold_signals()
    code = main()
    if code == INTERRUPTED:
        os._exit(code)
    sys.exit(code)


if __name__ == "__main__":
    command()
