"""Attach the source line to diagnostics, except lines with a secret."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from functools import cache

from msgspec.structs import replace

from ..diagnostics.codes import config as codes
from ..diagnostics.diagnostic import Diagnostic
from .yaml.source_text import LINE_BREAK, decode_loosely

# Wider than the scan for API keys: a line that only might hold a secret is not shown either.
_MAYBE_SECRET = re.compile(r"(?<![A-Za-z0-9])(?:[sr]k|whsec)_")


def add_source_lines(
    diagnostics: Sequence[Diagnostic], files: Mapping[str, bytes]
) -> Iterator[Diagnostic]:
    """Add the first line of its location to each diagnostic; `files` has the files as read."""
    secret = {
        (one.location.file, line)
        for one in diagnostics
        if one.location and one.code == codes.KEY_IN_FILE.code
        for line in range(one.location.line, one.location.end_line + 1)
    }

    @cache
    def split(file: str) -> list[str]:
        return LINE_BREAK.split(decode_loosely(files.get(file, b"")))

    for one in diagnostics:
        at = one.location
        if at and (at.file, at.line) not in secret and 0 < at.line <= len(split(at.file)):
            text = split(at.file)[at.line - 1]
            one = one if _MAYBE_SECRET.search(text) else replace(one, source=text)
        yield one
