"""Write a document as JSON in ASCII, so that no text in it can move or hide anything on a screen.

Nor can one be a command of the CI runner that reads the log, such as `##[error]`: one of its
characters is written as a JSON escape, and a reader gets the same text. A line of indented JSON
never begins with `::`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from typing import Any

from msgspec import DecodeError
from msgspec.json import format as indent

_COMMAND = re.compile(r"#(?=#[A-Za-z]*\[)")
_INDENT = "  "
_ENCODER = json.JSONEncoder(default=list)  # with an indentation it would not use its C code


def dump(document: Any) -> str:
    """Return the document as indented JSON, ending in a line break."""
    return "".join(iterate(document))


def iterate(document: Any) -> Iterator[str]:
    """Yield the parts of `dump(document)`; no string is split.

    An iterator is written as a list. Where it is the value of a key, one of its entries exists at
    a time, which matters where there are a hundred thousand.
    """
    yield from _iterate(document, "\n")
    yield "\n"


def _iterate(value: Any, margin: str) -> Iterator[str]:
    """Yield a value whose further lines begin with `margin`, which begins with a line break."""
    if isinstance(value, Iterator):
        yield from _enclose("[]", (("", each) for each in value), margin)
    elif isinstance(value, dict) and any(isinstance(each, Iterator) for each in value.values()):
        named = ((f"{json.dumps(key)}: ", each) for key, each in value.items())
        yield from _enclose("{}", named, margin)
    else:  # no line break but those of the indentation: strings have them escaped
        text = _indent(_ENCODER.encode(value)).replace("\n", margin)
        yield _COMMAND.sub(r"\\u0023", text)


def _indent(text: str) -> str:
    """Return JSON in ASCII indented, as the standard library does it."""
    try:
        return indent(text, indent=len(_INDENT))
    except DecodeError:  # half of a surrogate pair, NaN
        return json.dumps(json.loads(text), indent=_INDENT)


def _enclose(brackets: str, entries: Iterable[tuple[str, Any]], margin: str) -> Iterator[str]:
    start, deeper = brackets[0], f"{margin}{_INDENT}"
    for name, value in entries:
        yield f"{start}{deeper}{name}"
        yield from _iterate(value, deeper)
        start = ","
    yield brackets if start == brackets[0] else f"{margin}{brackets[1]}"
