"""Find API keys in files, and keep them out of every diagnostic."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import islice

from msgspec.structs import replace

from ..diagnostics.codes import config as codes
from ..diagnostics.diagnostic import Diagnostic
from .yaml.source_text import decode_loosely, locate_span

MAX_KEYS = 100  # reported per file

_KEY = re.compile(
    r"(?<![A-Za-z0-9])([sr]k)_(?:test|live|org)_[A-Za-z0-9_]{3,}[^\s\"'`,;:<>(){}\[\]#&]*"
)


def holds_key(value: object) -> bool:
    """Whether a value is, or contains, a Stripe API key."""
    return isinstance(value, str) and bool(_KEY.search(value))


def find_keys(data: bytes, file: str) -> Iterator[Diagnostic]:
    """Report every API key in a file, including comments and files that are not valid YAML."""
    text = decode_loosely(data)
    for match in islice(_KEY.finditer(text), MAX_KEYS):
        message = f"API key (`{match[1]}_…`) in a configuration file"
        yield codes.KEY_IN_FILE(message, locate_span(text, match.span(), file))


def redact(diagnostic: Diagnostic) -> Diagnostic:
    """Remove every API key that a diagnostic quotes."""
    message, hint = (_KEY.sub(r"\1_…", text) for text in (diagnostic.message, diagnostic.hint))
    name = None if holds_key(diagnostic.event_name) else diagnostic.event_name
    return replace(diagnostic, message=message, hint=hint, event_name=name)
