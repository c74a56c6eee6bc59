"""Turn an error into a document, without API keys."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import TYPE_CHECKING

from ..diagnostics.explain_error import explain_error, hide_secrets
from .console import Console
from .output import Output

if TYPE_CHECKING:
    from ..report.report import Report


def build_error_report(command: str, error: BaseException, environ: Mapping[str, str]) -> Report:
    """Return the report of a run that ended early."""
    from ..report.report import Report

    diagnostics, exit_code = explain_error(error, environ)
    return Report(command=command, diagnostics=diagnostics, own_exit=exit_code)


def trace(error: BaseException, output: Output, console: Console) -> None:
    """Print the traceback of an error where -vv asks for it."""
    if output.verbosity > 1:
        import traceback

        for line in traceback.format_exception(error):
            for part in hide_secrets(line, os.environ).splitlines():
                console.warn(part)
