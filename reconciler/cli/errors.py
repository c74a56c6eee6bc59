"""An error as the document that tells of it, without ever telling a key."""

from __future__ import annotations

import re
from collections.abc import Mapping

from ..diagnostics.codes import environment, usage
from ..diagnostics.diagnostic import Diagnostic
from ..diagnostics.errors import Exit, ReconcilerError
from ..report.report import Report

_KEY = re.compile(r"\b(?:[sr]k|whsec)_\w{4,}|\b(?:Bearer|Basic) [\w.~+/=-]{4,}")
_SECRET_NAMES = ("KEY", "SECRET", "TOKEN", "PASSWORD")


def failed(command: str, error: BaseException, environ: Mapping[str, str]) -> Report:
    """The report of a run that ended before any account had one."""
    diagnostics, exit_code = explained(error, environ)
    return Report(command=command, diagnostics=diagnostics, own_exit=exit_code)


def explained(
    error: BaseException, environ: Mapping[str, str]
) -> tuple[tuple[Diagnostic, ...], Exit]:
    """What to tell of an error, and the exit code that it means."""
    match error:
        case ReconcilerError():
            return error.diagnostics, error.exit_code
        case KeyboardInterrupt():
            return (usage.INTERRUPTED(str(error) or "the run was interrupted"),), Exit.INTERRUPTED
        case _:
            said = scrubbed(f"{type(error).__name__}: {error}", environ)
            return (environment.BUG(said[:500]),), Exit.FAILED


def scrubbed(text: str, environ: Mapping[str, str]) -> str:
    """The text without anything that looks like a key, or is the value of a secret variable."""
    for name, value in environ.items():
        if len(value) >= 8 and any(word in name.upper() for word in _SECRET_NAMES):
            text = text.replace(value, "[hidden]")
    return _KEY.sub("[hidden]", text)
