"""`explain`: describe a diagnostic code."""

from __future__ import annotations

from typing import Annotated

from ...diagnostics.catalogue import CATALOGUE
from ...diagnostics.codes import usage
from ...diagnostics.errors import UsageError
from ...diagnostics.suggest import suggest
from ...render import Document
from ...report.documents import DiagnosticList
from ..arguments import Options, positional
from ..context import PLAIN, Command, Context


class ExplainOptions(Options, frozen=True, kw_only=True):
    """The code to describe; None for all of them."""

    code: Annotated[str | None, positional("a code from a message, e.g. G001", "CODE")] = None


def _explain(options: ExplainOptions, _: Context) -> Document:
    if options.code is None:
        return DiagnosticList(rules=tuple(CATALOGUE[code] for code in sorted(CATALOGUE)))
    code = options.code.upper()
    if code in CATALOGUE:
        return DiagnosticList(rules=(CATALOGUE[code],))
    close = suggest(code, CATALOGUE)
    hint = f"did you mean {close}?" if close else ""
    raise UsageError(usage.NO_CODE(f"there is no code {options.code!r}", hint=hint))


COMMAND = Command(
    ExplainOptions,
    "Describe a diagnostic code: its cause and what to do. Without a code, list them all.",
    _explain,
    PLAIN,
)
