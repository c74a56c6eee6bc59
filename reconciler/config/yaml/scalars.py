"""Resolve plain scalars that YAML 1.1 and YAML 1.2 read the same way, and detect all others.

Sources: YAML 1.2.2, section 10.3.2 (core schema); the YAML 1.1 type repository at
https://yaml.org/type/.
"""

from __future__ import annotations

import re

Scalar = str | int | float | bool | None

_CONSTANTS: dict[str, bool | None] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL")),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}
_INTEGER = re.compile(r"[-+]?(?:0|[1-9][0-9]{0,299})")
_FLOAT = re.compile(r"(?:[-+]?[0-9]+\.[0-9]*|\.[0-9]+)(?:[eE][-+][0-9]+)?")
_DATE = re.compile(r"[0-9]{4}-[0-9]{1,2}-")
_FIRST = frozenset("0123456789+-.~=<nNtTfFyYoO")
_WORDS = frozenset(("y", "n", "yes", "no", "on", "off"))
_DOUBTFUL = r"""
      = | <<
    | [-+]?0b[01_]+ | [-+]?0o[0-7]+ | [-+]?0x[0-9a-fA-F_]+
    | [-+]?[0-9][0-9_]*(?: :[0-5]?[0-9] )+(?:\.[0-9_]*)?
    | [-+]?(?: \.[0-9][0-9_]* | [0-9][0-9_]*(?:\.[0-9_]*)? )(?:[eE][-+]?[0-9]+)?
    | [-+]?\.(?:inf|Inf|INF) | \.(?:nan|NaN|NAN)
    | [0-9]{4}-[0-9]{1,2}-[0-9]{1,2}
      (?: (?:[Tt]|[ \t]+) [0-9]{1,2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]*)?
          (?: [ \t]*(?:Z|[-+][0-9]{1,2}(?::?[0-9]{2})?) )? )?
    """  # compiled with its first use: few files have such a scalar


def resolve(text: str) -> tuple[Scalar, bool]:
    """Return the value of a plain scalar, and whether every YAML parser reads it as a string.

    What the two versions read differently (`on`, `010`, `1e3`, a date) is returned as a string,
    with False; so is a number of more than 300 digits.
    """
    if text and text[0] not in _FIRST:
        return text, True
    if text in _CONSTANTS:
        return _CONSTANTS[text], False
    if text[0].isalpha():
        return text, text.lower() not in _WORDS
    if _INTEGER.fullmatch(text):
        return int(text), False
    if _FLOAT.fullmatch(text):
        return float(text), False
    return text, not re.fullmatch(_DOUBTFUL, text, re.VERBOSE)


def describe_misreading(text: str) -> str:
    """Say which YAML parsers do not read a plain scalar as a string, and what they read."""
    value, _ = resolve(text)
    if value is None or isinstance(value, bool):
        return f"YAML parsers read it as {'null' if value is None else 'a boolean'}"
    if not isinstance(value, str):
        return "YAML parsers read it as a number"
    if text.isalpha():
        return "YAML 1.1 parsers read it as a boolean"
    if _DATE.match(text):
        return "YAML 1.1 parsers read it as a date"
    if text in ("=", "<<"):
        return "it has a special meaning in YAML 1.1"
    return "some YAML parsers read it as a number"
