"""`python -m reconciler`, and the entry point of the command."""

from __future__ import annotations

import gc
import os
import sys

from ._version import __version__, describe_runtime

TYPE_CHECKING = False  # as in the package
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import NoReturn

INTERRUPTED = 130  # as `Exit.INTERRUPTED`, which takes time to import


_VERSIONS = {
    ("--version",): False,
    ("-V",): False,
    ("--version", "-v"): True,
    ("-v", "--version"): True,
    ("-V", "-v"): True,
    ("-v", "-V"): True,
}
"""The command lines that ask for the version, and whether for that of Python too."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command line and return its exit code; `--version` imports next to nothing."""
    options = sys.argv[1:] if argv is None else list(argv)
    if tuple(options) in _VERSIONS:
        from .cli.console import Console

        runtime = f"{describe_runtime()}\n" if _VERSIONS[tuple(options)] else ""
        Console().write_document(f"reconciler {__version__}\n{runtime}")
        return 0
    from .cli.main import run

    return int(run(options))


def command() -> NoReturn:
    """Run the process; an interrupted one does not wait for a request that hangs."""
    if "_ARGCOMPLETE" in os.environ:  # set by the script of `completion`
        from .cli.completion import complete

        complete()
    if tuple(sys.argv[1:]) not in _VERSIONS:
        _import_msgspec()
        from .cli.signals import hold_signals

        hold_signals()
        # Nearly all that a run allocates lives until its end: looking for garbage costs time.
        # Only an emulator has no end, and must not keep much.
        gc.set_threshold(200_000 if "emulate" in sys.argv else 2_000_000, 20, 100)
    code = main()
    if code == INTERRUPTED:
        os._exit(code)
    gc.freeze()  # the interpreter would look for garbage three more times before it ends
    sys.exit(code)


def _import_msgspec() -> None:
    """Import msgspec as if typing_extensions were missing, which would take longer than msgspec.

    msgspec prefers it to typing, which has all that Python 3.11 needs.
    """
    from contextlib import suppress
    from importlib import import_module

    name, modules = "typing_extensions", vars(sys)["modules"]
    if name not in modules:
        modules[name] = None  # as the reference of the import system describes it
        with suppress(ImportError):  # then it is imported where it is used
            import_module("msgspec")
        del modules[name]


if __name__ == "__main__":
    command()
