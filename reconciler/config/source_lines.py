"""Attach the source line to diagnostics, except lines with a secret."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from functools import cache

from ..diagnostics.codes import config as codes
from ..diagnostics.diagnostic import Diagnostic
from .yaml.source_text import MAX_BYTES

_LINE_BREAK = re.compile("\r\n|\r|\n")
# Wider than the scan for API keys: a line that only might hold a secret is not shown either.
_MAYBE_SECRET = re.compile(r"(?<![A-Za-z0-9])(?:[sr]k|whsec)_")


def with_source(
    diagnostics: Iterable[Diagnostic], files: Mapping[str, bytes]
) -> Iterator[Diagnostic]:
    """Add the first line of its location to each diagnostic; `files` has the files as read."""
    found = tuple(diagnostics)
    secret = {
        (one.location.file, line)
        for one in found
        if one.location and one.code == codes.KEY_IN_FILE.code
        for line in range(one.location.line, one.location.end_line + 1)
    }

    @cache
    def lines(file: str) -> list[str]:
        data = files[file][:MAX_BYTES]
        return _LINE_BREAK.split(data.decode("utf-8", "replace").removeprefix("\ufeff"))

    @cache
    def source(file: str, line: int) -> str | None:
        if (file, line) in secret or file not in files or not 0 < line <= len(lines(file)):
            return None
        text = lines(file)[line - 1]
        return None if _MAYBE_SECRET.search(text) else text

    for one in found:
        at = one.location
        yield replace(one, source=source(at.file, at.line)) if at else one
