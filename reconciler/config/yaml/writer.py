"""Write texts as YAML scalars that every parser reads alike."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from .scalars import resolve

# Nothing in it has a meaning in YAML, in block style or within brackets.
_PLAIN = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]*(?: [A-Za-z0-9_][A-Za-z0-9_.-]*)*")


def write_scalar(text: str) -> str:
    """Return a text as a plain scalar where no parser misreads it, else in double quotes."""
    if _PLAIN.fullmatch(text) and resolve(text) == (text, True):
        return text
    return quote(text)


def quote(text: str) -> str:
    """Return a text in double quotes; what cannot be seen in it becomes an escape sequence."""
    inner = json.dumps(text, ensure_ascii=False)[1:-1]  # YAML reads the escapes of JSON alike
    body = inner.strip(" ")
    before = len(inner) - len(inner.lstrip(" "))
    after = len(inner) - len(body) - before
    return f'"{_write_spaces(before)}{_escape(body)}{_write_spaces(after)}"'


def write_mapping(values: Mapping[str, Any]) -> str:
    """Return a mapping of texts in flow style; None is null."""
    inner = (f"{key}: {write_value(value)}" for key, value in values.items())
    return "{" + ", ".join(inner) + "}"


def write_value(value: Any) -> str:
    """Return a text, None, or a mapping of them."""
    if isinstance(value, Mapping):
        return write_mapping(value)
    return "null" if value is None else write_scalar(value)


def _escape(text: str) -> str:
    if text.isprintable():
        return text
    return "".join(
        char if char.isprintable() else char.encode("unicode_escape").decode() for char in text
    )


def _write_spaces(number: int) -> str:
    return "\\x20" * number
