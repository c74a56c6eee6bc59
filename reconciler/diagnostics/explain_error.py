"""Turn an error into diagnostics and an exit code, without API keys."""

from __future__ import annotations

import re
from collections.abc import Mapping

from .codes import environment, usage
from .diagnostic import Diagnostic
from .errors import Exit, ReconcilerError

_KEY = re.compile(
    r"\b(?:[sr]k|whsec)_\w{4,}[^\s\"'`,;<>(){}\[\]]*|\b(?:Bearer|Basic) [\w.~+/=-]{4,}"
)
_SECRET_NAMES = ("KEY", "SECRET", "TOKEN", "PASSWORD")


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


def hide_secrets(text: str, environ: Mapping[str, str]) -> str:
    """Replace everything that looks like a key or is the value of a secret variable."""
    for name, value in environ.items():
        if len(value) >= 8 and any(word in name.upper() for word in _SECRET_NAMES):
            text = text.replace(value, "[hidden]")
    return _KEY.sub("[hidden]", text)
