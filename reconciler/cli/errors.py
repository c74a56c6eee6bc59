"""Turn an error into a document, without API keys."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping

from ..diagnostics.codes import environment, usage
from ..diagnostics.diagnostic import Diagnostic
from ..diagnostics.errors import Exit, ReconcilerError
from ..report.report import Report
from .console import Console
from .output import Output

_KEY = re.compile(
    r"\b(?:[sr]k|whsec)_\w{4,}[^\s\"'`,;<>(){}\[\]]*|\b(?:Bearer|Basic) [\w.~+/=-]{4,}"
)
_SECRET_NAMES = ("KEY", "SECRET", "TOKEN", "PASSWORD")


def build_error_report(command: str, error: BaseException, environ: Mapping[str, str]) -> Report:
    """Return the report of a run that ended before any account had a report."""
    diagnostics, exit_code = explain_error(error, environ)
    return Report(command=command, diagnostics=diagnostics, own_exit=exit_code)


def explain_error(
    error: BaseException, environ: Mapping[str, str]
) -> tuple[tuple[Diagnostic, ...], Exit]:
    """Return the diagnostics of an error, and its exit code."""
    match error:
        case ReconcilerError():
            return error.diagnostics, error.exit_code
        case KeyboardInterrupt(args=args):
            message, *losses = args or ("the run was interrupted",)
            return (usage.INTERRUPTED(message), *losses), Exit.INTERRUPTED
        case _:
            text = hide_secrets(f"{type(error).__name__}: {error}", environ)
            return (environment.BUG(text[:500]),), Exit.FAILED


def trace(error: BaseException, output: Output, console: Console) -> None:
    """Print the traceback of an error where -vv asks for it."""
    if output.verbosity > 1:
        import traceback

        for line in traceback.format_exception(error):
            for part in hide_secrets(line, os.environ).splitlines():
                console.warn(part)


def hide_secrets(text: str, environ: Mapping[str, str]) -> str:
    """Replace everything that looks like a key or is the value of a secret variable."""
    for name, value in environ.items():
        if len(value) >= 8 and any(word in name.upper() for word in _SECRET_NAMES):
            text = text.replace(value, "[hidden]")
    return _KEY.sub("[hidden]", text)
