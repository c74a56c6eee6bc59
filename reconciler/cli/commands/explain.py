"""`explain`: what a diagnostic code means, and what to do about it."""

from __future__ import annotations

from dataclasses import dataclass

from ...diagnostics.codes import CATALOGUE, usage
from ...diagnostics.errors import UsageError
from ...diagnostics.suggest import nearest
from ...render import Document
from ...report.documents import Glossary
from ..arguments import Parser, Words
from ..context import PLAIN, Stage, Verb


@dataclass(frozen=True, slots=True, kw_only=True)
class ExplainWords(Words):
    """Which code; None for all of them."""

    code: str | None = None


def _options(parser: Parser) -> None:
    parser.add_argument("code", nargs="?", metavar="CODE", help="as in a message, e.g. G001")


def _explain(words: ExplainWords, _: Stage) -> Document:
    if words.code is None:
        return Glossary(rules=tuple(CATALOGUE[code] for code in sorted(CATALOGUE)))
    code = words.code.upper()
    if code in CATALOGUE:
        return Glossary(rules=(CATALOGUE[code],))
    close = nearest(code, CATALOGUE)
    hint = f"did you mean {close}?" if close else ""
    raise UsageError(usage.NO_CODE(f"there is no code {words.code!r}", hint=hint))


VERB = Verb(
    ExplainWords,
    "Describe a diagnostic code: what it means, and what to do. Without a code, list them all.",
    _options,
    _explain,
    PLAIN,
)
